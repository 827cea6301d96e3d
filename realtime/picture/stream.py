"""Samples in, values of a picture's rows out, in pieces of any size."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.bands import band_filters
from realtime.dsp.cqt import StreamingCqt
from realtime.dsp.mel import MelBands
from realtime.dsp.scales import SCALES, SLANEY
from realtime.dsp.spectra import CentredStft, magnitudes
from realtime.picture.format import PictureFormat


class PictureStream:
    """Samples in, values out: what a picture's rows hold before they become dB.

    picture : says which rows; its ref, dB, n_samples and n_columns play no part
    """

    def __init__(self, picture: PictureFormat):
        self._power = picture.power
        banded = picture.kind not in ("stft", "cqt")
        self._bands = MelBands(filters(picture)) if banded else None
        self._stream: CentredStft | StreamingCqt
        if picture.bins_per_octave is not None:
            self._stream = StreamingCqt(
                picture.sample_rate,
                picture.hop,
                picture.fmin,
                picture.n_rows,
                picture.bins_per_octave,
                n_channels=picture.n_channels,
            )
        else:
            self._stream = CentredStft(
                picture.n_fft,
                picture.hop,
                picture.window,
                center=picture.center,
                n_channels=picture.n_channels,
            )
        self.piece = self._stream.piece
        """Samples that are best pushed at a time."""

    def push(self, samples: NDArray[np.floating]) -> NDArray[np.float32]:
        """samples : float (n, n_channels), any n.

        Returns float32 (n_frames, n_channels, n_rows), magnitudes to the picture's power, or
        their sums over bands: the frames completed. Raises RequestError as `stft` does.
        """
        return self._values(self._stream.push(samples))

    def finish(self) -> NDArray[np.float32]:
        """The last frames; afterwards as new."""
        return self._values(self._stream.finish())

    def _values(self, frames: NDArray[np.complexfloating]) -> NDArray[np.float32]:
        values = magnitudes(frames, self._power)
        return values if self._bands is None else self._bands.energies(values)


def filters(picture: PictureFormat) -> NDArray[np.float32]:
    """The bands of a mel, Bark or ERB picture, (n_rows, n_bins)."""
    mel = SCALES["mel"] if picture.htk else SLANEY
    return band_filters(
        mel if picture.kind == "mel" else SCALES[picture.kind],
        picture.sample_rate,
        picture.n_fft,
        picture.n_rows,
        f_low=picture.fmin,
        f_high=min(picture.fmax, picture.sample_rate / 2),
        equal_area=picture.norm is not None,
    )
