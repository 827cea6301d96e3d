"""The folder of a recorder: whose it is, how much room there is, and what has to go.

Owner: the recorder's thread, but for `mine`, which is asked before it starts.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import RealtimeError, RequestError
from realtime.recording import durable
from realtime.recording.chores import BaseChore, Chore
from realtime.recording.compress import uncompressed
from realtime.recording.own_files import LOCK, delete_recording, list_recordings, read_recording
from realtime.recording.recorder import Recorder
from realtime.recording.recovery import finish, parts
from realtime.recording.retention import Keep, MinFree, Recording, plan_room
from realtime.recording.segments import duration_text
from realtime.recording.store import undrawn
from realtime.recording.stream import Moment
from realtime.wording import shown_path

TEND_SECONDS = 10.0
"""Between two looks at the disk: at 100 MB/s a gigabyte, so --min-free had better be more."""

PACE_SECONDS = 600.0
"""Before that much has passed, the pace is what it would be without a pause."""

LEAP_SECONDS = 86_400.0
"""A clock so far ahead of the newest recording, or of itself ten seconds ago, may be wrong: one
that is 40 days ahead would have all go that --keep 30d keeps."""

HELD_SECONDS = 6 * 3600.0
"""Until such a clock is believed, for a station may have been off for months. By then NTP, which
asks at least every 34 minutes, or a GPS would have set it right; of 30 days it is little."""


@dataclass(frozen=True)
class DiskReport:
    free_bytes: int | None = None
    seconds_left: float | None = None
    """Until it is full, or the oldest has to go, at this pace."""


class Disk:
    """keep : what may stay; None for everything. drop : the oldest goes where room is short, in
    place of stopping."""

    def __init__(self, folder: Path, keep: Keep | None, least_free: MinFree, drop: bool):
        self.folder = folder
        self.report = DiskReport()
        self.full = ""
        """Why recording has to stop: a sentence."""
        self.news: list[str] = []
        """Sentences; whoever tells them empties the list."""
        self._keep, self._least_free, self._drop = keep, least_free, drop
        self._own: dict[str, Recording] | None = None
        self._refused: dict[str, Recording] = {}
        """What is to go, but the disk did not let it."""
        self._fault = ""
        self._due_ns = self._began_ns = 0
        self._utc_ns = self._believed_ns = 0

    @contextlib.contextmanager
    def mine(self) -> Iterator[None]:
        """Make sure of the folder, for this recorder alone. Raises RequestError."""
        from filelock import FileLock, Timeout

        name = f"DIR {shown_path(str(self.folder))}"
        lock = FileLock(self.folder / LOCK, timeout=0)
        try:
            self.folder.mkdir(exist_ok=True)
            with contextlib.suppress(PermissionError):  # to read what it lies in
                durable.sync_directory(self.folder.parent)
        except FileNotFoundError as fault:
            raise RequestError(f"{name} lies in no folder that is there: make it first") from fault
        except (FileExistsError, NotADirectoryError) as fault:
            raise RequestError(f"{name} is a file: name a folder") from fault
        except OSError as fault:
            raise RequestError(_refusal(name, fault)) from fault
        try:
            lock.acquire()
        except Timeout as fault:
            if not (self.folder / LOCK).exists():
                raise RequestError(_refusal(name, OSError())) from fault
            raise RequestError(
                f"{name} is being recorded into by another program: name another folder"
            ) from fault
        except OSError as fault:
            raise RequestError(_refusal(name, fault)) from fault
        try:
            yield
        finally:
            lock.release()

    def left_behind(self, after: Sequence[BaseChore]) -> list[tuple[Path, Sequence[BaseChore]]]:
        """What a crash or a power cut left to be done, for `Chores.add`. Raises OSError.

        after : what is done with each complete recording
        """
        undone = sorted({*undrawn(self.folder), *uncompressed(self.folder)})
        return [
            *((base, (finish, *after)) for base in parts(self.folder)),
            *((base, after) for base in undone),
        ]

    def tend(self, recorder: Recorder, now: Moment) -> None:
        """Every ten seconds: measure the room, delete what is too much, stop where that is not
        enough. What the disk refuses is told once."""
        if now.monotonic_ns < self._due_ns:
            return
        self._due_ns = now.monotonic_ns + int(TEND_SECONDS * 1e9)
        fault = ""
        try:
            self._tend(recorder, now)
        except OSError as error:
            fault = f"the folder cannot be looked after ({durable.reason(error)})"
        if fault and fault != self._fault:
            self.news.append(fault)
        self._fault = fault

    def _tend(self, recorder: Recorder, now: Moment) -> None:
        if self._own is None:
            found, left = list_recordings(self.folder)
            self._own = {recording.name: recording for recording in found}
            self._utc_ns = max((one.utc_end_ns for one in found), default=now.utc_ns)
            self.news += left
        usage = shutil.disk_usage(self.folder)
        report = recorder.report
        plan = plan_room(
            self._own.values(),
            now_ns=self._believed(now) if report.plausible_clock else None,
            free_bytes=usage.free,
            total_bytes=usage.total,
            bytes_per_second=self._pace(recorder, now.monotonic_ns),
            keep=self._keep,
            least_free=self._least_free,
            drop=self._drop,
        )
        self.report = DiskReport(usage.free, plan.seconds_left)
        for recording in (*self._refused.values(), *plan.delete):
            self._own.pop(recording.name, None)
            self._delete(recording)
        if plan.stop:
            self.full = plan.stop
            self.news.append(plan.stop)

    def _believed(self, now: Moment) -> int | None:
        """UTC to tell ages by; None while it may be wrong."""
        ahead = (now.utc_ns - self._utc_ns) / 1e9
        self._utc_ns = now.utc_ns
        if ahead > LEAP_SECONDS:
            self._believed_ns = now.monotonic_ns + int(HELD_SECONDS * 1e9)
            if self._keep is not None and self._keep.seconds is not None:
                self.news.append(
                    f"the clock is {duration_text(ahead // 3600 * 3600)} ahead of the newest "
                    "recording, or of itself: in case that is wrong, nothing goes for its age for "
                    f"{duration_text(HELD_SECONDS)}"
                )
        return now.utc_ns if now.monotonic_ns >= self._believed_ns else None

    def _delete(self, recording: Recording) -> None:
        name = recording.name
        try:
            delete_recording(self.folder, name)
        except RealtimeError as fault:
            self.news.append(str(fault))
        except OSError as fault:
            if name not in self._refused:
                self._refused[name] = recording
                self.news.append(
                    f"{shown_path(name)} cannot be deleted ({durable.reason(fault)}): it is tried "
                    f"again every {TEND_SECONDS:g} s"
                )
            return
        self._refused.pop(name, None)

    def _pace(self, recorder: Recorder, now_ns: int) -> float:
        """Bytes a second that go to the disk: what went there so far, or what is going to."""
        self._began_ns = self._began_ns or now_ns
        seconds = (now_ns - self._began_ns) / 1e9
        if seconds < PACE_SECONDS:
            return recorder.nominal_pace
        share = recorder.report.recorded / (seconds * recorder.sample_rate)
        return share * recorder.nominal_pace

    def note(self, base: Path) -> Chore:
        """A recording is complete: it may have to go some day. A chore, after all others."""
        name = base.relative_to(self.folder).as_posix()
        recording = read_recording(self.folder, name)
        if recording is not None and self._own is not None:
            self._own[name] = recording
        yield


def _refusal(name: str, fault: OSError) -> str:
    reason = (fault.strerror or "refused").lower()
    return f"{name} cannot be written ({reason}): choose another folder, or ask its owner"
