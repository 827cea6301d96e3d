"""Pictures with axes as SVG and PDF: values as pixels, one a cell; all else as lines and letters.

SVG takes the reader's own sans-serif letters. PDF carries the font of the PNGs, as PDF 1.4 says
(ISO 32000-1, 9.6): 256 letters at most, which are as many as a title and the labels need.
"""

from __future__ import annotations

import base64
import zlib
from io import BytesIO
from typing import BinaryIO
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from realtime.picture.ink import font_bytes, font_of
from realtime.picture.placing import STEPS, Placing
from realtime.picture.png_writer import write_png
from realtime.picture.sheet import POINTS_PER_INCH, Sheet, Text

Box = tuple[int, int, int, int]

FONTS = "DejaVu Sans, Verdana, sans-serif"
ANCHORS = {"l": "start", "m": "middle", "r": "end"}
SHIFTS = {"l": 0.0, "m": 0.5, "r": 1.0}
"""Share of a text's width before its anchor."""

FONT_UNITS = 1000
"""To a letter size, in PDF."""
FIRST_CODE = 32
"""Of the letters used; below are control characters."""
LAST_NAMED = 0xFFFF
"""Letters have names of four digits."""


def write_vector(
    file: BinaryIO,
    suffix: str,
    sheet: Sheet,
    placing: Placing,
    codes: NDArray[np.uint8],
    colours: NDArray[np.uint8],
    dpi: float,
) -> None:
    """suffix : ".svg" or ".pdf". codes : uint8 (n_panes, n_rows, n_columns), the lowest row first.
    Raises OSError."""
    bar = np.arange(STEPS, dtype=np.uint8)[:, None]
    images = [*zip(placing.panes, codes, strict=True), (sheet.bar, bar)]
    write = _write_svg if suffix == ".svg" else _write_pdf
    write(file, sheet, [(box, image[::-1]) for box, image in images], colours, dpi)


def _write_svg(
    file: BinaryIO,
    sheet: Sheet,
    images: list[tuple[Box, NDArray[np.uint8]]],
    colours: NDArray[np.uint8],
    dpi: float,
) -> None:
    wide, tall = (f"{side / dpi:.6g}in" for side in (sheet.width, sheet.height))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide}" height="{tall}" '
        f'viewBox="0 0 {sheet.width} {sheet.height}" font-family="{FONTS}">\n'
        '<rect width="100%" height="100%" fill="white"/>\n'
    ]
    for (left, top, width, height), codes in images:
        png = BytesIO()
        write_png(png, codes.shape[1], codes.shape[0], [codes], palette=colours)
        data = base64.b64encode(png.getvalue()).decode()
        parts.append(
            f'<image x="{left}" y="{top}" width="{width}" height="{height}" '
            'preserveAspectRatio="none" style="image-rendering:pixelated" '
            f'href="data:image/png;base64,{data}"/>\n'
        )
    path = "".join(f"M{a.x0:.7g} {a.y0:.7g}L{a.x1:.7g} {a.y1:.7g}" for a in sheet.lines)
    parts.append(f'<path d="{path}" stroke="black" stroke-width="{sheet.line:g}"/>\n')
    for text in sheet.texts:
        place = f'x="{text.x:.7g}" y="{text.y:.7g}"'
        turn = f' transform="rotate(-90 {text.x:.7g} {text.y:.7g})"' if text.turned else ""
        parts.append(
            f'<text {place} font-size="{text.size:.6g}" text-anchor="{ANCHORS[text.align]}"{turn}>'
            f"{escape(_printable(text.text))}</text>\n"
        )
    parts.append("</svg>\n")
    file.write("".join(parts).encode())


