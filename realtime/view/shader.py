"""The shaders of the picture, GLSL 1.20: macOS has OpenGL 2.1, and ES 2 can run them too.

`mapping.render_reference` computes the same levels in numpy; change both or neither.
Positions and rows stay below 2**16 and are reduced modulo the ring by the CPU, so float32 holds
them exactly.

What few need is compiled only where it is asked for (`FLAGS`), and waterfall and spectrum are
two programs: drivers that render on the CPU execute both sides of every branch.
"""

from __future__ import annotations

from realtime.dsp.levels import DB_FLOOR
from realtime.view.mapping import CODE_MAX, DB_SPAN, NEPER_PER_CODE, OCTAVE_LIMIT

FLAGS = {
    "MEAN": "two cells under a pixel become their mean power, not their peak",
    "TILT": "display.tilt is not 0",
    "GAMMA": "display.gamma is not 1",
    "FOLD": "a row of cells takes several rows of the texture",
}
CONSTANTS = {
    "OCTAVES": OCTAVE_LIMIT,
    "DB_FLOOR": float(DB_FLOOR),
    "DB_SPAN": float(DB_SPAN),
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

COMMON = """
uniform sampler2D u_cells;    // codes, laid out as ColumnHistory.cells
uniform sampler2D u_rows;     // for each row of pixels: cells, and in a second line octaves
uniform sampler2D u_lut;
uniform vec4 u_pane;          // left, lower edge, width, height; pixels
uniform vec3 u_texture;       // width and height of u_cells, texture rows in a row of cells
uniform vec4 u_look;          // dB at the low end, 1 / dB range, gamma, tilt
uniform vec3 u_cross;         // column and row of pixels of the crosshair, its opacity
uniform vec4 u_background;

float code(float position, float row) {
#ifdef FOLD
    float part = floor(position / u_texture.x);
    vec2 texel = vec2(position - part * u_texture.x, row * u_texture.z + part);
#else
    vec2 texel = vec2(position, row);
#endif
    return texture2D(u_cells, (texel + 0.5) / u_texture.xy).r;
}

// Two cells under one pixel made one: the peak, or the mean power (gaps aside).
float joined(float a, float b) {
    float peak = max(a, b);
#ifdef MEAN
    float least = min(a, b);
    if (least >= GAP_LIMIT) peak += log(0.5 + 0.5 * exp((least - peak) * NEPER)) / NEPER;
#endif
    return peak;
}

vec4 table(float row, float line) {
    return floor(texture2D(u_rows, vec2((row + 0.5) / u_pane.w, line)) * 255.0 + 0.5);
}

// The two cells of a row of pixels; none (negative) above half the sample rate.
vec2 positions(float row) {
    vec4 bytes = table(row, 0.25);
    vec2 cells = bytes.xz * 256.0 + bytes.yw;
    return cells.x > 65534.0 ? vec2(-1.0) : cells;
}

float pair(vec2 cells, float row) {
    return joined(code(cells.x, row), code(cells.y, row));
}

float share(float level, float row) {
    float db = DB_FLOOR + level * DB_SPAN;
#ifdef TILT
    vec4 bytes = table(row, 0.75);
    db += u_look.w * (bytes.x * 256.0 + bytes.y - 32768.0) * (OCTAVES / 32767.0);
#endif
    return clamp((db - u_look.x) * u_look.y, 0.0, 1.0);
}

vec4 colour(float where) {
#ifdef GAMMA
    where = pow(where, u_look.z);
#endif
    float entry = floor(where * 255.0 + 0.5);
    return texture2D(u_lut, vec2((entry + 0.5) / 256.0, 0.5));
}

void show(vec4 paint, vec2 pixel) {
    if (pixel.x == u_cross.x || pixel.y == u_cross.y) paint = mix(paint, vec4(1.0), u_cross.z);
    gl_FragColor = vec4(paint.rgb, 1.0);
}

// Column and row of a pixel in the pane, from its upper left corner.
vec2 place() {
    vec2 pixel = floor(gl_FragCoord.xy) - u_pane.xy;
    return vec2(pixel.x, u_pane.w - 1.0 - pixel.y);
}
"""

WATERFALL = """
uniform vec4 u_scroll;        // start of pixel 0 in cells after base, slot of base, valid cells
uniform vec4 u_time;          // cells a pixel, 1 if more than one, ring of the level, first row
uniform float u_newest;       // row of the last valid cell

float slice(vec2 cells, float index) {
    float row = mod(u_scroll.y + index, u_time.z) + u_time.w;
    float level = pair(cells, index == u_scroll.w ? u_newest : row);
    return index < u_scroll.z || index > u_scroll.w ? 0.0 : level;
}

void main() {
    vec2 pixel = place();
    vec2 cells = positions(pixel.y);
    float first = ceil(u_scroll.x + pixel.x * u_time.x);
    float last = max(first, ceil(u_scroll.x + (pixel.x + u_time.y) * u_time.x) - 1.0);
    float level = joined(slice(cells, first), slice(cells, last));
    vec4 paint = colour(share(level, pixel.y));
    show(level < GAP_LIMIT || cells.x < 0.0 ? u_background : paint, pixel);
}
"""

SPECTRUM = """
uniform vec3 u_strip;         // row of the spectrum, row of the hold (-1: none), half line width

float held(float row) {
    row = clamp(row, 0.0, u_pane.w - 1.0);
    return share(pair(positions(row), u_strip.y), row);
}

void main() {
    vec2 pixel = place();
    vec2 cells = positions(pixel.y);
    float where = (pixel.x + 0.5) / u_pane.z;
    float level = u_strip.x < 0.0 ? 0.0 : pair(cells, u_strip.x);
    vec4 paint = u_background;
    if (level > GAP_LIMIT && where <= share(level, pixel.y)) paint = colour(where);
    if (u_strip.y >= 0.0) {
        float here = held(pixel.y);
        float above = 0.5 * (here + held(pixel.y - 1.0));
        float below = 0.5 * (here + held(pixel.y + 1.0));
        float least = min(here, min(above, below)) - u_strip.z;
        float most = max(here, max(above, below)) + u_strip.z;
        if (most > u_strip.z && where >= least && where <= most) paint = vec4(vec3(0.85), 1.0);
    }
    show(cells.x < 0.0 ? u_background : paint, pixel);
}
"""


def fragment(main: str, flags: frozenset[str]) -> str:
    """The fragment shader whose `main` this is, in the variant that `flags` ask for."""
    head = [f"#define {name} {value!r}" for name, value in CONSTANTS.items()]
    head += [f"#define {flag}" for flag in sorted(flags)]
    return "\n".join(head) + COMMON + main
