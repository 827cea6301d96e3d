"""Windows for the STFT: periodic, by name, and the synthesis windows that undo them.

Pure functions of numpy. All windows are periodic (DFT-even): one period of a function that
repeats every `n_fft` samples, which is what overlap-add needs. They equal
`scipy.signal.get_window(name, n_fft, fftbins=True)`, which is not used here because
importing `scipy.signal` takes longer than the program needs to start.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from realtime.errors import RequestError

KAISER_BETA = 13.3
"""Side lobes 100 dB down, just under the range of the picture (-100..0 dBFS)."""

GAUSSIAN_SIGMA = 1 / 8
"""Standard deviation as a fraction of n_fft: cut off at 4 sigma, where it is 70 dB down."""

MIN_OVERLAP_POWER = 1e-4
"""Least overlapped window power, relative to its greatest, that can be divided out again:
below it the quietest sample of a hop is amplified by more than 40 dB against the loudest."""

MAX_WINDOW_ERROR = 1e-5
"""Greatest deviation from 1 (-100 dB) of the overlapped product of analysis and synthesis
windows; float32 windows that fit stay 20 times below it."""

# Terms a0 - a1 cos(x) + a2 cos(2x) - ...
_COSINE_TERMS: dict[str, tuple[float, ...]] = {
    "hann": (0.5, 0.5),
    "hamming": (0.54, 0.46),
    "blackman": (0.42, 0.50, 0.08),
    "blackmanharris": (0.35875, 0.48829, 0.14128, 0.01168),
    "flattop": (0.21557895, 0.41663158, 0.277263158, 0.083578947, 0.006947368),
}

WINDOWS: tuple[str, ...] = (
    *("hann", "hamming", "blackman", "blackmanharris"),
    *("kaiser", "gaussian", "flattop"),
)
"""Names that `window` knows."""


def window(name: str, n_fft: int, dtype: DTypeLike = np.float32) -> NDArray[np.floating]:
    """Make the periodic window called `name`, 1 in its middle.

    Parameters: `name`, one of `WINDOWS`; `n_fft`, length in samples.
    Returns: float (n_fft,), computed in float64.
    Raises: RequestError for an unknown name or a length below 2.
    Source: Harris 1978; flat-top D'Antona & Ferrero 2006; Kaiser & Schafer 1980.
    """
    if n_fft < 2:
        raise RequestError(f"n_fft={n_fft} must be at least 2 samples; try 2048")
    k = np.arange(n_fft)
    if name in _COSINE_TERMS:
        phase = 2 * np.pi * k / n_fft
        values = np.zeros(n_fft)
        for i, term in enumerate(_COSINE_TERMS[name]):
            values += (-1) ** i * term * np.cos(i * phase)
    elif name == "kaiser":
        values = np.kaiser(n_fft + 1, KAISER_BETA)[:-1]
    elif name == "gaussian":
        values = np.exp(-0.5 * ((k / n_fft - 0.5) / GAUSSIAN_SIGMA) ** 2)
    else:
        raise RequestError(f"no window is called '{name}': choose one of {', '.join(WINDOWS)}")
    return values.astype(dtype)


def overlap_sum(values: ArrayLike, hop: int) -> NDArray[np.float64]:
    """Add up copies of `values` shifted by every multiple of `hop`.

    Parameters: `values`, (n,); `hop` in samples.
    Returns: float64 (hop,), one period of the sum.
    """
    values = np.asarray(values, np.float64)
    padded = np.zeros(-(-len(values) // hop) * hop)
    padded[: len(values)] = values
    return padded.reshape(-1, hop).sum(axis=0)


def dual_window(analysis: ArrayLike, hop: int) -> NDArray[np.float64]:
    """Make the synthesis window of least power that undoes `analysis` by overlap-add.

    For every k the sum over m of `analysis[k + m hop] * dual[k + m hop]` is 1.

    Parameters: `analysis`, (n_fft,); `hop` in samples, 1..n_fft.
    Returns: float64 (n_fft,).
    Raises: RequestError where the overlapped windows leave samples (nearly) uncovered.
    Source: Griffin & Lim 1984.
    """
    analysis = np.asarray(analysis, np.float64)
    n_fft = len(analysis)
    check_hop(hop, n_fft)
    power = overlap_sum(analysis**2, hop)
    least, greatest = power.min(), power.max()
    if not least > MIN_OVERLAP_POWER * greatest:
        raise RequestError(
            f"hop={hop} is too large for this window of {n_fft} samples, whose overlapped power "
            f"falls to {least / greatest if greatest else 0.0:.1g} of its greatest (more than "
            f"{MIN_OVERLAP_POWER:g} is needed) => STFT not invertible; try hop={n_fft // 4 or 1}"
        )
    return analysis / np.resize(power, n_fft)


def asymmetric_windows(
    n_fft: int, synthesis_length: int, hop: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Make a long analysis and a short synthesis window: narrow bins at low latency.

    The analysis window rises slowly over the old samples and falls fast over the newest
    `synthesis_length // 2`; the synthesis window covers only the newest `synthesis_length`
    samples, where the product of both is a Hann window. The round trip is delayed by
    `synthesis_length - hop` samples in place of `n_fft - hop`: at 48000 Hz with 2048/128/64,
    1.3 ms in place of 41.3 (and 1.3 more to collect the hop).

    Parameters: `n_fft`; `synthesis_length`, even, at most n_fft; `hop`, a divisor of
    `synthesis_length` at most half as long, so that the Hann windows add up to a constant.
    Returns: analysis float64 (n_fft,), synthesis float64 (synthesis_length,), for
    `StreamingStft(window=analysis)` and `StreamingIstft(window=analysis,
    synthesis_window=synthesis)`.
    Raises: RequestError for lengths that do not fit together.
    Source: Mauler & Martin 2007; Wang et al. 2022.
    """
    if synthesis_length % 2 or not 2 <= synthesis_length <= n_fft:
        raise RequestError(
            f"synthesis_length={synthesis_length} must be even and 2 to n_fft={n_fft}; "
            f"try {n_fft // 16 * 2 or 2}"
        )
    half = synthesis_length // 2
    if not 1 <= hop <= half or synthesis_length % hop:
        raise RequestError(
            f"hop={hop} must divide synthesis_length={synthesis_length} and be at most half of "
            f"it; try {half}"
        )
    rise = n_fft - half
    analysis = np.empty(n_fft)
    analysis[:rise] = np.sin(np.pi * np.arange(rise) / (2 * rise))
    analysis[rise:] = np.cos(np.pi * np.arange(half) / synthesis_length)
    product = window("hann", synthesis_length, np.float64)
    newest = analysis[n_fft - synthesis_length :]
    # Where the analysis window is 0 the product is too, and the synthesis window may be.
    synthesis = np.divide(product, newest, out=np.zeros(synthesis_length), where=newest > 0)
    return analysis, synthesis / np.resize(overlap_sum(product, hop), synthesis_length)


