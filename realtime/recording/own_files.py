"""The recordings of a folder that are the recorder's own, and how one is deleted.

A recording is its own only if the sidecar says so, and names plain files beside itself that begin
with its own name and are as large as they were. All else in the folder stays: foreign files, links
and what lies behind them, what still grows, what somebody has changed since.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from realtime.errors import RealtimeError
from realtime.recording import durable, sidecar
from realtime.recording.retention import Recording
from realtime.wording import shown_path

GROWING = ".part"
"""Marks what still grows."""

LOCK = ".realtime.lock"
"""Lies in each folder that is recorded into, and stays there."""

STORE = ".zarr"
"""Ends the name of a folder that is one of the files of a recording."""

_STORES = (STORE, durable.temporary(Path(STORE)).name)


def list_recordings(folder: Path) -> tuple[list[Recording], list[str]]:
    """The recorder's own in `folder` and below it; and a sentence about each that seems to be but
    is left alone. Links are not followed. Raises OSError where `folder` cannot be read."""
    own: list[Recording] = []
    left = [
        f"{shown_path(path.parent.relative_to(folder).as_posix())} is a DIR that was recorded into "
        "by itself: it is left alone"
        for path in files_below(folder)
        if path.name == LOCK and path.parent != folder
    ]
    for base in bases_below(folder):
        try:
            recording = read_recording(folder, base.relative_to(folder).as_posix())
        except RealtimeError as error:
            left.append(str(error))
        except OSError as fault:
            name = shown_path(f"{base.relative_to(folder).as_posix()}.json")
            left.append(f"{name} cannot be read ({fault.strerror}): it is left alone")
        else:
            own += [recording] if recording else []
    return own, left


def bases_below(folder: Path) -> Iterator[Path]:
    """Paths without suffix of all that has a sidecar, ours or not, and no longer grows. Raises
    OSError where `folder` cannot be read."""
    for path in files_below(folder):
        if path.name.endswith(".json") and not path.name.endswith(f"{GROWING}.json"):
            yield path.with_name(path.name.removesuffix(".json"))


def sidecars_below(folder: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Paths without suffix of what no longer grows, and what the sidecars say; one that cannot be
    read is passed over. Raises OSError where `folder` cannot be read."""
    for base in bases_below(folder):
        try:
            values = sidecar.read(base.with_name(f"{base.name}.json"))
        except OSError:
            continue
        if values is not None:
            yield base, values


def files_below(folder: Path) -> Iterator[Path]:
    """All plain files in `folder` and below it, but those of stores, which are many; of a folder
    that is another recorder's, its lock alone. Links are not followed, and pipes not opened. Raises
    OSError where `folder` cannot be read."""
    os.scandir(folder).close()
    for inner, folders, files in os.walk(folder):
        if LOCK in files and Path(inner) != folder:
            folders[:], files[:] = [], [LOCK]
        folders[:] = [name for name in folders if not name.endswith(_STORES)]
        yield from (path for name in files if _is_file(path := Path(inner, name)))


def read_recording(folder: Path, name: str) -> Recording | None:
    """The recording `name` of `folder`; None where no sidecar of ours is there.

    Raises: RealtimeError, saying why, where one is but the recording is not as it was left.
    """
    found = _files_of(folder, name)
    return found[0] if found else None


def delete_recording(folder: Path, name: str) -> int:
    """Delete what `list_recordings` found, looked at anew; returns the bytes that are free now.

    Sub-folders that are empty then go with it. Raises: RealtimeError, saying why, where the
    recording was left alone; OSError where the disk refuses.
    """
    found = _files_of(folder, name)
    if found is None:
        raise RealtimeError(f"{shown_path(name)} is no recording of ours: it is left alone")
    recording, paths = found
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    with contextlib.suppress(OSError):  # not empty
        for parent in paths[-1].relative_to(folder).parents[:-1]:
            (folder / parent).rmdir()
    return recording.n_bytes


def _files_of(folder: Path, name: str) -> tuple[Recording, list[Path]] | None:
    """A recording and its files in the order in which they are to go: the sidecar last, so that
    what could not be deleted is still known as ours."""
    base = folder / name
    note = base.with_name(f"{base.name}.json")
    if not _is_plain_below(folder, name) or not _is_file(note):
        return None
    values = sidecar.read(note)
    if values is None:
        return None
    try:
        sizes = _listed(values, base.name)
        start, end = sidecar.utc_ns(values["utc_start"]), sidecar.utc_ns(values["utc_end"])
    except (KeyError, TypeError, ValueError):
        raise RealtimeError(
            f"{shown_path(f'{name}.json')} does not say as ours do what belongs to it: "
            "it is left alone"
        ) from None
    present: list[Path] = []
    n_bytes = os.lstat(note).st_size
    for at, (file, size) in enumerate(sizes.items()):
        path = base.with_name(file)
        there = _size(path)
        if there is None and at > 0 and not os.path.lexists(path):
            continue  # a side file that somebody took away
        if there != size:
            is_now = "is gone" if not os.path.lexists(path) else "was changed"
            raise RealtimeError(
                f"{shown_path(path.relative_to(folder).as_posix())} {is_now} since it was "
                "recorded: it is left alone, with all beside it"
            )
        present.append(path)
        n_bytes += size
    return Recording(name, start, end, n_bytes), [*present[::-1], note]


def _listed(values: Mapping[str, Any], name: str) -> dict[str, int]:
    """Files and their sizes, the sound first. Raises KeyError, TypeError or ValueError where they
    are not plain files that bear the recording's name."""
    sizes: dict[str, int] = {}
    for file in values["files"]:
        suffix = str.removeprefix(file, name)  # TypeError where it is no text
        size = values["bytes"][file]
        if (
            not re.fullmatch(r"\.[A-Za-z0-9][A-Za-z0-9.-]*", suffix)
            or file != name + suffix
            or suffix.startswith((f"{GROWING}.", ".json"))
            or type(size) is not int
        ):
            raise ValueError(file)
        sizes[file] = size
    if not sizes:
        raise ValueError("no files")
    return sizes


def _is_plain_below(folder: Path, name: str) -> bool:
    """Whether no part of `name` leads out of `folder`, be it by `..` or by a link."""
    parts = name.split("/")
    if not all(parts) or any(part in (".", "..") for part in parts):
        return False
    parents = [folder.joinpath(*parts[: n + 1]) for n in range(len(parts) - 1)]
    return all(parent.is_dir() and not parent.is_symlink() for parent in parents)


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(os.lstat(path).st_mode)
    except OSError:
        return False


def _size(path: Path) -> int | None:
    """Bytes of a plain file, or of all in a store; None for anything else."""
    if _is_file(path):
        return os.lstat(path).st_size
    if not path.name.endswith(STORE) or path.is_symlink() or not path.is_dir():
        return None
    size = 0
    for inner, folders, files in os.walk(path):
        for each in (*files, *folders):
            whole = Path(inner) / each
            if _is_file(whole):
                size += os.lstat(whole).st_size
            elif whole.is_symlink() or not whole.is_dir():
                return None
    return size
