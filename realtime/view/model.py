"""What is shown, without a screen: settings, columns, meters, messages, and where one looks.

The model holds the truth and announces changes; window and terminal only listen. It is owned by
the display's thread, which calls `tick` once a frame. Nothing in here waits.
"""

from __future__ import annotations

import collections
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from realtime import config
from realtime.audio.metering import RingMeter
from realtime.audio.ring import AudioRing
from realtime.config import Settings
from realtime.dsp.levels import LevelMeter
from realtime.engine.process import EngineProcess, Event
from realtime.engine.status import State
from realtime.errors import SettingsError
from realtime.recording.excerpt import Excerpt
from realtime.recording.stream import Stream
from realtime.view.analysis import Analysis
from realtime.view.columns import Columns
from realtime.view.history import ColumnHistory
from realtime.view.monitoring import Monitoring, MonitorReadout, pane_names
from realtime.view.notices import Notices
from realtime.view.signals import Signals

TAKEN_SHARE = 0.45
"""Of a frame: samples are taken in by as many. Frames closer than that are much the same, and
each taking costs more than the columns themselves;"""

TAKEN_SECONDS = 0.04
"""but never less often than this, three frames of a screen: the picture is as much later."""

LOOK_AROUND_NS = 90_000_000
"""Engine, meters and messages are looked after at this interval, with the next samples taken in:
that costs half as much as alone, and makes it ten times a second, as often as meters are painted.
"""

AVERAGE = 0.05
"""Weight of the newest value in the smoothed readings (a third of a second at 60 per second)."""

Changed = Callable[[frozenset[str]], None]


@dataclass(frozen=True)
class Readout:
    """The status line. `latency_ms`: from the delivery of the newest sample in the picture."""

    device: str
    sample_rate: int
    n_channels: int
    latency_ms: float
    fps: float
    lost_samples: int
    skipped_columns: int
    state: State
    message: str
    monitor: MonitorReadout | None = None


