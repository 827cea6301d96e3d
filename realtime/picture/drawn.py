"""A drawing as a sound, whose spectrogram shows it again."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.dsp.inversion import Progress, griffin_lim
from realtime.dsp.scales import SCALES
from realtime.errors import RequestError
from realtime.picture.invert import PEAK

LEAST_N_FFT, MOST_N_FFT = 256, 1 << 15
"""Samples: 5 ms to 0.7 s at 48000 Hz."""

OVERLAP = 4
"""Hops in a frame, as in pictures of sound."""


def drawn(
    image: ArrayLike,
    *,
    sample_rate: int = 44100,
    seconds: float = 5.0,
    fmin: float = 100.0,
    fmax: float = 10_000.0,
    gamma: float = 2.0,
    scale: str = "linear",
    seed: int = 0,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """Make a sound from an image, with columns as time and rows as frequencies.

    image : float (n_rows, n_columns), 0 (silence) to 1 (loudest); the first row is the highest
    seconds : how long the columns last together
    fmin, fmax : Hz, the lower edge of the last row and the upper edge of the first
    gamma : amplitude is brightness to this power; more darkens what is half bright
    scale : on which rows are evenly spaced, one of `realtime.SCALES` ("linear", "log", "mel", ...)
    seed : of the noise that it is made from
    progress : told the share done, 0 to 1
    Returns float32 (n_samples,) with a peak of -3 dBFS, or silence for a black image; the same
    for the same arguments.
    Raises RequestError for arguments that do not fit.

    It is noise shaped until its STFT has the image's magnitudes (`griffin_lim`); the frame is as
    long, against the width of its bins, as a column is against the height of a row. After ARSS,
    the Analysis & Resynthesis Sound Spectrograph (Rouzic 2005), which adds bands of noise up.
    """
    pixels = _checked(image, sample_rate, seconds, fmin, fmax, gamma, scale)
    n_rows, n_columns = pixels.shape
    column, row = seconds / n_columns, (fmax - fmin) / n_rows
    longest = sample_rate * np.sqrt(column / row)
    n_fft = int(np.clip(2 ** np.rint(np.log2(longest)), LEAST_N_FFT, MOST_N_FFT))
    hop, n_samples = n_fft // OVERLAP, round(seconds * sample_rate)
    times = (np.arange(1 + n_samples // hop + 1) - 0.5) * hop / sample_rate
    hz = (np.arange(n_fft // 2 + 2) - 0.5) * sample_rate / n_fft
    units = SCALES[scale].forward
    low, high = float(units(fmin)), float(units(fmax))
    places = (high - units(np.maximum(hz, 0))) / (high - low)
    shades = _averaged(_averaged(pixels.T, times / seconds).T, places)
    magnitudes = shades.T**gamma
    rng = np.random.default_rng(seed)
    noise = np.exp(2j * np.pi * rng.random(magnitudes.shape, np.float32))
    made = griffin_lim(magnitudes, hop=hop, length=n_samples, start=noise, progress=progress)
    return made * np.float32(PEAK / (np.abs(made).max(initial=0) or 1))


def _averaged(pixels: NDArray, edges: NDArray[np.float64]) -> NDArray:
    """Means over the pixels between each edge and the next, along the first axis; edges are
    shares of the image, rising or falling, and it is black outside."""
    n = len(pixels)
    sums = np.concatenate([np.zeros((1, *pixels.shape[1:])), np.cumsum(pixels, axis=0)])
    places = np.clip(edges * n, 0, n)
    below = np.minimum(places.astype(int), n - 1)
    share = (places - below)[:, None]
    at_edges = sums[below] * (1 - share) + sums[below + 1] * share
    return np.diff(at_edges, axis=0) / np.diff(edges * n)[:, None]


def _checked(
    image: ArrayLike,
    sample_rate: int,
    seconds: float,
    fmin: float,
    fmax: float,
    gamma: float,
    scale: str,
) -> NDArray[np.float64]:
    pixels = np.asarray(image, np.float64)
    if pixels.ndim != 2 or not pixels.size:
        raise RequestError(
            f"an image of shape {pixels.shape} must be (n_rows, n_columns): make it grey first"
        )
    if not (pixels >= 0).all() or not (pixels <= 1).all():
        raise RequestError("an image's values must be 0 to 1: divide 8 bits by 255")
    if scale not in SCALES:
        raise RequestError(f"no scale is called '{scale}': choose one of {', '.join(SCALES)}")
    if not 0 <= fmin < fmax <= sample_rate / 2:
        raise RequestError(
            f"fmin={fmin:g} to fmax={fmax:g} Hz must lie within 0 to {sample_rate / 2:g} Hz, half "
            "the sample rate"
        )
    if not 0 < seconds < np.inf or not 0 < gamma < np.inf:
        raise RequestError(f"seconds={seconds:g} and gamma={gamma:g} must be above 0; try 5 and 2")
    return pixels
