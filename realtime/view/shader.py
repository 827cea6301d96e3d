"""The shader of the picture, GLSL 1.20: macOS has OpenGL 2.1, and ES 2 can run it too.

`mapping.render_reference` computes the same levels in numpy; change both or neither.
Positions and rows stay below 2**16 and are reduced modulo the ring by the CPU, so float32 holds
them exactly. One draw covers a pane: waterfall at the left, spectrum strip at the right.
"""

from __future__ import annotations

from realtime.dsp.levels import DB_FLOOR
from realtime.view.mapping import CODE_MAX, DB_SPAN, NEPER_PER_CODE, OCTAVE_LIMIT

STRIP_GAP = 2
"""Pixels between the waterfall and the spectrum beside it."""
CONSTANTS = {
    "OCTAVES": OCTAVE_LIMIT,
    "DB_FLOOR": float(DB_FLOOR),
    "DB_SPAN": float(DB_SPAN),
    "STRIP_GAP": float(STRIP_GAP),
    "GAP_LIMIT": 0.5 / CODE_MAX,
    "NEPER": float(NEPER_PER_CODE * CODE_MAX),
}

VERTEX = """
attribute vec2 a_corner;
uniform vec4 u_rect;
void main() {
    gl_Position = vec4(mix(u_rect.xy, u_rect.zw, a_corner), 0.0, 1.0);
}
"""

FRAGMENT = (
    "".join(f"#define {k} {v!r}\n" for k, v in CONSTANTS.items())
    + """
uniform sampler2D u_cells;    // codes, laid out as ColumnHistory.cells
uniform sampler2D u_rows;     // for each row of pixels: cells, octaves, validity
uniform sampler2D u_lut;
uniform vec3 u_texture;       // width and height of u_cells, texture rows in a row of cells
uniform vec4 u_pane;          // left, lower edge, width of the waterfall, height; pixels
uniform vec4 u_scroll;        // start of pixel 0 in cells after base, slot of base, valid cells
uniform vec4 u_time;          // cells a pixel, 1 if more than one, ring of the level, first row
uniform vec4 u_look;          // dB at the low end, 1 / dB range, gamma, tilt
uniform vec4 u_strip;         // width, row of the spectrum, row of the hold (-1: none), line width
uniform vec3 u_cross;         // column and row of pixels of the crosshair, its opacity
uniform vec4 u_background;
uniform float u_mean;         // 1: power is averaged, 0: peaks are kept

float code(float position, float row) {
    float part = floor(position / u_texture.x);
    vec2 texel = vec2(position - part * u_texture.x, row * u_texture.z + part);
    return texture2D(u_cells, (texel + 0.5) / u_texture.xy).r;
}

vec4 table(float row, float line) {
    return floor(texture2D(u_rows, vec2((row + 0.5) / u_pane.w, line)) * 255.0 + 0.5);
}

vec2 positions(float row) {
    vec4 bytes = table(row, 0.25);
    return vec2(bytes.x * 256.0 + bytes.y, bytes.z * 256.0 + bytes.w);
}

float octaves(vec4 bytes) {
    return (bytes.x * 256.0 + bytes.y - 32768.0) * (OCTAVES / 32767.0);
}

float share(float level, float tilted) {
    float db = DB_FLOOR + level * DB_SPAN + u_look.w * tilted;
    return clamp((db - u_look.x) * u_look.y, 0.0, 1.0);
}

vec4 colour(float where) {
    float entry = floor(pow(where, u_look.z) * 255.0 + 0.5);
    return texture2D(u_lut, vec2((entry + 0.5) / 256.0, 0.5));
}

// Two cells under one pixel made one: the peak, or the mean power (gaps aside).
float joined(float a, float b) {
    float peak = max(a, b);
    float least = min(a, b);
    if (u_mean < 0.5 || least < GAP_LIMIT) return peak;
    return peak + log(0.5 + 0.5 * exp((least - peak) * NEPER)) / NEPER;
}

float pair(vec2 cells, float row) {
    return joined(code(cells.x, row), code(cells.y, row));
}

float slice(vec2 cells, float index) {
    if (index < u_scroll.z || index > u_scroll.w) return 0.0;
    return pair(cells, mod(u_scroll.y + index, u_time.z) + u_time.w);
}

float held(float row) {
    vec2 cells = positions(clamp(row, 0.0, u_pane.w - 1.0));
    return share(pair(cells, u_strip.z), octaves(table(row, 0.75)));
}

vec4 waterfall(vec2 cells, float tilted, float x) {
    float first = ceil(u_scroll.x + x * u_time.x);
    float last = max(first, ceil(u_scroll.x + (x + u_time.y) * u_time.x) - 1.0);
    float level = joined(slice(cells, first), slice(cells, last));
    if (level < GAP_LIMIT) return u_background;
    return colour(share(level, tilted));
}

vec4 strip(vec2 cells, float tilted, float x, float row) {
    float where = (x + 0.5) / u_strip.x;
    vec4 paint = u_background;
    if (u_strip.y >= 0.0) {
        float level = pair(cells, u_strip.y);
        if (level > GAP_LIMIT && where <= share(level, tilted)) paint = colour(where);
    }
    if (u_strip.z >= 0.0) {
        float here = held(row);
        float above = 0.5 * (here + held(row - 1.0));
        float below = 0.5 * (here + held(row + 1.0));
        float least = min(here, min(above, below)) - u_strip.w;
        float most = max(here, max(above, below)) + u_strip.w;
        if (most > u_strip.w && where >= least && where <= most) paint = vec4(vec3(0.85), 1.0);
    }
    return paint;
}

void main() {
    vec2 pixel = floor(gl_FragCoord.xy) - u_pane.xy;
    float row = u_pane.w - 1.0 - pixel.y;
    vec2 cells = positions(row);
    vec4 more = table(row, 0.75);
    float x = pixel.x - u_pane.z - STRIP_GAP;
    vec4 paint = u_background;
    if (pixel.x >= u_pane.z && x < 0.0) {
        paint = vec4(vec3(0.35), 1.0);
    } else if (more.z > 0.5) {
        if (x < 0.0) paint = waterfall(cells, octaves(more), pixel.x);
        else paint = strip(cells, octaves(more), x, row);
    }
    if (pixel.x == u_cross.x || row == u_cross.y) paint = mix(paint, vec4(1.0), u_cross.z);
    gl_FragColor = vec4(paint.rgb, 1.0);
}
"""
)