class LiveModel:
    """`changed`: callables given the set of what changed: settings keys, "histories", "view",
    "message"."""

    def __init__(self, settings: Settings, engine: EngineProcess, note: str = ""):
        self._engine = engine
        self.settings = settings
        self.info = engine.info
        self.sample_rate = self.info.sample_rate
        self.n_channels = self.info.n_channels
        self._notices = Notices(note)
        self.changed: list[Changed] = []
        self._check_frequencies(settings)
        ring = engine.ring
        self._monitoring = Monitoring(engine) if engine.monitors else None
        self._heard = self._signals()
        self._columns = Columns(self._heard, ring, settings, self._announce)
        self._input_meter = RingMeter(ring)
        self._excerpt: Excerpt | None = None
        self._message = ""
        self._latency = 0.0
        self._interval = 0.0
        self._last_tick_ns = self._look_around_ns = 0
        self.latencies_ms: collections.deque[float] = collections.deque(maxlen=4096)
        """One for each tick that drew something new: for `doctor` and the benchmarks."""

    def _signals(self) -> AudioRing | Signals:
        """What is analysed: the capture, and in a monitor what became of it."""
        if self._monitoring is None:
            return self._engine.ring
        return self._monitoring.signals(self.settings)

    # What is looked at.

    @property
    def shown(self) -> Analysis:
        """The columns on screen: live, or a span of the past analysed again."""
        return self._columns.shown

    @property
    def histories(self) -> list[ColumnHistory]:
        return self.shown.histories

    @property
    def pane_names(self) -> list[str]:
        """How the panes are told apart; one alone needs no name."""
        shown = self.shown
        return pane_names(shown.signals, self.n_channels, len(shown.histories))

    @property
    def column_seconds(self) -> float:
        return self.shown.column_samples / self.sample_rate

    @property
    def columns_per_span(self) -> float:
        return self.settings.display.span / self.column_seconds

    @property
    def f_high(self) -> float:
        """Hz at the upper edge: as set, at most half the sample rate."""
        half = self.sample_rate / 2
        return min(self.settings.display.f_high or half, half)

    def right_sample(self, now_ns: int) -> float:
        """The instant at the right edge, as a fractional sample index."""
        epoch_ns = self._engine.status.epoch_ns  # 0 before the first block
        return self._columns.right_sample(now_ns - epoch_ns if epoch_ns else None)

    def right_edge(self, now_ns: int) -> float:
        """The column, fractional, at the right edge of the picture."""
        return self.shown.column_at(self.right_sample(now_ns))

    @property
    def paused(self) -> bool:
        return self._columns.paused

    def pause(self, on: bool = True) -> None:
        """Hold the picture still; capture goes on."""
        self._columns.pause(on)

    def scroll(self, seconds: float) -> None:
        """Look further back (negative) or forward; past the newest column it is live again."""
        self._columns.scroll(seconds * self.sample_rate)

    # Settings.

    def change(self, changes: Mapping[str, Any]) -> None:
        """New settings, checked as a whole. Raises `SettingsError` and changes nothing."""
        settings = config.change(self.settings, changes)
        if settings.audio != self.settings.audio:
            raise SettingsError(
                ["audio.* holds from the start to the end of a run: give it when starting"]
            )
        self._check_frequencies(settings)
        if self._monitoring is not None:
            self._monitoring.check(settings, self.settings)
        before, self.settings = self.settings, settings
        was = config.values_of(before)
        keys = {key for key, value in config.values_of(settings).items() if was[key] != value}
        if not keys:
            return
        if self._monitoring is not None:
            if (settings.monitor, settings.effect) != (before.monitor, before.effect):
                self._monitoring.play(settings)
            if settings.monitor.show != before.monitor.show:
                self._heard = self._signals()
        self._columns.change(settings, self._heard)
        self._announce(*keys)

    def _check_frequencies(self, settings: Settings) -> None:
        half = self.sample_rate / 2
        if settings.display.f_low >= half:
            raise SettingsError(
                [
                    f"display.f_low = {settings.display.f_low:g} must be below {half:g} Hz, half "
                    f"the sample rate (try {half / 100:g})"
                ]
            )

    # Once a frame.

    def tick(self, now_ns: int) -> None:
        """Look after the engine, take in what the ring has, refresh the readings."""
        live = self._columns.live
        enough = min(TAKEN_SHARE * live.stft.n_fft, TAKEN_SECONDS * self.sample_rate)
        taking = live.waiting >= enough or self._engine.ended
        if now_ns >= self._look_around_ns + (0 if taking else LOOK_AROUND_NS):
            self._look_around_ns = now_ns + LOOK_AROUND_NS
            self._look_around(now_ns)
        if taking and self._columns.pull_live():
            self._measure(now_ns)
        self._columns.pull_pending()
        if self._last_tick_ns:
            interval = (now_ns - self._last_tick_ns) / 1e9
            self._interval += AVERAGE * (interval - self._interval) if self._interval else interval
        self._last_tick_ns = now_ns

    def settle(self) -> None:
        """Complete the visible span, for a picture that is kept; see `Columns.settle`."""
        self._columns.settle()

    def _look_around(self, now_ns: int) -> None:
        """What nobody sees sixty times a second, and what would cost as much as the columns."""
        for event in self._engine.poll(now_ns):
            self._notices.heed(event, now_ns)
        if self._excerpt is not None and self._excerpt.told is not None:
            self._notices.heed(Event("notice", self._excerpt.told), now_ns)
            self._excerpt = None
        self._columns.look_for_span()
        self._input_meter.update()
        if self._monitoring is not None:
            self._monitoring.meter.update(self.settings.monitor.volume)
        self._update_message(now_ns)

    def _measure(self, now_ns: int) -> None:
        delivered_ns = self._columns.live.newest * 1e9 / self.sample_rate
        # Until the epoch has settled, in the first moments, the difference may be below zero.
        latency = max(0.0, (now_ns - self._engine.status.epoch_ns - delivered_ns) / 1e6)
        self.latencies_ms.append(latency)
        self._latency += AVERAGE * (latency - self._latency) if self._latency else latency

    @property
    def meter(self) -> LevelMeter:
        """Of what is captured."""
        return self._input_meter.levels

    def update_hold(self, now_ns: int) -> None:
        """Bring the peak hold of the spectrum up to date, for who is about to draw it."""
        self._columns.hold.update(self.histories, now_ns)

    def reset_hold(self) -> None:
        self._columns.reset_hold()

    def reset_clip(self) -> None:
        self.meter.reset_clip()
        if self._monitoring is not None:
            self._monitoring.meter.levels.reset_clip()

    # The monitor.

    @property
    def monitors(self) -> bool:
        """Whether this run plays what it hears."""
        return self._monitoring is not None

    @property
    def output_meter(self) -> LevelMeter:
        assert self._monitoring is not None, "this run plays nothing"
        return self._monitoring.meter.levels

    def save_sound(self, folder: Path) -> None:
        """Write the last minutes of what was captured; a message tells what became of it."""
        if self._excerpt is None:
            stream = Stream(self.info.name, self._engine.source, self.sample_rate, self.n_channels)
            self._excerpt = Excerpt(folder, stream, self._engine.ring, self._engine.status)

    def panic(self) -> None:
        """Silence, at once; effects are left out until they are asked for again."""
        self.change({"monitor.mute": True, "monitor.bypass": True})

    # What people are told.

    def _update_message(self, now_ns: int) -> None:
        message = self._notices.message(self._engine, self.meter.zero_run, now_ns)
        if message != self._message:
            self._message = message
            self._announce("message")

    @property
    def readout(self) -> Readout:
        return Readout(
            device=self.info.name,
            sample_rate=self.sample_rate,
            n_channels=self.n_channels,
            latency_ms=self._latency,
            fps=1 / self._interval if self._interval else 0.0,
            lost_samples=self._engine.status.read().lost,
            skipped_columns=self._columns.skipped,
            state=self._engine.state,
            message=self._message,
            monitor=self._monitoring.readout if self._monitoring is not None else None,
        )

    @property
    def ended(self) -> bool:
        """The source (a file) has come to its end, and all of it is in the picture."""
        return self._engine.ended

    def _announce(self, *keys: str) -> None:
        for listener in self.changed:
            listener(frozenset(keys))

    def close(self) -> None:
        """Stop the engine. Safe twice."""
        if self._excerpt is not None:
            self._excerpt.wait()
        self._engine.stop()
