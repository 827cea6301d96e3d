"""Window functions, all periodic (DFT-even): what overlap-add and a spectrum need.

Written out here because importing `scipy.signal` takes half a second; the tests hold them against
`scipy.signal.get_window`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from realtime.errors import RequestError

# Cosine terms a0 - a1 cos(x) + a2 cos(2x) - ...; Harris (1978), flat-top D'Antona & Ferrero (2006).
_COSINE_TERMS = {
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.5, 0.08),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}

KAISER_BETA = 14.0
"""Side lobes below -105 dB, under the floor of 16-bit sound (Kaiser & Schafer 1980)."""

GAUSSIAN_SIGMA = 1 / 8
"""Of the window length: at its ends the window is -70 dB, and no step shows in a picture."""

WINDOWS = ("hann", "hamming", "blackman", "blackmanharris", "kaiser", "gaussian", "flattop")
"""Names `window` knows."""

LEAST_OVERLAP_SUM = 1e-4
"""Of its mean: where the overlapped windows sum to less, the inverse would amplify the rounding
error of float32 to an audible level."""


def window(name: str, n_fft: int, dtype: DTypeLike = np.float32) -> NDArray[np.floating]:
    """A periodic window, (n_fft,), peak 1 at n_fft / 2.

    Raises `RequestError` for an unknown name or an `n_fft` below 2.
    """
    if n_fft < 2:
        raise RequestError(f"n_fft = {n_fft} must be at least 2 samples (try 2048)")
    n = np.arange(n_fft)
    if name in _COSINE_TERMS:
        angle = 2 * np.pi * n / n_fft
        values = sum((-1) ** k * a * np.cos(k * angle) for k, a in enumerate(_COSINE_TERMS[name]))
    elif name == "kaiser":
        values = np.kaiser(n_fft + 1, KAISER_BETA)[:-1]
    elif name == "gaussian":
        values = np.exp(-0.5 * ((n - n_fft / 2) / (GAUSSIAN_SIGMA * n_fft)) ** 2)
    else:
        raise RequestError(f"window = {name!r} is unknown: choose one of {', '.join(WINDOWS)}")
    return np.asarray(values, dtype)


def dual_window(
    analysis: ArrayLike, hop: int, synthesis: ArrayLike | None = None
) -> NDArray[np.float64]:
    """The synthesis window whose overlap-add undoes `analysis` exactly, float64 (n_fft,).

    analysis : (n_fft,)
    hop : samples between frames
    synthesis : (n_fft,), the shape wanted; None means that of `analysis` (the canonical dual,
        Griffin & Lim 1984)

    Raises `RequestError` where some sample is hardly covered, so that there is no inverse.
    """
    a = np.asarray(analysis, np.float64)
    s = a if synthesis is None else np.asarray(synthesis, np.float64)
    if s.shape != a.shape or a.ndim != 1:
        raise RequestError(
            f"the synthesis window has shape {s.shape} and must have that of the analysis window, "
            f"{a.shape}: pad the shorter one with zeros at its start"
        )
    if not 1 <= hop <= len(a):
        raise RequestError(
            f"hop = {hop} must be from 1 to n_fft = {len(a)}, or samples between the frames are "
            f"lost (try {max(1, len(a) // 4)})"
        )
    segments = -(-len(a) // hop)
    product = np.zeros(segments * hop)
    product[: len(a)] = a * s
    overlap = product.reshape(segments, hop).sum(axis=0)
    if overlap.min() < LEAST_OVERLAP_SUM * max(overlap.mean(), np.finfo(float).tiny):
        raise RequestError(
            f"hop = {hop} with this window of {len(a)} samples leaves samples that no frame covers: "
            f"not invertible (try hop = {max(1, len(a) // 4)})"
        )
    return s / np.resize(overlap, len(a))


def asymmetric_windows(
    n_fft: int, synthesis_length: int, hop: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Long analysis and short synthesis windows of low latency, each float64 (n_fft,).

    Their product is a Hann window over the last `synthesis_length` samples, so that the delay is
    `synthesis_length - hop` while the frequency resolution is nearly that of `n_fft` (Mauler &
    Martin 2007). Raises `RequestError` where the lengths do not fit.
    """
    half = synthesis_length // 2
    if synthesis_length % 2 or not 2 <= synthesis_length < n_fft:
        raise RequestError(
            f"synthesis_length = {synthesis_length} must be even and below n_fft = {n_fft} "
            f"(try {n_fft // 16 * 2})"
        )
    rise = np.sqrt(window("hann", 2 * (n_fft - half), np.float64))
    short = window("hann", synthesis_length, np.float64)
    analysis, synthesis = np.zeros(n_fft), np.zeros(n_fft)
    analysis[: n_fft - half] = rise[: n_fft - half]
    analysis[n_fft - half :] = np.sqrt(short[half:])
    tail = slice(n_fft - synthesis_length, n_fft - half)
    synthesis[tail] = short[:half] / rise[tail]
    synthesis[n_fft - half :] = np.sqrt(short[half:])
    return analysis, dual_window(analysis, hop, synthesis)
