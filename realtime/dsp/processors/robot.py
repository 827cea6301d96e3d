"""Robot: every phase zero, so that all that sounds is a train of pulses."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.processors.base import Processor
from realtime.dsp.processors.parameters import Number
from realtime.dsp.processors.registry import register


@register("robot")
class Robot(Processor):
    """Speech on one constant pitch, and as loud as it was; its peaks are higher.

    Each frame becomes a pulse with the frame's spectrum: all its phases are zero at the instant
    of the pulse. The pulses come at `pitch`, each from the frame that has it nearest its middle;
    at a pitch of sample_rate / hop that is one in each frame.
    Source: Arfib, Keiler & Zölzer 2002 (robotization).
    Cost: 18 us a frame, 52 at a pitch of 1000 Hz (1024/256, mono, one AMD EPYC core). No latency.
    """

    pitch = Number(110, 20, 1000, "Hz", logarithmic=True)

    def prepare(self) -> None:
        frame = self.format
        self._spacing = frame.sample_rate / self.pitch
        # A pulse for each `spacing` samples, each with the energy that a frame's samples have.
        self._level = np.sqrt(self._spacing / np.sum(np.square(frame.window)))
        self._turn = -2j * np.pi / frame.n_fft * np.arange(frame.n_bins)

    def reset(self) -> None:
        self._next = 0.0
        """Samples from the middle hop of the next frame to the next pulse."""

    def process(self, frames: NDArray) -> NDArray:
        heard = np.abs(frames).astype(np.complex64)
        for frame in heard:
            frame *= self._pulses()
        return heard

    def _pulses(self) -> NDArray:
        """Spectrum of the pulses in the middle hop of the next frame, complex64 (n_bins,)."""
        frame = self.format
        since = np.arange(self._next, frame.hop, self._spacing)
        self._next += len(since) * self._spacing - frame.hop
        synthesis = frame.synthesis_window
        since += (len(synthesis) - frame.hop) / 2  # now from the start of the synthesis window
        faded = np.interp(since, np.arange(len(synthesis)), synthesis)
        phasors = np.exp(np.outer(frame.n_fft - len(synthesis) + since, self._turn))
        return ((self._level / faded) @ phasors).astype(np.complex64)
