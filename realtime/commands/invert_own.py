"""Pictures that `realtime render` drew, edited or not, with their sound or without, as sound."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from realtime.errors import RequestError
from realtime.wording import shown_path

if TYPE_CHECKING:
    from realtime.picture.own import OwnPicture

LEAST_STEP_DB = 0.1
"""Values that differ by less are the same, in a picture of 16 bits too: the quietest of a sound are
computed no nearer."""

MOST_EDITED = 1 << 26
"""Values of a picture that are edited at once, some 4 GB."""

UNCHANGED = 0.75
"""Of a step: rounding makes half of one."""

LEAST = np.float32(1e-30)
"""Keeps the logarithm of 0 finite."""

INT16 = 32768.0


def own_picture(path: str, like: str | None, *, required: bool) -> OwnPicture | None:
    """A picture of ours, with the sound that it or `like` keeps; None where it says nothing.

    required : refuse one that says nothing, with what to do about it
    Raises SourceError where it is damaged.
    """
    from realtime.picture.own import read_own
    from realtime.picture.png import is_png, read_png

    if (like is None and not required) and (
        not is_png(path) or read_png(path, pixels=False).text is None
    ):
        return None
    own = read_own(path, like)
    if like is not None and own.png.sound is None:
        own = replace(own, png=read_png(like, pixels=False))
    return own


def original_of(own: OwnPicture, path: str | None) -> tuple[NDArray, str] | None:
    """The sound behind a picture, int16 or float32 (n_samples, n_channels), and where it is from:
    "original", the file at `path`, or "kept"; None where there is none."""
    from realtime.picture.own import kept_sound

    if path is None:
        kept = kept_sound(own)
        return None if kept is None else (kept[0], "kept")
    from realtime.picture.load import load

    picture = own.format
    sound = load(path, picture.sample_rate, mono=picture.n_channels == 1, partial=True)
    if sound.samples.shape != (picture.n_samples, picture.n_channels):
        raise RequestError(
            f"--original {shown_path(path)} has {len(sound.samples)} x {sound.n_channels} samples "
            f"at {picture.sample_rate} Hz, the sound of the picture {picture.n_samples} x "
            f"{picture.n_channels}: name the file it was made of"
            + (f" ({own.source})" if own.source else "")
        )
    whole = sound.samples * np.float32(INT16)
    held = whole.min(initial=0) >= -INT16 and whole.max(initial=0) < INT16
    if held and (whole == np.rint(whole)).all():
        return whole.astype(np.int16), "original"
    return sound.samples, "original"


def edited_sound(own: OwnPicture, original: NDArray, done: Any) -> NDArray:
    """The sound of a picture that may have been painted over: the original itself where it was
    not, else float32, for what is left of an erased sound is less than 16 bits can say.

    Where several values share a pixel, all become so much louder or quieter as it did.
    """
    from realtime.picture.edited import edited

    picture = own.format
    before = _decibels(own, original)
    db, drawn = _now_and_drawn(own, before)
    changed = np.abs(db - drawn) > UNCHANGED * own.step_db
    if not changed.any():
        return original
    if before.size > MOST_EDITED:
        raise RequestError(
            f"an edit of {before.shape[1]} frames of {picture.n_rows} rows does not fit into "
            f"memory ({before.size / MOST_EDITED:.1f} times): edit pictures of shorter parts"
        )
    columns = slice(None) if picture.n_columns is None else _column_of(own)
    db, drawn, changed = (each[:, columns] for each in (db, drawn, changed))
    before = np.clip(before, picture.db_low, picture.db_high)
    louder = np.clip(before + db - drawn, picture.db_low, picture.db_high)
    erased = db <= picture.db_low + own.step_db / 2
    db = np.where(changed, np.where(erased, np.float32(picture.db_low), louder), before)
    if original.dtype.kind == "i":
        original = (original / INT16).astype(np.float32)
    whole = replace(picture, n_columns=None)
    return edited(db, whole, original, step_db=max(own.step_db, LEAST_STEP_DB), progress=done)


def _decibels(own: OwnPicture, original: NDArray) -> NDArray[np.float32]:
    """Of the original, (n_channels, n_frames, n_rows), also beyond the range of the picture."""
    from realtime.picture.stream import PictureStream

    picture, full = own.format, INT16 if original.dtype.kind == "i" else 1.0
    stream = PictureStream(picture)
    pieces = [original[k : k + stream.piece] for k in range(0, len(original), stream.piece)]
    values = [stream.push((piece / full).astype(np.float32)) for piece in pieces]
    db = np.concatenate([*values, stream.finish()]).swapaxes(0, 1)
    ref = np.float32(1.0 if picture.ref is None else picture.ref)
    np.log10(np.maximum(db / ref, LEAST), out=db)
    db *= np.float32(20 / picture.power)
    return db


def _now_and_drawn(
    own: OwnPicture, before: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """What the picture shows of each value and what it showed when it was drawn, (n_channels,
    n_columns, n_rows); of a row out of sight, what it does of the nearest."""
    from realtime.picture.reduce import Reducer

    n_frames, n_columns = before.shape[1], own.db.shape[1]
    columns, rows = own.placing.columns(n_columns), own.placing.rows(own.format)
    (at, _), (up, _) = columns.pixels(), rows.pixels()
    seen = np.flatnonzero(up >= 0)
    places = np.interp(np.arange(len(up)), seen, np.arange(len(seen)))
    nearest = seen[np.rint(places).astype(np.intp)]
    best: NDArray[np.float32] | None = None
    now = own.db[:, :, nearest]
    for way in ("peak",) if own.format.n_columns is None else ("peak", "mean"):
        values = before
        if n_columns < n_frames:
            power = 10 ** (before.swapaxes(0, 1) * np.float32(own.format.power / 20))
            reduced = Reducer(n_frames, n_columns, way).push(power)
            values = np.log10(reduced.swapaxes(0, 1)) * np.float32(20 / own.format.power)
        values = np.clip(values, own.format.db_low, own.format.db_high)
        drawn = rows.of(columns.of(values, axis=1), axis=2)[:, at][:, :, up[nearest]]
        if best is None or _apart(now, drawn, own) < _apart(now, best, own):
            best = drawn
    assert best is not None
    return now, best


def _apart(now: NDArray, drawn: NDArray, own: OwnPicture) -> int:
    return int(np.count_nonzero(np.abs(now - drawn) > UNCHANGED * own.step_db))


def _column_of(own: OwnPicture) -> NDArray[np.intp]:
    """The column of each frame, (n_frames,)."""
    from realtime.picture.reduce import column_edges

    edges = column_edges(own.format.n_frames or 0, own.format.n_columns or 0)
    return np.repeat(np.arange(len(edges) - 1), np.diff(edges))
