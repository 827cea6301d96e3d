"""A monitor without a loudspeaker: what goes out is what came in, and what is told is kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from windows import opened

from realtime.audio.ring import AudioRing
from realtime.audio.sources import parse_source
from realtime.config import Settings, load
from realtime.engine.monitor import MonitorState
from realtime.engine.monitor_status import MonitorStatus, Playing
from realtime.engine.process import EngineProcess
from realtime.view.main_window import MainWindow


class SilentMonitor(EngineProcess):
    """`told` : every state it was asked to play like."""

    def __init__(self, source: str, settings: Settings):
        super().__init__(parse_source(source), settings.audio)
        self.told: list[MonitorState] = []
        self.shown = MonitorStatus.create()
        self.shown.show_path(768, 0, 1.0)
        self.shown.show_playback(Playing.SOUND, 1000, 0)

    @property
    def monitors(self) -> bool:
        return True

    @property
    def output(self) -> AudioRing:
        return self.ring

    @property
    def monitor_status(self) -> MonitorStatus:
        return self.shown

    def change(self, state: MonitorState) -> None:
        self.told.append(state)

    def stop(self) -> None:
        super().stop()
        self.shown.close()


@contextmanager
def open_monitor(source: str, flags: Mapping[str, Any]) -> Iterator[MainWindow]:
    """A window of `realtime monitor`. flags : settings by their keys."""
    settings = load(flags={"audio.ring_seconds": 60.0, **flags})
    with opened(SilentMonitor(source, settings), settings) as window:
        yield window