def _write_pdf(
    file: BinaryIO,
    sheet: Sheet,
    images: list[tuple[Box, NDArray[np.uint8]]],
    colours: NDArray[np.uint8],
    dpi: float,
) -> None:
    scale = POINTS_PER_INCH / dpi
    used = {letter for text in sheet.texts for letter in text.text}
    letters = sorted(letter for letter in used if ord(letter) <= LAST_NAMED)[: STEPS - FIRST_CODE]
    drawn = [f"{scale:.6f} 0 0 {-scale:.6f} 0 {sheet.height * scale:.4f} cm"]
    for k, ((left, top, width, height), _) in enumerate(images):
        drawn.append(f"q {width} 0 0 {-height} {left} {top + height} cm /I{k} Do Q")
    drawn.append(f"{sheet.line:g} w")
    drawn += [f"{a.x0:.3f} {a.y0:.3f} m {a.x1:.3f} {a.y1:.3f} l S" for a in sheet.lines]
    drawn += [_pdf_text(text, letters) for text in sheet.texts]
    n_images = len(images)
    first_image = 8
    names = " ".join(f"/I{k} {first_image + k} 0 R" for k in range(n_images))
    page = (
        f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {sheet.width * scale:.4f} "
        f"{sheet.height * scale:.4f}]/Contents 4 0 R"
        f"/Resources<</Font<</F 5 0 R>>/XObject<<{names}>>>>>>"
    )
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        page.encode(),
        _stream("", "\n".join(drawn).encode()),
        _pdf_font(letters),
        (
            b"<</Type/FontDescriptor/FontName/DejaVuSans/Flags 32/FontBBox[-1021 -463 1793 1232]"
            b"/ItalicAngle 0/Ascent 928/Descent -236/CapHeight 729/StemV 80/FontFile2 7 0 R>>"
        ),
        _stream(f"/Length1 {len(font_bytes())}", font_bytes()),
    ]
    for _, codes in images:
        height, width = codes.shape
        objects.append(
            _stream(
                f"/Type/XObject/Subtype/Image/Width {width}/Height {height}/BitsPerComponent 8"
                f"/ColorSpace[/Indexed/DeviceRGB 255<{colours.tobytes().hex()}>]",
                np.ascontiguousarray(codes).tobytes(),
            )
        )
    _write_objects(file, objects)


def _write_objects(file: BinaryIO, objects: list[bytes]) -> None:
    """Numbered from 1; the first is the catalogue."""
    begin = b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"
    file.write(begin)
    at, places = len(begin), []
    for number, body in enumerate(objects, 1):
        whole = f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
        file.write(whole)
        places.append(at)
        at += len(whole)
    table = "".join(f"{place:010d} 00000 n \n" for place in places)
    n = len(objects) + 1
    file.write(
        f"xref\n0 {n}\n0000000000 65535 f \n{table}"
        f"trailer\n<</Size {n}/Root 1 0 R>>\nstartxref\n{at}\n%%EOF\n".encode()
    )


def _stream(entries: str, data: bytes) -> bytes:
    packed = zlib.compress(data)
    head = f"<</Filter/FlateDecode/Length {len(packed)}{entries}>>\nstream\n"
    return head.encode() + packed + b"\nendstream"


def _pdf_font(letters: list[str]) -> bytes:
    """A simple font whose codes are the letters used, by their Unicode names."""
    font = font_of(FONT_UNITS)
    widths = " ".join(f"{font.getlength(letter):.0f}" for letter in letters)
    names = "".join(f"/uni{ord(letter):04X}" for letter in letters)
    return (
        f"<</Type/Font/Subtype/TrueType/BaseFont/DejaVuSans/FirstChar {FIRST_CODE}"
        f"/LastChar {FIRST_CODE + len(letters) - 1}/Widths[{widths}]/FontDescriptor 6 0 R"
        f"/Encoding<</Type/Encoding/BaseEncoding/WinAnsiEncoding"
        f"/Differences[{FIRST_CODE}{names}]>>>>"
    ).encode()


def _pdf_text(text: Text, letters: list[str]) -> str:
    known = [letter for letter in text.text if letter in letters]
    code = bytes(FIRST_CODE + letters.index(letter) for letter in known).hex()
    width = font_of(FONT_UNITS).getlength("".join(known)) / FONT_UNITS * text.size
    back = SHIFTS[text.align] * width
    # The page's y runs downwards here, and letters stand upright in spite of it.
    if text.turned:
        matrix = f"0 -1 -1 0 {text.x:.3f} {text.y + back:.3f}"
    else:
        matrix = f"1 0 0 -1 {text.x - back:.3f} {text.y:.3f}"
    return f"BT /F {text.size:.4f} Tf {matrix} Tm <{code}> Tj ET"


def _printable(text: str) -> str:
    """Without what XML forbids."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)
