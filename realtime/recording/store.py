"""Columns beside the audio: `NAME.zarr`, a Zarr v3 store, and `NAME.png`, a picture of it.

Made as a chore of the complete recording, WAV or FLAC: what can be made again need not survive a
crash. Both grow under temporary names and get their own when they are whole and on the disk, the
store first; then the sidecar lists them. xarray opens the store as dBFS:

    db         (channel, time, frequency), uint8; dBFS = code * scale_factor + add_offset
    time       UTC of the middle of each frame
    sample     the same as a sample index of the stream, a multiple of hop
    seconds    the same since the recording's first sample; below 0 where the frame began before it
    frequency  Hz
    channel    from 0

Which columns a store holds, and why stores of recordings that touch go together without a seam,
says `columns`. It costs 50 MB beyond recording (scipy.fft 20, zarr 17, and a chunk), and an hour of
mono in columns of 1024/480 some 5 s of a core.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from realtime.errors import MissingDependency, RecordingError
from realtime.recording import durable, sidecar
from realtime.recording.columns import (
    Complete,
    Grid,
    coded_columns,
    read_complete,
    samples_before,
)
from realtime.recording.overview import Overview
from realtime.recording.own_files import STORE, sidecars_below
from realtime.recording.segment import beside
from realtime.recording.zarr_writer import FORMAT, StoreWriter
from realtime.wording import shown_path

if TYPE_CHECKING:
    from realtime.config import StftSettings

PICTURE = ".png"

LIBRARIES = ("zarr.storage", "scipy.fft", "PIL.PngImagePlugin", "cmap")


def load_libraries() -> None:
    """Import what columns are made with: 0.3 s and 40 MB, which the recorder had better spend
    before it records. Raises MissingDependency."""
    try:
        for name in LIBRARIES:
            import_module(name)
    except ImportError as error:
        raise MissingDependency(
            "record.spectrogram needs the library zarr: install it with "
            "pip install 'realtime-spectrogram[record]', or leave --spectrogram out"
        ) from error


def spectrogram(base: Path, *, stft: StftSettings, folder: Path | None = None) -> Iterator[None]:
    """Make `NAME.zarr` and `NAME.png` of a complete recording, and list them in its sidecar.

    base : path of the recording without suffix
    folder : where, or below which, the recording before it lies; None for its own folder
    A chore: see `chores`. Raises RecordingError, MissingDependency and OSError; then nothing was
    made. A recording shorter than a frame gets neither, nor one that somebody took away.
    """
    recording = read_complete(base)
    if recording is None or recording.sound is None or _are_listed(recording):
        return
    store, picture = beside(base, STORE), beside(base, PICTURE)
    if _were_finished(recording):
        _list_them(base)
        return
    load_libraries()
    before = samples_before(recording, stft.n_fft - 1, base.parent if folder is None else folder)
    grid = Grid(stft.n_fft, stft.hop_samples)
    columns = grid.ending_in(recording.start, recording.stop, recording.start - len(before))
    if not columns:
        return
    yield
    growing, drawn = durable.temporary(store), durable.temporary(picture)
    _remove(growing)
    try:
        writer = StoreWriter(growing, recording, stft, columns)
        overview = Overview(recording.n_channels, len(columns), writer.n_bins)
        for codes in coded_columns(recording, before, stft, columns):
            writer.append(codes)
            overview.append(codes)
            yield
        yield from writer.finish()
        overview.save(drawn, writer.says)
        yield
        if beside(base, ".json").exists():  # else it was deleted meanwhile
            durable.replace(growing, store)
            durable.replace(drawn, picture)
            _list_them(base)
    finally:
        _remove_made(growing, drawn)


def undrawn(folder: Path) -> list[Path]:
    """Recordings below `folder` that were to get columns and have none. Raises OSError."""
    found = []
    for base, values in sidecars_below(folder):
        if not isinstance(settings := values.get("settings"), dict):
            continue
        wanted = values.get("complete") is True and settings.get("record.spectrogram") is True
        files = values.get("files")
        if wanted and isinstance(files, list) and beside(base, STORE).name not in files:
            found.append(base)
    return sorted(found)


def _are_listed(recording: Complete) -> bool:
    return beside(recording.base, STORE).name in recording.files


def _were_finished(recording: Complete) -> bool:
    """Whether both are there already, which a crash may have kept from being listed. A store
    without a picture goes back to its temporary name, to be made again.

    Raises RecordingError where what bears their names is none of ours, and OSError.
    """
    store, picture = beside(recording.base, STORE), beside(recording.base, PICTURE)
    ours = _is_of(store, recording)
    for path in (store, picture):
        if os.path.lexists(path) and not ours:
            raise RecordingError(
                f"{shown_path(str(path))} is there already and is none of ours, so no columns are "
                "made: move it away"
            )
    if ours and not os.path.lexists(picture):
        _remove(durable.temporary(store))
        os.replace(store, durable.temporary(store))
        return False
    return ours


def _is_of(store: Path, recording: Complete) -> bool:
    """Whether `store` holds columns of this recording. Raises OSError."""
    about = store / "zarr.json"
    if store.is_symlink() or not about.is_file():
        return False
    with about.open("rb") as file:
        raw = file.read(sidecar.LARGEST)
    try:
        says = json.loads(raw)["attributes"]
        known = (says["format"], says["stream"], says["start"], says["stop"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return False
    return known == (FORMAT, recording.stream, recording.start, recording.stop)


def _list_them(base: Path) -> None:
    """Name both in the sidecar, with their sizes. Raises OSError."""
    note = beside(base, ".json")
    values = sidecar.read(note)
    assert values is not None  # it was read before
    store, picture = beside(base, STORE), beside(base, PICTURE)
    in_store = (Path(inner, name) for inner, _, files in os.walk(store) for name in files)
    sizes = {
        store.name: sum(path.stat().st_size for path in in_store),
        picture.name: picture.stat().st_size,
    }
    files = [name for name in values["files"] if name not in sizes]
    values |= {"files": [*files, *sizes], "bytes": values["bytes"] | sizes}
    durable.write_text(note, sidecar.text_of(values))


def _remove_made(*paths: Path) -> None:
    """Take back what is there, as far as the disk lets it."""
    for path in paths:
        with contextlib.suppress(OSError):
            _remove(path)


def _remove(path: Path) -> None:
    """Whatever it is, if it is. Raises OSError."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
