"""Mel: what is heard of so many mel bands, which is what most speech models know of a sound."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.mel import MelBands, mel_filters
from realtime.dsp.processors.magnitude import Magnitude
from realtime.dsp.processors.parameters import Number
from realtime.dsp.processors.registry import register


@register("mel")
class Mel(Magnitude):
    """The power in mel bands is all that is kept; bins and phases are found again from it.

    128 bands keep speech; music loses its lines to noise.
    """

    bands = Number(128, 8, 512, whole=True, logarithmic=True)

    def prepare(self) -> None:
        super().prepare()
        frame = self.format
        self._bands = MelBands(mel_filters(frame.sample_rate, frame.n_fft, int(self.bands)))

    def magnitudes(self, frames: NDArray) -> NDArray:
        power = np.square(frames.real) + np.square(frames.imag)
        return np.sqrt(self._bands.power(self._bands.energies(power)))
