"""Playback on a device with a clock of its own: resampled so that latency stays where it is.

Three threads, and each attribute has one that writes it: the capture callback (`captured`), the
worker (`push`) and the output callback (`fill`). Callbacks copy and count, never wait, and the
output is always filled.

The worker writes a ring in order. The output callback reads it where its count of samples,
plus a shift that the worker sets, points to. So a slot of the device passes at its time, with
sound or without: what comes late is never heard, and latency stays. Both callbacks tell their
device's clock; from the two follows which sample of the time line belongs in the next slot, and
the resampling ratio is steered, very slowly, to put it there. Where it is far off, the shift
jumps. Every seam fades.
"""

from __future__ import annotations

import math
import sys

import numpy as np
import samplerate
from numpy.typing import NDArray

from realtime.audio.fifo import SampleFifo
from realtime.dsp.clock import DelayLockedLoop, Line, Steering, steer

CONVERTER = "sinc_medium"
"""131 dB at half a percent of a core a stream; `sinc_fastest` (104 dB) costs half of that."""

LOOK_AHEAD = 51
"""Samples the resampler's filter looks ahead, at the lower of the two rates."""

PIECE = 512
"""Samples resampled with one ratio: 11 ms, so that a jump comes soon."""

ROOM_SECONDS = 2.0
"""Sound waiting for a device that does not fetch it, before more is dropped."""

FADE_SECONDS = 0.005
"""Into silence and out of it: shorter clicks."""

JUMP_SECONDS = 0.05
"""Latency further off jumps to its place: steering would take half a minute."""

SILENT_JUMP_SECONDS = 0.002
"""In silence a jump is not heard, and steering would only lengthen the silence."""


def must_jump(error: float, silent: bool) -> bool:
    """Whether a latency that is `error` seconds off is put right at once."""
    return abs(error) > (SILENT_JUMP_SECONDS if silent else JUMP_SECONDS)


