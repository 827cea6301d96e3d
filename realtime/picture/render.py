"""Sound to a picture in a file: with axes or bare, of any length, each value in its place.

What is drawn is decided before anything is analysed (`Look`); values go straight into the codes of
the panes, so that memory holds one byte a pixel and never all of the sound.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from numpy.typing import NDArray

import realtime
from realtime.errors import RequestError
from realtime.picture.analysis import Analysis, Progress, analyse
from realtime.picture.flac import as_flac
from realtime.picture.format import PictureFormat
from realtime.picture.load import Sound
from realtime.picture.look import Look, check_size, map_colours
from realtime.picture.own import Said
from realtime.picture.placing import ROWS, STEPS, Cells, Placing
from realtime.picture.png_writer import write_png
from realtime.picture.sheet import Sheet, lay_out
from realtime.replacing import replacing
from realtime.wording import shown, shown_path

STRIP_BYTES = 1 << 22
"""Of pixels made at a time."""

VECTORS = (".svg", ".pdf")
DATA = (".npz", ".zarr", ".csv", ".html")
SUFFIXES = (".png", *VECTORS, *DATA)

PAGE_SCALES = (ROWS, "linear", "log")
"""Axes that plotly has; "rows" of bins are linear, and of bands logarithmic."""


@dataclass(frozen=True)
class Rendered:
    """What `render` has drawn.

    picture : what its values mean; `n_columns` is None where each frame has a column
    damage : the sentence that says where the file broke off, or None
    notes : sentences on what one would not expect
    """

    picture: PictureFormat
    damage: str | None
    notes: tuple[str, ...]


def render(
    source: Sound | str | os.PathLike[str],
    out: str | os.PathLike[str],
    kind: str = "stft",
    *,
    bare: bool = False,
    bits: int = 8,
    colormap: str = "magma",
    scale: str = ROWS,
    size: tuple[int, int] | None = None,
    width: int | None = None,
    dpi: float = 100.0,
    title: str | None = None,
    reduce: str = "peak",
    keep_sound: bool = False,
    sample_rate: int | None = None,
    mono: bool = False,
    partial: bool = False,
    ref: float | Literal["max"] | Callable = "max",
    top_db: float | None = 80.0,
    progress: Progress | None = None,
    **parameters: Any,
) -> Rendered:
    """Draw the spectrogram of a sound into a file, whole or not at all.

    source : a `Sound`, or the path of a sound file of any length
    out : .png; .svg, .pdf; .html (plotly); or the values in dB as .npz, .zarr, .csv
    kind, sample_rate, mono, partial, ref, top_db, parameters : as of `analyse` and `picture_format`
        (n_fft, hop, window, center, n_rows, fmin, fmax, htk, norm, bins_per_octave, power)
    bare : a PNG of one pixel a row and column and nothing else, the first channel at the top
    bits : 8; or 16 of a bare one in greys
    colormap : any name of the cmap library ("magma", "viridis", "gray_r" ...)
    scale : "rows" are equally high; or the axis is "linear", "log", "mel", "bark", "erb", "notes"
    size : pixels of the whole picture (width, height); None: at least one a frame and row, up to
        32000 across
    width : pixels across a pane where there is no size; frames that share one become their
        `reduce`, "peak" or "mean"
    dpi : pixels to an inch, letters being 10 points high
    title : None: the name of the file; "": none
    keep_sound : the PNG carries the sound itself, as FLAC; 16 and 24 bits as they were
    progress : told the share done, 0 to 1, or None
    Raises RequestError and its kin for what cannot be drawn, RealtimeError where `out` cannot be
    written.
    """
    name = _name(source)
    look = Look(bare, bits, colormap, scale, size, width, dpi, name if title is None else title)
    path, suffix = Path(out), suffix_of(out)
    if suffix != ".png" and (bare or keep_sound):
        raise RequestError(f"bare and keep_sound are of .png, not of {suffix}: leave them out")
    if suffix == ".html" and scale not in PAGE_SCALES:
        raise RequestError(
            f"scale={scale} of a page must be one of {', '.join(PAGE_SCALES)} (try log, or .svg)"
        )
    colours = map_colours(colormap)
    analysis = analyse(
        source, kind, sample_rate=sample_rate, mono=mono, partial=partial, ref=ref, top_db=top_db,
        n_columns=_most_columns(look, suffix), reduce=reduce, progress=progress, **parameters,
    )  # fmt: skip
    notes: list[str] = []
    if suffix in DATA:
        from realtime.picture.export import export

        with replacing(path) as new:
            export(analysis, new, suffix, colours, look)
    else:
        placing = look.place(analysis.picture, analysis.n_columns)
        check_size(placing.width, placing.height)
        codes = _codes(analysis, placing)
        if suffix == ".png":
            said = Said(analysis.picture, placing, name, f"realtime {realtime.__version__}")
            with replacing(path) as new, open(new, "wb") as file:
                sound = as_flac(analysis, notes) if keep_sound else nullcontext()
                with sound as flac:
                    _write_png(file, look, said, codes, flac)
        else:
            from realtime.picture.vector import write_vector

            sheet = lay_out(placing, analysis.picture, look.margins, look.title)
            with replacing(path) as new, open(new, "wb") as file:
                write_vector(file, suffix, sheet, placing, codes, colours, look.dpi)
    picture = analysis.picture
    if picture.n_columns is not None and look.size is None and look.width is None:
        notes.insert(0, _told_of_columns(picture))
    if not bare and suffix in (".png", ".pdf"):
        from realtime.picture.ink import unknown_letters

        if unknown := unknown_letters(look.title):
            notes.append(
                f"the title lacks {shown(unknown)}, which is not Latin, Greek or Cyrillic: give "
                "another title, or write .svg"
            )
    if analysis.is_silent:
        notes.append("the sound is silent: there is nothing to be seen")
    if analysis.bad_samples:
        notes.append(f"{analysis.bad_samples} samples were no numbers, and are 0 now")
    return Rendered(picture, analysis.damage, tuple(notes))


def suffix_of(out: str | os.PathLike[str]) -> str:
    """What is written: one of `SUFFIXES`. Raises RequestError for another."""
    suffix = Path(out).suffix.lower()
    if suffix not in SUFFIXES:
        raise RequestError(f"{shown_path(os.fspath(out))} must end in one of {', '.join(SUFFIXES)}")
    return suffix


def _most_columns(look: Look, suffix: str) -> Callable[[PictureFormat], int | None]:
    if suffix == ".html":
        from realtime.picture.export import most_shown

        return lambda picture: look.width or most_shown(picture)
    if suffix in DATA:
        return lambda picture: look.width
    return look.most_columns


def _name(source: Sound | str | os.PathLike[str]) -> str:
    if isinstance(source, Sound):
        return ""
    return os.fsencode(os.path.basename(os.fspath(source))).decode(errors="replace")


def _told_of_columns(picture: PictureFormat) -> str:
    return (
        f"{picture.n_frames} frames share {picture.n_columns} columns: width asks for more, a "
        "longer hop for fewer frames, .npz or .zarr for all of their values"
    )


def _codes(analysis: Analysis, placing: Placing) -> NDArray:
    """What each row of the panes' pixels shows of each column, uint8 or uint16 (n_panes, height,
    n_columns), the lowest first."""
    picture = analysis.picture
    dtype = np.uint16 if placing.bits == 16 else np.uint8
    rows = placing.rows(picture)
    shape = picture.n_channels, placing.panes[0][3], analysis.n_columns
    codes = np.zeros(shape, dtype)
    scale = np.float32(np.iinfo(dtype).max / (picture.db_high - picture.db_low))
    done = 0
    for db in analysis.chunks():
        levels = np.rint((db - np.float32(picture.db_low)) * scale)
        part = np.clip(levels, 0, np.iinfo(dtype).max).astype(dtype).swapaxes(1, 2)
        codes[:, :, done : done + db.shape[1]] = rows.of(part, 1)
        done += db.shape[1]
    return codes


def _write_png(
    file: BinaryIO, look: Look, said: Said, codes: NDArray, flac: BinaryIO | None
) -> None:
    placing = said.placing
    columns = placing.columns(codes.shape[2])
    if look.bare:
        strips, palette, dpi = _bare_strips(codes, columns), placing.colours, None
    else:
        sheet = lay_out(placing, said.format, look.margins, look.title)
        strips, palette, dpi = _strips(sheet, placing, codes, columns), None, look.dpi
    write_png(
        file, placing.width, placing.height, strips,
        palette=palette, dpi=dpi, text=said.to_json(), sound=flac,
    )  # fmt: skip


def _bare_strips(codes: NDArray, columns: Cells) -> Iterator[NDArray]:
    for pane in codes:
        step = max(1, STRIP_BYTES // max(1, len(columns.starts)))
        for stop in range(len(pane), 0, -step):
            yield columns.of(pane[max(0, stop - step) : stop][::-1], 1)


def _strips(
    sheet: Sheet, placing: Placing, codes: NDArray, columns: Cells
) -> Iterator[NDArray[np.uint8]]:
    from realtime.picture.ink import inked

    assert placing.colours is not None
    left, top, width, height = sheet.bar
    step = max(1, STRIP_BYTES // (3 * sheet.width))
    for first in range(0, sheet.height, step):
        stop = min(first + step, sheet.height)
        strip = np.repeat(inked(sheet, first, stop)[:, :, None], 3, axis=2)
        for pane, box in zip(codes, placing.panes, strict=True):
            inside = _overlap(first, stop, box[1], box[3])
            rows = pane[::-1][inside.start - box[1] : inside.stop - box[1]]
            at = slice(inside.start - first, inside.stop - first)
            strip[at, box[0] : box[0] + box[2]] = placing.colours[columns.of(rows, 1)]
        inside = _overlap(first, stop, top, height)
        at = slice(inside.start - first, inside.stop - first)
        levels = bar_codes(height)[inside.start - top : inside.stop - top]
        strip[at, left : left + width] = placing.colours[levels][:, None]
        yield strip


def bar_codes(height: int) -> NDArray[np.uint8]:
    """Codes of the colour bar's pixels, the greatest first."""
    return ((np.arange(height)[::-1] + 0.5) * (STEPS / height)).astype(np.uint8)


def _overlap(first: int, stop: int, top: int, height: int) -> slice:
    begin = min(max(first, top), top + height)
    return slice(begin, max(begin, min(stop, top + height)))
