"""Pictures that `render` drew, read back: the exact way from colours to dB.

Edited ones too: what an editor painted has the value of the nearest colour of the map, and what it
erased (transparent) the lowest. An editor that drops the text beside the pixels leaves a picture
that can be read `like` the one it was made from.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from realtime.errors import SettingsError, SourceError
from realtime.picture.format import PictureFormat
from realtime.picture.placing import STEPS, Placing
from realtime.picture.png import Png, indices_of, is_png, pixels_of, read_png, sound_bytes
from realtime.wording import shown, shown_path

if TYPE_CHECKING:
    from realtime.picture.read.reader import Reading

MOST_VALUES = 1 << 28
"""That a picture may claim, 1 GiB of float32."""

PIECE = 1 << 20
"""Pixels compared with a map at a time."""


@dataclass(frozen=True, eq=False)
class OwnPicture:
    """What a picture of ours holds.

    db : float32 (n_channels, n_columns, n_rows), the lowest row first
    format : how the sound became dB
    placing : where they lie in the picture
    columns_alone, rows_alone : bool (n_columns,), (n_rows,), which had a pixel of their own; the
        others have the greatest value of all that share one, or the lowest where they have none
    step_db : from one code to the next; values were rounded by half of it at most
    off : greatest distance of a colour from the map, 0..255 in any of red, green and blue: 0 where
        nobody changed a pixel to a colour of its own
    source : the name of the file it was made of
    made_by : program and version
    png : the file, whose sound `kept_sound` reads
    """

    db: NDArray[np.float32]
    format: PictureFormat
    placing: Placing
    columns_alone: NDArray[np.bool_]
    rows_alone: NDArray[np.bool_]
    step_db: float
    off: int
    source: str
    made_by: str
    png: Png

    @property
    def exact(self) -> bool:
        """Whether each value of each frame had a pixel of its own."""
        whole = self.columns_alone.all() and self.rows_alone.all()
        return bool(whole) and self.format.n_columns is None


@dataclass(frozen=True, eq=False)
class Said:
    """The text of a picture."""

    format: PictureFormat
    placing: Placing
    source: str
    made_by: str

    def to_json(self) -> str:
        held = {"picture": self.format.to_dict(), "placing": self.placing.to_dict()}
        return json.dumps(held | {"source": self.source, "made_by": self.made_by}, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Said:
        """Undo `to_json`. Raises SettingsError for any other text."""
        try:
            held = json.loads(text)
        except (ValueError, RecursionError):
            held = None
        if not isinstance(held, dict):
            raise SettingsError([f"{shown(text)} is no JSON object: the picture's text is damaged"])
        picture = PictureFormat.from_dict(held.get("picture"))
        placing = Placing.from_dict(held.get("placing"), picture)
        names = [held.get("source", ""), held.get("made_by", "")]
        if not all(isinstance(name, str) for name in names):
            raise SettingsError(["source and made_by must be text: the picture's text is damaged"])
        n_columns = columns_of(picture)
        if n_columns < 1 or n_columns * picture.n_rows * picture.n_channels > MOST_VALUES:
            raise SettingsError(
                [f"{n_columns} columns of {picture.n_rows} rows are none, or too many to be read"]
            )
        return cls(picture, placing, *names)


def columns_of(picture: PictureFormat) -> int:
    """Columns of a picture, 0 where it does not say."""
    return picture.n_columns or picture.n_frames or 0


def read_own(
    path: str | os.PathLike[str], like: str | os.PathLike[str] | None = None
) -> OwnPicture:
    """Read a PNG that `render` drew, or that was one before it was edited.

    like : the picture it was, where an editor dropped the text that says how it was made
    Raises SourceError: no PNG, damaged, not ours, or of another size than it says.
    """
    png = read_png(path)
    text = png.text if like is None else read_png(like, pixels=False).text
    teller = shown_path(os.fspath(path if like is None else like))
    if text is None:
        raise SourceError(
            f"{teller} does not say how it was made, so 'realtime render' did not write it, or an "
            "editor dropped its text: name the picture it was before with --like"
        )
    try:
        said = Said.from_json(text)
    except SettingsError as fault:
        raise SourceError(f"the text in {teller} is damaged: {fault}") from fault
    placing, picture = said.placing, said.format
    if (png.width, png.height) != (placing.width, placing.height):
        raise SourceError(
            f"{shown_path(png.path)} has {png.width} x {png.height} pixels and was made with "
            f"{placing.width} x {placing.height}: it must be neither scaled nor cropped"
        )
    codes, off, steps = _codes(png, placing)
    columns, rows = placing.columns(columns_of(picture)), placing.rows(picture)
    (at, columns_alone), (up, rows_alone) = columns.pixels(), rows.pixels()
    span = picture.db_high - picture.db_low
    panes = []
    for left, top, width, height in placing.panes:
        pane = codes[top : top + height, left : left + width][::-1]
        levels = pane[up][:, at].T.astype(np.float32) * np.float32(span / steps)
        levels[:, up < 0] = 0
        levels[at < 0] = 0
        panes.append(levels + np.float32(picture.db_low))
    return OwnPicture(
        np.stack(panes), picture, placing, columns_alone, rows_alone, span / steps, off,
        said.source, said.made_by, png,
    )  # fmt: skip


def read_picture(
    path: str | os.PathLike[str],
    like: str | os.PathLike[str] | None = None,
    **overrides: Any,
) -> OwnPicture | Reading:
    """Read a spectrogram back to dB, whoever drew it.

    like : as of `read_own`
    overrides : of a picture that `render` did not draw, what the caller knows better (kind,
        sample_rate, n_fft, hop, n_rows, fmin, fmax, htk, db_low, db_high, colormap, seconds)
    Returns an `OwnPicture`, exact, where the picture says how it was made or was `like` one that
    does; else a `Reading`, with what was found and how surely. Both have `db`, float32
    (n_channels, n_frames, n_rows) in dB, the lowest row first, and `format`.
    Raises SourceError where it is no such picture or cannot be read with certainty.
    """
    if like is not None or (is_png(path) and read_png(path, pixels=False).text is not None):
        return read_own(path, like)
    from realtime.picture.read.reader import read_foreign

    return read_foreign(path, overrides)


def kept_sound(picture: OwnPicture) -> tuple[NDArray, int] | None:
    """The sound in a picture: int16 (n_samples, n_channels), as it was, or float32 where it had
    more than 16 bits, and its sample rate; None where it holds none.

    Raises SourceError where it is damaged, or not the sound that the picture was made of.
    """
    if picture.png.sound is None:
        return None
    import soundfile

    name = shown_path(picture.png.path)
    n_samples, n_channels = picture.format.n_samples, picture.format.n_channels
    try:
        with soundfile.SoundFile(BytesIO(sound_bytes(picture.png))) as file:
            fits = (file.frames, file.channels, file.samplerate) == (
                n_samples, n_channels, picture.format.sample_rate
            )  # fmt: skip
            if not fits or file.format != "FLAC":
                raise SourceError(f"the sound in {name} is another than the picture was made of")
            kind = "int16" if file.subtype == "PCM_16" else "float32"
            samples = file.read(dtype=kind, always_2d=True)
    except soundfile.SoundFileError as fault:
        raise SourceError(f"the sound in {name} is damaged: render the picture again") from fault
    return samples, picture.format.sample_rate


def _codes(png: Png, placing: Placing) -> tuple[NDArray, int, int]:
    """Codes of all pixels, (height, width), the greatest distance from the map, and the greatest
    code."""
    if placing.colours is None:
        pixels = pixels_of(png)
        if pixels.ndim == 3:
            return *_nearest(pixels, _grey_map(), placing), STEPS - 1
        return pixels, 0, np.iinfo(pixels.dtype).max
    indices = indices_of(png, placing.colours)
    if indices is not None:
        return indices, 0, STEPS - 1
    pixels = pixels_of(png)
    if pixels.ndim == 2:  # an editor saved it as greys
        pixels = (pixels >> 8).astype(np.uint8) if pixels.dtype == np.uint16 else pixels
        pixels = np.stack([pixels] * 3 + [np.full_like(pixels, 255)], axis=2)
    return *_nearest(pixels, placing.colours, placing), STEPS - 1


def _grey_map() -> NDArray[np.uint8]:
    return np.repeat(np.arange(STEPS, dtype=np.uint8)[:, None], 3, axis=1)


def _nearest(
    pixels: NDArray[np.uint8], colours: NDArray[np.uint8], placing: Placing
) -> tuple[NDArray[np.float32], int]:
    """Codes of the nearest colours, within the panes; and how far the furthest is."""
    packed_map, codes_of_map = _packed_map(colours)
    codes = np.zeros(pixels.shape[:2], np.float32)
    off = 0
    for left, top, width, height in placing.panes:
        for first in range(top, top + height, max(1, PIECE // width)):
            rows = slice(first, min(first + max(1, PIECE // width), top + height))
            part = pixels[rows, left : left + width]
            packed = _packed(part)
            at = np.minimum(np.searchsorted(packed_map, packed), len(packed_map) - 1)
            found = codes_of_map[at]
            other = packed_map[at] != packed
            if other.any():
                strange, where = np.unique(packed[other], return_inverse=True)
                nearest, far = _off_the_map(strange, packed_map, codes_of_map)
                found[other] = nearest[where]
                off = max(off, far)
            found[part[..., 3] == 0] = 0
            codes[rows, left : left + width] = found
    return codes, off


def _off_the_map(
    strange: NDArray[np.int64], packed_map: NDArray[np.int64], codes: NDArray[np.float32]
) -> tuple[NDArray[np.float32], int]:
    held, known = _unpacked(strange), _unpacked(packed_map)
    nearest, off = np.zeros(len(strange), np.float32), 0
    step = PIECE // STEPS
    for first in range(0, len(held), step):
        apart = held[first : first + step, None] - known[None]
        best = (apart**2).sum(axis=2).argmin(axis=1)
        nearest[first : first + step] = codes[best]
        off = max(off, int(np.abs(np.take_along_axis(apart, best[:, None, None], 1)).max()))
    return nearest, off


def _packed_map(colours: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """The different colours, rising, and the code of each: the mean where several share one."""
    packed, where = np.unique(_packed(colours), return_inverse=True)
    codes = np.bincount(where, np.arange(len(colours))) / np.bincount(where)
    return packed, codes.astype(np.float32)


def _packed(colours: NDArray[np.uint8]) -> NDArray[np.int64]:
    wide = colours.astype(np.int64)
    return wide[..., 0] << 16 | wide[..., 1] << 8 | wide[..., 2]


def _unpacked(packed: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.stack([packed >> 16, packed >> 8 & 255, packed & 255], axis=-1)


def describe(picture: OwnPicture) -> dict[str, Any]:
    """What `realtime info` tells, ready for JSON."""
    form = picture.format
    seconds = None if form.n_samples is None else form.n_samples / form.sample_rate
    return {
        "source": picture.source,
        "made_by": picture.made_by,
        "seconds": seconds,
        "format": form.to_dict(),
        "size": [picture.placing.width, picture.placing.height],
        "bits": picture.placing.bits,
        "colormap": picture.placing.colormap,
        "scale": picture.placing.scale,
        "step_db": picture.step_db,
        "columns_alone": float(picture.columns_alone.mean()),
        "rows_alone": float(picture.rows_alone.mean()),
        "colours_off": picture.off,
        "sound_bytes": None if picture.png.sound is None else picture.png.sound[1],
        "exact": picture.exact,
    }
