"""The monitor: what was captured, taken apart, changed, put together again, and played.

`Monitor.step` works on what has come since the last step. It has no thread, no sleep and no
clock, so it is tested without hardware; `Worker` is the thread that steps it in the engine's
process. Samples come by a way of their own (`captured`), not through the capture ring: the ring
holds back a block it suspects until it knows what was lost, and sound cannot wait for that.

A worker that is late drops input, counts it, and so keeps its latency.
"""

from __future__ import annotations

import collections
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from realtime.audio.fifo import SampleFifo
from realtime.audio.ring import AudioRing
from realtime.config import MonitorSettings
from realtime.dsp.duck import Duck
from realtime.dsp.howl import HowlDetector
from realtime.dsp.limiter import Limiter
from realtime.dsp.processors.base import FrameFormat
from realtime.dsp.processors.chain import Chain
from realtime.dsp.processors.registry import Effect
from realtime.dsp.stft import StreamingIstft, StreamingStft
from realtime.dsp.windows import asymmetric_windows
from realtime.engine.monitor_status import MonitorStatus
from realtime.engine.playback import Playback

LATE_SECONDS = 0.25
LATE_BLOCKS = 2
"""A backlog longer than both is given up: it could only be heard as an echo. With long blocks, one
that just came and one that is worked on are no backlog."""

HELD_SECONDS = 2.0
HELD_BLOCKS = 4
"""Room for captured samples the worker has not come to: the longer of the two."""

CHUNK_SAMPLES = 4096
"""Worked on at once: some frames share the cost of a call, and playback waits for no more."""

GAIN_SECONDS = 0.01
"""From no gain to full gain: a change of volume without a click."""

NOTICES = 20
"""Sentences kept until somebody tells them."""


@dataclass(frozen=True)
class MonitorState:
    """What the monitor is to do: swapped as a whole, between two frames."""

    settings: MonitorSettings
    effects: tuple[Effect, ...] = ()