class SteeredPlayback:
    """Plays on another device than the one captured from.

    n_channels : of what is pushed and of what is filled
    sample_rate : of the capture, Hz
    out_rate : of the output device, Hz
    delay : samples of the capture between the newest captured and the one played: algorithmic
        delay, and a reserve for what is missing at worst when a block is fetched (a hop, a block
        of each device, how late callbacks and worker are, and the resampler's LOOK_AHEAD)
    """

    def __init__(self, n_channels: int, sample_rate: int, out_rate: int, delay: int):
        self._sample_rate, self._delay = sample_rate, delay
        self._nominal = nominal = out_rate / sample_rate
        self._fifo = SampleFifo(int(ROOM_SECONDS * out_rate + delay * nominal), n_channels)
        # The capture callback's.
        self._capture = DelayLockedLoop(sample_rate)
        self._underflows_seen = 0
        # The worker's.
        self._resampler = samplerate.Resampler(CONVERTER, n_channels)
        self._steering = Steering(nominal, nominal, 0.0)
        self._pushed = 0
        self.position = 0.0
        """On the time line, of the next sample that the resampler gives."""
        self._broken = True
        """What is pushed next does not follow what was written."""
        self._moved = False
        self._timetable = (0, sys.maxsize)
        """(shift, first): slot s of the device plays sample s + shift of the fifo, from sample
        `first` on. What lies before that does not belong to this shift."""
        self.latency = 0.0
        """Samples of the capture between the newest captured and the one played."""
        # The output callback's.
        self._output = DelayLockedLoop(out_rate)
        self._asked = 0
        self._shift = 0
        self._sounding = False
        self._begun = False
        up = np.arange(1, int(FADE_SECONDS * out_rate) + 1, dtype=np.float32)
        self._rise = (up / len(up))[:, None]
        self._faded = len(up)
        self._tail = np.zeros(n_channels, np.float32)
        self._newest = np.zeros(n_channels, np.float32)
        self.underflows = 0
        """Times that sound broke off."""
        self.missing = 0
        """Samples of silence played since the first sound."""

    @property
    def ratio(self) -> float:
        """Device samples for one captured sample."""
        return self._steering.ratio

    def captured(self, index: int, now_ns: int) -> None:
        """From the capture callback: `index` samples of the time line were captured by now.

        The time line is the one of `push`: sample 0 is the first that is pushed.
        """
        if self._underflows_seen != self.underflows:
            self._underflows_seen = self.underflows
            self._capture.reopen()  # perhaps samples were lost that nobody counted
        self._capture.update(index, now_ns / 1e9)

    def push(self, samples: NDArray[np.float32]) -> None:
        """From the worker: the next samples of the time line, float32 (n, n_channels)."""
        for begin in range(0, len(samples), PIECE):
            self._push(samples[begin : begin + PIECE])

    @property
    def sounding(self) -> bool:
        """Whether what was filled last ended with sound."""
        return self._sounding

    @property
    def asked(self) -> int:
        """Samples filled so far."""
        return self._asked

    @property
    def clocks(self) -> tuple[float, float] | None:
        """How much faster the capture's clock runs than the device's, as a part of it, and the
        standard deviation of that; None until both are known."""
        capture, output = self._capture.line, self._output.line
        if capture is None or output is None:
            return None
        drift = capture.rate / output.rate * self._nominal - 1
        return drift, math.hypot(capture.rate_error, output.rate_error)

    def behind(self, shift: int) -> float:
        """Samples between the newest captured and the one played, for a playback at the same
        rate that fills its slot s with sample s + shift."""
        capture, output = self._capture.line, self._output.line
        assert capture is not None and output is not None
        return capture.count_at(output.seconds) - output.count - shift

    def skip(self, n: int) -> None:
        """From the worker: the next `n` samples of the time line go another way."""
        self._pushed += n
        self._broken = True

    def retime(self, delay: int) -> None:
        """From the worker: another delay, from the next push on."""
        self._delay, self._moved = delay, True

    def _push(self, piece: NDArray[np.float32]) -> None:
        begin = self._pushed
        self._pushed += len(piece)
        capture, output = self._capture.line, self._output.line
        if capture is None or output is None:
            return
        if self._broken:
            self._resampler.reset()
            self.position = float(begin)
        error = 0.0 if self._broken else self._error(capture, output)
        if self._broken or self._moved or must_jump(error, not self._sounding):
            due = output.count_at(capture.seconds_at(self.position + self._delay))
            self._timetable = (self._fifo.written - round(due), self._fifo.written)
            self._moved, error = False, 0.0
        seconds = len(piece) / self._sample_rate
        doubt = max(capture.rate_error, output.rate_error)
        self._steering = steer(self._steering, error, output.rate / capture.rate, doubt, seconds)
        self.latency = self._delay + error * self._sample_rate
        ratio = self._steering.ratio
        self._resampler.set_ratio(ratio)
        resampled = self._resampler.process(piece, ratio)
        self.position += len(resampled) / ratio
        waiting = self._fifo.written - (self._asked + self._timetable[0])
        self._broken = waiting + len(resampled) > self._fifo.capacity
        if not self._broken:
            self._fifo.write(resampled)

    def _error(self, capture: Line, output: Line) -> float:
        """Seconds by which latency is too long for the next sample that is written."""
        played = output.seconds_at(self._fifo.written - self._timetable[0])
        return (capture.count_at(played) - self._delay - self.position) / capture.rate

    def fill(self, out: NDArray[np.float32], now_ns: int) -> None:
        """From the output callback: the next samples to be played, float32 (n, n_channels)."""
        self._output.update(self._asked, now_ns / 1e9)
        shift, first = self._timetable
        start, n = self._asked + shift, len(out)
        begin = min(max(first - start, 0), n)
        end = min(max(self._fifo.written - start, begin), n)
        self._silence(out[:begin])
        self._sound(out[begin:end], start + begin, shift)
        self._silence(out[end:])
        self._asked += n

    def _sound(self, out: NDArray[np.float32], start: int, shift: int) -> None:
        if not len(out):
            return
        self._fifo.read_into(start, out)
        self._fade(out, not self._sounding or shift != self._shift)
        self._sounding = self._begun = True
        self._shift = shift

    def _silence(self, out: NDArray[np.float32]) -> None:
        if not len(out):
            return
        out[:] = 0.0
        self._fade(out, self._sounding)
        if self._sounding:
            self.underflows += 1
            self._output.reopen()
        self._sounding = False
        self.missing += len(out) if self._begun else 0

    def _fade(self, out: NDArray[np.float32], seam: bool) -> None:
        """From the sample before a seam, held, to what comes after it."""
        if seam:
            self._tail[:] = self._newest
            self._faded = 0
        rise = self._rise[self._faded : self._faded + len(out)]
        faded = out[: len(rise)]
        faded -= self._tail
        faded *= rise
        faded += self._tail
        self._faded += len(rise)
        self._newest[:] = out[-1]
