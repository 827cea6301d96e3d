"""The last minutes of what is being watched, saved after the fact."""

from __future__ import annotations

import threading
from pathlib import Path

from realtime.audio.ring import AudioRing
from realtime.engine.status import Status
from realtime.errors import RealtimeError
from realtime.recording import durable
from realtime.recording.plan import Plan
from realtime.recording.recorder import Recorder
from realtime.recording.segments import Segmentation
from realtime.recording.stream import Moment, Stream
from realtime.recording.watch import Watch
from realtime.wording import shown_path

LAST_SECONDS = 300.0
"""Saved where nobody says how much, as far as the ring goes back."""


class Excerpt:
    """Writes in a thread of its own, so that the picture goes on. Owner: who made it.

    The file is one as `realtime record` makes them, with its sidecar.
    """

    def __init__(
        self,
        folder: Path,
        stream: Stream,
        ring: AudioRing,
        status: Status,
        seconds: float = LAST_SECONDS,
    ):
        self._folder, self._seconds = folder, seconds
        self._recorder = Recorder(
            Plan(folder, Segmentation(None)),
            stream,
            ring,
            status,
            Watch((), ring.sample_rate, ring.n_channels),
        )
        self._told: str | None = None
        self._thread = threading.Thread(target=self._save, name="excerpt", daemon=True)
        self._thread.start()

    @property
    def told(self) -> str | None:
        """What became of it, a sentence; None while it is being written."""
        return self._told

    def wait(self) -> None:
        """Until it is written."""
        self._thread.join()

    def _save(self) -> None:
        path, trouble, now = None, "no sound has come yet", Moment.now()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._recorder.step(now)
            path = self._recorder.save_last(self._seconds, now)
        except OSError as fault:
            trouble = durable.reason(fault)
        except RealtimeError as fault:
            trouble = str(fault)
        while self._recorder.chores.step(now.monotonic_ns):
            pass  # a part that the disk let down
        if path is None:
            folder = shown_path(str(self._folder))
            self._told = f"nothing could be saved in {folder}: {trouble}"
        else:
            self._told = f"the last minutes are saved as {path}"