def check_hop(hop: int, n_fft: int) -> None:
    """Raise RequestError unless frames of `n_fft` samples `hop` apart leave no sample out."""
    if hop < 1:
        raise RequestError(f"hop={hop} must be at least 1 sample; try hop={n_fft // 4 or 1}")
    if hop > n_fft:
        raise RequestError(
            f"hop={hop} is larger than window length of {n_fft} => STFT not invertible; "
            f"try hop={n_fft // 4 or 1}"
        )


def check_synthesis(analysis: NDArray, synthesis: NDArray, hop: int) -> None:
    """Raise RequestError unless overlap-add with `synthesis` undoes `analysis`.

    Parameters: `analysis`, (n_fft,); `synthesis`, (n,), over the newest n samples of a frame.
    """
    n_fft = len(analysis)
    if synthesis.ndim != 1 or not hop <= len(synthesis) <= n_fft:
        raise RequestError(
            f"a synthesis window of shape {synthesis.shape} must have hop={hop} to n_fft={n_fft} "
            "samples; make it with dual_window or asymmetric_windows"
        )
    product = analysis[n_fft - len(synthesis) :].astype(np.float64) * synthesis
    error = np.abs(overlap_sum(product, hop) - 1).max()
    if not error < MAX_WINDOW_ERROR:
        raise RequestError(
            f"these windows at hop={hop} give back the input with an error of {error:.1g} (less "
            f"than {MAX_WINDOW_ERROR:g} is needed) => STFT not invertible; make the synthesis "
            "window with dual_window or asymmetric_windows"
        )
