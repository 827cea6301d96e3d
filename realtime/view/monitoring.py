"""The monitor as its display sees it: what it plays, how late, and how it is told to change."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from realtime.audio.portaudio import USUAL_RATE
from realtime.config import Effect, Settings
from realtime.dsp.levels import LevelMeter
from realtime.dsp.processors.base import Capture, FrameFormat
from realtime.dsp.stft import StreamingIstft
from realtime.dsp.windows import asymmetric_windows, window
from realtime.engine.monitor import MonitorState
from realtime.engine.monitor_status import Playing
from realtime.engine.process import EngineProcess
from realtime.errors import Overrun, RequestError, SettingsError
from realtime.view.signals import Signals

LONGEST_METERED_SECONDS = 1.0
"""What a display that stood still does not meter afterwards."""

STATES = {
    Playing.WAITING: "waiting for the playback device",
    Playing.SETTLING: "settling",
    Playing.SOUND: "playing",
}


@dataclass(frozen=True)
class MonitorReadout:
    """Milliseconds add up to the whole way from microphone to loudspeaker; `device_ms` is what
    the devices say of themselves."""

    output_device: str
    algorithmic_ms: float
    effects_ms: float
    transport_ms: float
    device_ms: float
    underflows: int
    missing_samples: int
    dropped_samples: int
    limited_db: float
    """Gain of limiter and feedback guard now, 0 or below."""
    state: str

    @property
    def latency_ms(self) -> float:
        """From the capture callback to the playback callback; the devices add their own."""
        return self.algorithmic_ms + self.effects_ms + self.transport_ms


class Monitoring:
    """Belongs to the model."""

    def __init__(self, engine: EngineProcess):
        self._engine = engine
        self.meter = LevelMeter(engine.ring.n_channels, engine.ring.sample_rate)
        """Of what is played, volume and mute included."""
        self._metered = engine.output.written

    def signals(self, settings: Settings) -> Signals:
        """What is to be analysed."""
        engine = self._engine
        return Signals(
            engine.ring,
            engine.output,
            settings.monitor.show,
            lambda: engine.monitor_status.read().effects,
        )

    def check(self, settings: Settings, before: Settings) -> None:
        """Raise `SettingsError` for what cannot be played."""
        if settings.monitor.output != before.monitor.output:
            raise SettingsError(
                ["monitor.output holds from the start to the end of a run: give it when starting"]
            )
        if settings.effect != before.effect or settings.monitor != before.monitor:
            new = [effect for effect in settings.effect if effect not in before.effect]
            names = ("n_fft", "hop", "window", "synthesis")
            if any(getattr(settings.monitor, n) != getattr(before.monitor, n) for n in names):
                new = list(settings.effect)
            ring = self._engine.ring
            check_effects(new, settings, ring.sample_rate, ring.n_channels, ring)

    def play(self, settings: Settings) -> None:
        self._engine.change(state_of(settings))

    def update_meter(self, settings: Settings) -> None:
        output = self._engine.output
        written = output.written
        longest = int(LONGEST_METERED_SECONDS * output.sample_rate)
        try:
            block = output.read(max(self._metered, written - longest), written)
        except Overrun:
            block = np.zeros((0, output.n_channels), np.float32)
        self._metered = written
        if len(block):
            monitor = settings.monitor
            volume = 0.0 if monitor.mute else 10 ** (monitor.gain / 20)
            self.meter.push(np.clip(block * np.float32(volume), -1, 1))

    @property
    def readout(self) -> MonitorReadout:
        snapshot, rate = self._engine.monitor_status.read(), self._engine.ring.sample_rate
        return MonitorReadout(
            output_device=self._engine.info.output,
            algorithmic_ms=1000 * snapshot.algorithmic / rate,
            effects_ms=1000 * snapshot.effects / rate,
            transport_ms=1000 * snapshot.transport / rate,
            device_ms=1000 * snapshot.device / rate,
            underflows=snapshot.underflows,
            missing_samples=snapshot.missing,
            dropped_samples=snapshot.dropped,
            limited_db=20 * math.log10(max(snapshot.gain, 1e-6)),
            state=STATES[snapshot.state],
        )


def frame_format(settings: Settings, sample_rate: int, n_channels: int) -> FrameFormat:
    """The frames that the effects of `settings` work on."""
    monitor = settings.monitor
    if monitor.synthesis is None:
        analysis = window(monitor.window, monitor.n_fft)
        synthesis = StreamingIstft(monitor.n_fft, monitor.hop, analysis).synthesis_window
    else:
        analysis, synthesis = asymmetric_windows(monitor.n_fft, monitor.synthesis, monitor.hop)
    return FrameFormat(sample_rate, monitor.n_fft, monitor.hop, n_channels, analysis, synthesis)


def state_of(settings: Settings) -> MonitorState:
    """What the engine is to play."""
    return MonitorState(settings.monitor, settings.effect)


def check_effects(
    effects: list[Effect],
    settings: Settings,
    sample_rate: int = USUAL_RATE,
    n_channels: int = 1,
    capture: Capture | None = None,
) -> None:
    """Raise `SettingsError` naming each effect that does not suit the frames, or asks `capture`
    for sound that is gone."""
    faults: list[str] = []
    for effect in effects:
        try:
            effect.create(frame_format(settings, sample_rate, n_channels), capture)
        except (RequestError, Overrun) as error:
            faults.append(str(error))
    if faults:
        raise SettingsError(faults)


def pane_names(signals: tuple[str, ...], n_channels: int, n_panes: int) -> list[str]:
    """One name for each pane: the signal, and where there are several channels, which."""
    if n_panes == len(signals):
        return list(signals)
    channels = ["left", "right"] if n_channels == 2 else [str(n + 1) for n in range(n_channels)]
    return [f"{signal} {channel}" for signal in signals for channel in channels]
