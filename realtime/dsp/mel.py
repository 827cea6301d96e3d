"""Mel bands of a power spectrum, and the spectrum that best explains the energies in bands.

Pure functions of numpy, and one class that holds the bands as sparse matrices (a bin lies in two
bands at most). Frames are time-major; librosa's are transposed.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_array

from realtime.dsp.bands import band_filters
from realtime.dsp.scales import SCALES, SLANEY

KL_STEPS = 5
"""Multiplicative steps: fifteen more bring the spectrum of 128 bands 1 dB nearer."""

TINY = 1e-30
"""Keeps 0 / 0 from being anything but 0; energies that small are silence."""


def mel_filters(
    sample_rate: float,
    n_fft: int,
    n_bands: int = 128,
    *,
    f_low: float = 0.0,
    f_high: float | None = None,
    htk: bool = False,
    equal_area: bool = True,
) -> NDArray[np.float32]:
    """Triangles evenly spaced in mel, each from the centre of the one below to that of the one
    above.

    f_low, f_high : Hz; the highest is half the sample rate where None
    htk : O'Shaughnessy's mel as in HTK, in place of Slaney's
    equal_area : triangles of area 1 Hz (Slaney), or of height 1
    Returns float32 (n_bands, n_fft // 2 + 1), equal to `librosa.filters.mel`.
    Raises RequestError for numbers that do not fit.
    """
    scale = SCALES["mel"] if htk else SLANEY
    return band_filters(
        scale, sample_rate, n_fft, n_bands, f_low=f_low, f_high=f_high, equal_area=equal_area
    )


class MelBands:
    """Power to energies in bands, and back; of any scale.

    filters : float (n_bands, n_bins), not negative, as from `mel_filters`
    """

    def __init__(self, filters: ArrayLike):
        dense = np.asarray(filters, np.float32)
        self._sums, self._spread = csr_array(dense), csr_array(dense.T)
        self._areas = dense.sum(axis=1)[:, None] + np.float32(TINY)
        self._covers = dense.sum(axis=0)[:, None] + np.float32(TINY)

    def energies(self, power: ArrayLike) -> NDArray[np.float32]:
        """power : float (..., n_bins). Returns float32 (..., n_bands)."""
        return _over_last(lambda columns: self._sums @ columns, power)

    def mean(self, values: ArrayLike) -> NDArray[np.float32]:
        """The mean of the bands around each bin, weighted as they weigh it; 0 in no band.

        values : float (..., n_bands). Returns float32 (..., n_bins).
        """
        return _over_last(lambda columns: (self._spread @ columns) / self._covers, values)

    def power(self, energies: ArrayLike) -> NDArray[np.float32]:
        """The power that explains `energies`, by multiplicative Kullback-Leibler steps from the
        mean of the bands around each bin. Bins in no band are 0.

        energies : float (..., n_bands), not negative
        Returns float32 (..., n_bins), not negative.
        Source: Lee & Seung 2001.
        """
        return _over_last(self._explained, energies)

    def _explained(self, energies: NDArray) -> NDArray:
        power = (self._spread @ (energies / self._areas)) / self._covers
        for _ in range(KL_STEPS):
            missing = energies / (self._sums @ power + np.float32(TINY))
            power *= (self._spread @ missing) / self._covers
        return power


def _over_last(apply, values: ArrayLike) -> NDArray[np.float32]:
    """`apply` takes and gives columns, which sparse matrices multiply; we hold rows."""
    rows = np.asarray(values, np.float32)
    columns = np.ascontiguousarray(rows.reshape(-1, rows.shape[-1]).T)
    applied = np.ascontiguousarray(apply(columns).T)
    return applied.reshape(*rows.shape[:-1], applied.shape[-1])
