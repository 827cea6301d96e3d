"""Mask: hear what was drawn on the picture, or all but that."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from realtime.dsp.processors.band import box_gains, falling
from realtime.dsp.processors.base import Processor
from realtime.dsp.processors.parameters import Boxes, Choice
from realtime.dsp.processors.registry import register
from realtime.errors import RequestError

LONGEST_SECONDS = 60.0
"""Of captured sound that goes round: 12 MB a channel at 48000 Hz, copied between two frames."""

SHORTEST_SECONDS = 0.2
"""Of one round: what is shorter is followed by silence, or its repetition would hum."""

SEAM_SECONDS = 0.02
"""The end of a round fades into its beginning, which makes a round so much shorter."""

EDGE_SECONDS = 0.005
"""A box fades in before its start and out after its stop (in a hop where that is longer)."""


@register("mask")
class Mask(Processor):
    """Only what is inside the boxes is heard (`keep`), or everything else (`remove`).

    Boxes without a time are bands of what is heard now. Boxes with a time play what was captured
    from the first start to the last stop, again and again, in place of what is heard now; it is
    copied when the boxes are set, and plays on when the capture no longer holds it. Boxes that
    overlap are one, so the strokes of a brush may come as many small ones. Without boxes all is
    heard.
    Source: short-time Fourier masks, Allen 1977.
    Cost: 3 us a frame, with times 21, with 300 boxes 28 and 2 ms to set them (1024/256, mono, one
    AMD EPYC core). No latency.
    Raises RequestError for samples that are gone or not there yet.
    """

    boxes = Boxes(())
    mode = Choice("keep", ("keep", "remove"))

    _copied = np.zeros((0, 0), np.float32)
    _copied_from = 0
    """Sample, counted since the stream began, that was copied first."""
    _round = _copied
    """What goes round, (n_channels, n + n_fft): behind its n samples the first ones again."""
    _span = (0, 0)
    """Samples, counted since the stream began, that go round; (0, 0) where none do."""
    _at = 0
    """Sample of the round at which the next frame starts."""

    def prepare(self) -> None:
        frame = self.format
        self._window = frame.window.astype(np.float32)
        self._gains = _frozen(box_gains(frame, self.boxes))
        self._edge = max(frame.hop, EDGE_SECONDS * frame.sample_rate)
        timed = [(box.start, box.stop) for box in self.boxes if box.stop]
        span = (min(timed)[0], max(stop for _, stop in timed)) if timed else (0, 0)
        if span != self._span:
            self._set_span(*span)
        times = [(box.start, box.stop) if box.stop else span for box in self.boxes]
        self._starts, self._stops = np.array(times, int).reshape(-1, 2).T - span[0]

    def reset(self) -> None:
        self._at = 0

    def process(self, frames: NDArray) -> NDArray:
        if not self.boxes:
            return frames
        if not self._span[1]:
            return frames * self._heard(self._gains.max(axis=0))
        heard = np.empty_like(frames)
        for frame in heard:
            frame[:] = self._next_frame()
        return heard

    def _next_frame(self) -> NDArray:
        """Of what goes round, complex64 (n_channels, n_bins)."""
        frame = self.format
        n_round = self._round.shape[1] - frame.n_fft
        samples = self._round[:, self._at : self._at + frame.n_fft]
        middle = (self._at + frame.n_fft - len(frame.synthesis_window) // 2) % n_round
        self._at = (self._at + frame.hop) % n_round
        # A box at the seam reaches into the round before and the round after.
        instants = np.array([[middle - n_round], [middle], [middle + n_round]])
        outside = np.maximum(self._starts - instants, instants - self._stops).min(axis=0)
        weights = falling(outside / self._edge).astype(np.float32)
        near = np.flatnonzero(weights)
        inside = (weights[near, None] * self._gains[near]).max(axis=0, initial=0)
        return np.asarray(fft.rfft(samples * self._window)) * self._heard(inside)

    def _heard(self, inside: NDArray) -> NDArray:
        return inside if self.mode == "keep" else 1 - inside

    def _set_span(self, start: int, stop: int) -> None:
        """Let the samples [start, stop) go round; (0, 0) for none."""
        now = self._span[0] + self._at
        self._span = (start, stop)
        if stop:
            samples = seamless(self._samples(start, stop), self.format.sample_rate)
            # Behind its end the beginning again, so that each frame is one piece.
            wrapped = np.arange(len(samples) + self.format.n_fft) % len(samples)
            self._round = _frozen(samples.T[:, wrapped])
            self._at = now - start if 0 <= now - start < len(samples) else 0

    def _samples(self, start: int, stop: int) -> NDArray:
        """Those captured, [start, stop), of the copy where it has them. Raises RequestError."""
        first = start - self._copied_from
        if first < 0 or first + stop - start > len(self._copied):
            self._copy(start, stop)
            first = 0
        return self._copied[first : first + stop - start]

    def _copy(self, start: int, stop: int) -> None:
        seconds = (stop - start) / self.format.sample_rate
        if seconds > LONGEST_SECONDS:
            raise RequestError(
                f"mask:boxes span {seconds:.1f} s, and at most {LONGEST_SECONDS:g} s can go "
                "round; choose boxes nearer together"
            )
        self._copied = _frozen(self.captured(start, stop, asked="boxes with a time (@start-stop)"))
        self._copied_from = start


def seamless(samples: NDArray, sample_rate: int) -> NDArray:
    """A round: `samples`, float32 (n, n_channels), whose end runs on into their beginning.

    Shorter by SEAM_SECONDS, and no shorter than SHORTEST_SECONDS.
    """
    n_seam = min(int(SEAM_SECONDS * sample_rate), len(samples) // 2)
    fall = falling((np.arange(n_seam, dtype=np.float32)[:, None] + 0.5) / max(1, n_seam))
    head, body, tail = np.split(samples, [n_seam, len(samples) - n_seam])
    n_silent = int(SHORTEST_SECONDS * sample_rate) - len(samples)
    if n_silent > 0:
        silence = np.zeros((n_silent, samples.shape[1]), np.float32)
        return np.concatenate([head * (1 - fall), body, tail * fall, silence])
    return np.concatenate([head * (1 - fall) + tail * fall, body])


def _frozen(values: NDArray) -> NDArray:
    """Shared by all copies of a processor."""
    values.setflags(write=False)
    return values
