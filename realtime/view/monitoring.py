"""The monitor as its display sees it: what it plays, how late, and how it is told to change."""

from __future__ import annotations

import math
from dataclasses import dataclass

from realtime.audio.metering import RingMeter
from realtime.audio.portaudio import USUAL_RATE
from realtime.config import Effect, Settings
from realtime.dsp.processors.base import Capture
from realtime.engine.monitor import MonitorState, frame_format, transforms
from realtime.engine.monitor_status import Playing
from realtime.engine.process import EngineProcess
from realtime.errors import Overrun, RequestError, SettingsError
from realtime.view.signals import Signals

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
        self.meter = RingMeter(engine.output)
        """Of what is played, volume and mute included."""

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
            if settings.monitor.frames != before.monitor.frames:
                new = list(settings.effect)
            ring = self._engine.ring
            check_effects(new, settings, ring.sample_rate, ring.n_channels, ring)

    def play(self, settings: Settings) -> None:
        self._engine.change(state_of(settings))

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
    form = frame_format(*transforms(settings.monitor, n_channels), sample_rate, n_channels)
    for effect in effects:
        try:
            effect.create(form, capture)
        except (RequestError, Overrun) as error:
            faults.append(str(error))
    if faults:
        raise SettingsError(faults)


def pane_names(signals: tuple[str, ...], n_channels: int, n_panes: int) -> list[str]:
    """One name for each pane: the signal ("" in a run that plays nothing), and where there are
    several channels, which: "Difference left", "Channel 3"."""
    names = list(signals)
    if n_panes != len(signals):
        numbered = [f"channel {n + 1}" for n in range(n_channels)]
        channels = ["left", "right"] if n_channels == 2 else numbered
        names = [f"{signal} {channel}".strip() for signal in signals for channel in channels]
    return [name[:1].upper() + name[1:] for name in names]
