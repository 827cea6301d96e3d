"""The engine's voice: the monitor, its worker, and the loudspeaker, which may come and go.

Input and picture go on whatever happens to the playback device. Where capture and playback run
on one clock, the source's own stream plays (`fill`); otherwise a `Speaker` has a stream of its
own. Belongs to the engine's loop, but for `captured`, which the capture callback calls.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from realtime.audio.devices import Device, find_microphone, find_speaker
from realtime.audio.ring import AudioRing
from realtime.audio.sources import SourceSpec
from realtime.audio.speaker import Speaker, share_clock
from realtime.config import AudioSettings
from realtime.engine.monitor import Monitor, MonitorState
from realtime.engine.monitor_status import MonitorStatus, Playing
from realtime.engine.playback import DirectPlayback, Playback
from realtime.engine.two_clocks import TwoClockPlayback
from realtime.engine.worker import Worker
from realtime.errors import DeviceError, MissingDependency

RETRY_SECONDS = 0.5
"""Before each attempt to open a playback device that is gone. PortAudio was seen to hang in one
just after it had started a microphone."""

TOGETHER_ATTEMPTS = 5
"""Of an engine to come back, within which a playback device that comes with the microphone does:
some 3 s. Then it goes on without one."""


@dataclass(frozen=True)
class Plan:
    """How a monitor plays: found out before anything is opened."""

    device: Device | None
    """None where it is no more, and everything else goes on."""
    duplex: bool
    """The source's own stream plays."""
    block: int
    waits: bool = False
    """For a device that cannot be opened, while everything else goes on."""
    note: str = ""
    """For people."""

    @classmethod
    def of(cls, spec: SourceSpec, audio: AudioSettings, output: str, attempt: int = 0) -> Plan:
        """attempt : to come back, after it has played; a device that is gone ends nothing else
        then. 0 at the first start.

        Raises `DeviceError`, `MissingDependency`.
        """
        try:
            device = find_speaker(output)
        except DeviceError as fault:
            if attempt < TOGETHER_ATTEMPTS:
                raise
            # PortAudio would not see it come back while it listens to another.
            note = f"{fault}. Everything else goes on; start anew to play again"
            return cls(None, False, audio.block, note=note)
        duplex = spec.kind == "mic" and share_clock(find_microphone(spec.argument), device)
        return cls(device, duplex, audio.block, waits=attempt > 0)


class Voice:
    """`start`, then `step` again and again, then `stop`."""

    def __init__(
        self,
        plan: Plan,
        ring: AudioRing,
        output: AudioRing,
        status: MonitorStatus,
        state: MonitorState,
        listens: bool,
    ):
        self._plan, self._status, self._rate = plan, status, ring.sample_rate
        self._speaker: Speaker | None = None
        rate, n_channels = ring.sample_rate, ring.n_channels
        if plan.duplex or plan.device is None:
            self._playback: Playback = DirectPlayback(n_channels, rate, plan.block, status)
        else:
            self._speaker = Speaker(plan.device, rate, n_channels, plan.block, plan.waits)
            self._playback = TwoClockPlayback(
                n_channels, rate, self._speaker.sample_rate, plan.block, status
            )
        self._monitor = Monitor(ring, output, status, self._playback, state, listens, plan.block)
        self._worker = Worker(self._monitor, status)
        if plan.note:
            self._monitor.notices.append(plan.note)
        if plan.device is None:
            status.show_playback(Playing.WAITING, 0, 0)
        self._gone: str | None = None
        self._retry_ns = 0

    @property
    def duplex(self) -> bool:
        """`fill` is to be called by the source."""
        return self._plan.duplex

    @property
    def notices(self) -> list[str]:
        """Sentences that nobody was told yet."""
        waiting = self._monitor.notices
        return [waiting.popleft() for _ in range(len(waiting))]

    def start(self) -> None:
        """Raises `DeviceError` where the playback device cannot be opened, and not waited for."""
        if self._speaker is not None:
            try:
                self._speaker.start(self.fill, self._on_end)
            except DeviceError as fault:
                if not self._plan.waits:
                    raise
                self._gone = f"{fault}."
        self._worker.start()

    def captured(self, block: np.ndarray, lost: int) -> None:
        self._monitor.captured(block, lost)
        self._worker.wake()

    def fill(self, out: np.ndarray) -> None:
        """The playback callback's: always fills, and no exception leaves it."""
        try:
            self._playback.fill(out)
        except Exception:
            out[:] = 0
            self._status.count_missing(len(out), 1)

    def change(self, state: MonitorState) -> None:
        self._monitor.change(state)
        self._worker.wake()

    def step(self, now_ns: int, told_latency: float) -> None:
        """Look after the loudspeaker. told_latency : seconds, of the capture stream."""
        if self._speaker is None:
            self._status.show_device(round(told_latency * self._rate))
            return
        seconds = told_latency + self._speaker.latency_seconds
        self._status.show_device(round(seconds * self._rate))
        if self._gone is None:
            return
        if self._gone:
            self._monitor.notices.append(f"{self._gone} Everything else goes on; trying again")
            self._gone = ""
            self._status.show_playback(Playing.WAITING, 0, 0)
            self._retry_ns = now_ns + round(RETRY_SECONDS * 1e9)
        if now_ns >= self._retry_ns:
            self._retry_ns = now_ns + round(RETRY_SECONDS * 1e9)
            self._come_back()

    def _on_end(self, reason: str | None) -> None:
        self._gone = reason or ""

    def _come_back(self) -> None:
        assert self._speaker is not None
        self._speaker.stop()
        self._playback.resettle()
        try:
            self._speaker.start(self.fill, self._on_end)
        except (DeviceError, MissingDependency):
            return
        self._gone = None
        self._monitor.notices.append(f"'{self._speaker.name}' plays again")

    def stop(self) -> None:
        """Safe twice and from any state."""
        if self._speaker is not None:
            self._speaker.stop()
        self._worker.stop()