class Monitor:
    """Owner: the thread that calls `step`. `captured` belongs to the capture callback.

    ring : the capture ring, for effects that play what was captured before
    output : ring that gets what the effects made, for the eyes
    listens : the source is a microphone, which may hear the loudspeaker
    block : samples of a capture callback
    """

    def __init__(
        self,
        ring: AudioRing,
        output: AudioRing,
        status: MonitorStatus,
        playback: Playback,
        state: MonitorState,
        listens: bool,
        block: int,
    ):
        self._ring, self._output = ring, output
        self._status, self._playback = status, playback
        self._rate, self._n_channels = ring.sample_rate, ring.n_channels
        self._late = max(int(LATE_SECONDS * self._rate), LATE_BLOCKS * block)
        held = max(int(HELD_SECONDS * self._rate), HELD_BLOCKS * block)
        self._input = SampleFifo(held, self._n_channels)
        self._next = 0
        """Index, among samples captured from now on, of the next to be worked on."""
        self._made = 0
        """The same of the next sample to be put out."""
        self._surplus = 0
        """Samples that the path still has to give for what was put out already, as silence."""
        self._first = ring.written
        self._lost = 0
        self._state = self._wanted = state
        self._limiter = Limiter(self._rate)
        self._duck = Duck(self._rate)
        self._gain = 0.0
        self._listens = listens
        self._faults = 0
        """Of the chain, so far as they are told."""
        self._stumbled = False
        self._excuse = ""
        """For the last step that went wrong."""
        self.notices: collections.deque[str] = collections.deque(maxlen=NOTICES)
        """Sentences for people, oldest first; whoever tells them takes them out."""
        self._build()

    # The capture callback's side.

    def captured(self, block: NDArray, lost: int) -> None:
        """A block, float32 (n, n_channels). lost : samples lost since the monitor began."""
        self._input.write(block)
        self._lost = lost
        self._playback.captured(self._input.written)

    # Any one thread's side.

    def change(self, state: MonitorState) -> None:
        """Do this from the next frame on. The newest wins."""
        self._wanted = state

    # The worker's side.

    def stumble(self, fault: Exception) -> None:
        """`step` raised this: what it worked on is lost, and the next one begins anew behind it."""
        self._stumbled = True
        self._status.count_faults(1)
        before, self._excuse = self._excuse, f"the monitor met an error of its own: {fault!r}"
        if self._excuse != before:
            self.notices.append(self._excuse)

    def step(self) -> bool:
        """Work on some of what has come. False when there was nothing."""
        if self._stumbled:
            self._stumbled = False
            self._build()
        if self._wanted is not self._state:
            self._follow(self._wanted)
        written = self._input.written
        if written == self._next:
            return False
        if written - self._next > self._late:
            self._status.count_dropped(written - self._next)
            self._break_off(written)
            self._begin()
        block = np.empty((min(written - self._next, CHUNK_SAMPLES), self._n_channels), np.float32)
        self._input.read_into(self._next, block)
        self._next += len(block)
        self._work(block)
        return True

    def _work(self, block: NDArray) -> None:
        if not np.isfinite(block.sum()):
            block = np.nan_to_num(block, nan=0.0, posinf=0.0, neginf=0.0)
        frames = self._stft.push(block)
        if not len(frames):
            return
        if self._listens:
            self._heed(self._howls.push(frames))
        samples = self._istft.push(self._chain.process(frames))
        left_out = min(self._surplus, len(samples))
        self._surplus -= left_out
        self._put_out(samples[left_out:])
        self._show()

    def _put_out(self, samples: NDArray) -> None:
        """To the eyes at their place on the ring's time line, to the ears with volume."""
        if not len(samples):
            return
        missing = self._first + self._lost + self._made - self._output.written
        if missing > 0:
            self._output.write_zeros(missing)
        self._output.write(samples)
        self._made += len(samples)
        self._playback.push(self._limiter.push(self._with_volume(samples)))

    def _put_silence(self, until: int) -> None:
        while self._made < until:
            n = min(until - self._made, CHUNK_SAMPLES)
            self._put_out(np.zeros((n, self._n_channels), np.float32))

    def _with_volume(self, samples: NDArray) -> NDArray:
        volume, n = self._state.settings.volume, len(samples)
        duck = self._duck.push(n)
        if self._gain == volume and duck is None:
            return samples if volume == 1.0 else samples * np.float32(volume)
        most = np.arange(1, n + 1) / (GAIN_SECONDS * self._rate)
        gains = self._gain + np.clip(volume - self._gain, -most, most)
        self._gain = float(gains[-1])
        if duck is not None:
            gains *= duck
        return samples * gains[:, None].astype(np.float32)

    def _follow(self, state: MonitorState) -> None:
        before, self._state = self._state, state
        if state.settings.frames != before.settings.frames:
            self._break_off(self._next)
            self._build()
            self._playback.resettle()
        else:
            try:
                self._chain.change(state.effects, state.settings.bypass)
            except Exception as fault:  # an effect of somebody's own may raise anything
                self.notices.append(f"the effects stay as they were: {fault}")
            self._show()

    def _build(self) -> None:
        """The path from samples to samples, from the next captured sample on."""
        state = self._state
        self._stft, self._istft = transforms(state.settings, self._n_channels)
        form = frame_format(self._stft, self._istft, self._rate, self._n_channels)
        self._faults = 0
        self._chain = Chain(form, bypass=state.settings.bypass, capture=self._ring)
        try:  # such as a captured span that is gone, where an engine begins anew
            self._chain = Chain(form, state.effects, state.settings.bypass, capture=self._ring)
        except Exception as fault:
            self.notices.append(f"the effects are left out: {fault}")
        self._howls = HowlDetector(form.frames_per_second, form.bin_hz, self._stft.window_sum)
        self._begin()
        self._show()

    def _begin(self) -> None:
        """Go on with a path that is empty."""
        begin = self._next + self._istft.skipped
        self._put_silence(begin)
        self._surplus = self._made - begin

    def _break_off(self, at: int) -> None:
        """Let what is in the overlap die away, before captured sample `at`: the next."""
        steps = -(-self._istft.latency // self._stft.hop)
        silence = np.zeros((steps, self._n_channels, self._stft.n_bins), np.complex64)
        self._put_out(self._istft.push(silence)[: max(at - self._made, 0)])
        self._next = at
        self._stft.reset()
        self._istft.reset()

    def _heed(self, howl_hz: float | None) -> None:
        if howl_hz is None:
            return
        known = self._duck.gain < 1.0
        self._duck.start()
        if known:
            return
        self._status.count_howl(howl_hz)
        self.notices.append(
            f"feedback at {howl_hz:.0f} Hz: held back for a moment; turn the output down, move "
            "the microphone away, or use headphones"
        )

    def _show(self) -> None:
        faults = self._chain.faults - self._faults
        if faults:
            self._faults = self._chain.faults
            self._status.count_faults(faults)
            self.notices.append(self._chain.fault)
        self._status.show_path(
            self._istft.latency, self._chain.latency, self._limiter.gain * self._duck.gain
        )


def transforms(settings: MonitorSettings, n_channels: int) -> tuple[StreamingStft, StreamingIstft]:
    """Both halves of the round trip."""
    window: str | NDArray = settings.window
    synthesis: NDArray | None = None
    if settings.synthesis is not None:
        window, synthesis = asymmetric_windows(settings.n_fft, settings.synthesis, settings.hop)
    n_fft, hop = settings.n_fft, settings.hop
    return (
        StreamingStft(n_fft, hop, window, n_channels=n_channels),
        StreamingIstft(n_fft, hop, window, n_channels=n_channels, synthesis_window=synthesis),
    )


def frame_format(
    stft: StreamingStft, istft: StreamingIstft, sample_rate: int, n_channels: int
) -> FrameFormat:
    """The frames that effects between the two work on."""
    return FrameFormat(
        sample_rate, stft.n_fft, stft.hop, n_channels, stft.window, istft.synthesis_window
    )
