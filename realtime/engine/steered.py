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

import sys

import numpy as np
import samplerate
from numpy.typing import NDArray

from realtime.audio.fifo import SampleFifo
from realtime.dsp.clock import HISTORY, WINDOW_SECONDS, DeviceClock, Line, steer

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

    def __init__(self, n_channels: int, sample_rate: int, out_rate: int, delay: float):
        self._sample_rate = sample_rate
        self.delay = delay
        """Samples of the capture, as above. The worker's."""
        self._nominal = nominal = out_rate / sample_rate
        self._fifo = SampleFifo(int(ROOM_SECONDS * out_rate + delay * nominal), n_channels)
        # The capture callback's.
        self._capture = DeviceClock(sample_rate)
        self._underflows_seen = 0
        # The worker's.
        self._resampler = samplerate.Resampler(CONVERTER, n_channels)
        self.ratio = nominal
        """Device samples for one captured sample."""
        self._pushed = 0
        self.position = 0.0
        """On the time line, of the next sample that the resampler gives."""
        self._broken = True
        """What is pushed next does not follow what was written."""
        self._moved = True
        """The delay was given, not found."""
        self._anchor = (0, 0.0)
        """(slot, position): where that delay began. What is known of the clocks tells better and
        better what it truly was, and that is kept."""
        self._joined: int | None = None
        self._timetable = (0, sys.maxsize)
        """(shift, first): slot s of the device plays sample s + shift of the fifo, from sample
        `first` on. What lies before that does not belong to this shift."""
        self.latency = 0.0
        """Samples of the capture between the newest captured and the one played."""
        # The output callback's.
        self._output = DeviceClock(out_rate)
        self._asked = 0
        self._memory = HISTORY * WINDOW_SECONDS * out_rate
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
    def asked(self) -> int:
        """Samples filled so far."""
        return self._asked

    @property
    def steady(self) -> bool:
        """Whether what was filled last ended with sound, outside of any fade."""
        return self._sounding and self._faded >= len(self._rise)

    @property
    def lines(self) -> tuple[Line, Line] | None:
        """The clocks of capture and output; None until both are known."""
        capture, output = self._capture.line, self._output.line
        return None if capture is None or output is None else (capture, output)

    def behind(self, slot: int, position: float) -> float:
        """Samples between the newest captured and the one played, where `slot` of the device plays
        the sample at `position` of the time line. `lines` are known."""
        capture, output = self._capture.line, self._output.line
        assert capture is not None and output is not None
        return capture.count_at(output.seconds_at(slot)) - position

    @property
    def opened(self) -> int:
        """Slot that passed when what is known of both clocks began. `lines` are known."""
        capture, output = self._capture.line, self._output.line
        assert capture is not None and output is not None
        return round(output.count_at(max(capture.opened, output.opened)))

    def remembers(self, slot: int) -> bool:
        """Whether what is known of both clocks covers the time of this slot. `lines` are known."""
        return self.opened <= slot and self._asked - slot < self._memory

    def skip(self, n: int) -> None:
        """From the worker: the next `n` samples of the time line go another way."""
        self._pushed += n
        self._broken = True

    def retime(self, delay: float) -> None:
        """From the worker: another delay, from the next push on."""
        self.delay, self._moved = delay, True

    def join(self, slot: int, shift: int, delay: float) -> None:
        """From the worker: go on, with the next push, where a playback at the same rate fills its
        slot s with sample s + shift, and bring latency to what it was at `slot`: `delay`."""
        self.delay, self._anchor, self._joined = delay, (slot, slot + shift), shift

    def _push(self, piece: NDArray[np.float32]) -> None:
        begin = self._pushed
        self._pushed += len(piece)
        capture, output = self._capture.line, self._output.line
        if capture is None or output is None:
            return
        if self._broken:
            self._resampler.reset()
            self.position = float(begin)
        placed = self._broken or self._moved
        error = 0.0 if placed else self._error(capture)
        if self._joined is not None:
            self._begin_at(begin - self._joined)
        elif placed or must_jump(error, self._silent):
            slot = round(output.count_at(capture.seconds_at(self.position + self.delay)))
            if self._moved:
                self._anchor = (slot, self.position)
            self._begin_at(slot)
            error = 0.0
        seconds = len(piece) / self._sample_rate
        ratio = self.ratio = steer(self.ratio, error, output.rate / capture.rate, seconds)
        self.latency = self.delay + error * self._sample_rate
        self._resampler.set_ratio(ratio)
        resampled = self._resampler.process(piece, ratio)
        self.position += len(resampled) / ratio
        waiting = self._fifo.written - (self._asked + self._timetable[0])
        self._broken = waiting + len(resampled) > self._fifo.capacity
        if not self._broken:
            self._fifo.write(resampled)

    @property
    def _silent(self) -> bool:
        """Nothing is heard, nor about to be."""
        shift, first = self._timetable
        return not self._sounding and self._asked + shift >= first

    def _begin_at(self, slot: int) -> None:
        """What is written next belongs in this slot."""
        self._timetable = (self._fifo.written - slot, self._fifo.written)
        self._moved, self._joined = False, None

    def _error(self, capture: Line) -> float:
        """Seconds by which latency is too long for the next sample that is written."""
        slot, position = self._anchor
        if self.remembers(slot):
            self.delay = self.behind(slot, position)
        behind = self.behind(self._fifo.written - self._timetable[0], self.position)
        return (behind - self.delay) / capture.rate

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
