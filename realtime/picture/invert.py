"""A picture's decibels back to sound, by what its format says of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.dsp.constant_q import power_of_two, quality
from realtime.dsp.inversion import Progress, griffin_lim, invert_bands
from realtime.dsp.windows import window
from realtime.errors import RequestError
from realtime.picture.format import PictureFormat
from realtime.picture.reduce import column_edges
from realtime.picture.stream import filters

PEAK = 10 ** (-3 / 20)
"""-3 dBFS, where nobody knows how loud the sound was: MP3 and resampling overshoot by less."""

FLOOR_DB = 1e-4
"""A value so near to the darkest is the darkest: a step of 16 bits over 80 dB is 12 times as much,
and float32 rounds -100 dB to 8e-6."""

LEAST_LEVEL = np.float32(1e-10)
"""Added to magnitudes before the logarithm, far below the quietest of a picture."""

LEAST_N_FFT = 2048
"""Samples of the frames that a constant-Q picture is made sound with, at least: at four hops or
more, neighbours tell enough of one another's phase."""


@dataclass(frozen=True)
class Inverted:
    """A sound made from a picture."""

    samples: NDArray[np.float32]
    """(n_samples, n_channels), full scale ±1."""
    sample_rate: int
    """Hz."""
    normalised: bool
    """The picture did not say how loud it was; the loudest sample is now at -3 dBFS."""


def invert(db: ArrayLike, picture: PictureFormat, *, progress: Progress | None = None) -> Inverted:
    """Make the sound whose picture is `db`, as nearly as can be found.

    db : float (n_channels, n_frames, n_rows), or n_columns in place of n_frames, lowest row
        first. What lies at db_low or below, or is not finite, is silence.
    progress : told the share done, 0 to 1
    Raises RequestError where db and format do not fit together.

    Linear frequencies: `griffin_lim`. Bands: `invert_bands`. Constant-Q: each row's level, as a
    sine in its middle would have it, becomes that of the bins around, by interpolation of
    decibels over the logarithm of frequency; low rows are blurred, high ones sharp in pitch only
    as far as frames of n_fft = 2048 (or four hops) are.
    """
    values = frame_values(db, picture)
    settings = {
        "hop": picture.hop,
        "length": picture.n_samples,
        "progress": progress,
    }
    if picture.kind == "cqt":
        n_fft = cqt_frame(picture)
        magnitudes = cqt_to_bins(values ** (1 / picture.power), picture)
        samples = griffin_lim(magnitudes, n_fft=n_fft, **settings)
    else:
        settings |= {
            "n_fft": picture.n_fft,
            "window": picture.window,
            "center": picture.center,
        }
        if picture.kind == "stft":
            samples = griffin_lim(values ** (1 / picture.power), **settings)
        else:
            samples = invert_bands(values, filters(picture), power=picture.power, **settings)
    normalised = picture.ref is None
    if normalised:
        samples *= np.float32(PEAK / (np.abs(samples).max(initial=0) or 1))
    return Inverted(samples, picture.sample_rate, normalised)


def frame_values(db: ArrayLike, picture: PictureFormat) -> NDArray[np.float32]:
    """Magnitudes to the power of the format's, (n_frames, n_channels, n_rows): of columns that
    hold several frames, as many alike."""
    db = np.asarray(db, np.float32)
    n_columns = picture.n_frames if picture.n_columns is None else picture.n_columns
    wanted = picture.n_channels, n_columns or "n_frames", picture.n_rows
    if db.ndim != 3 or not all(
        n > 0 and right in (n, "n_frames") for n, right in zip(db.shape, wanted, strict=True)
    ):
        raise RequestError(
            f"a picture of shape {db.shape} must be (n_channels, n_frames, n_rows) = "
            f"({', '.join(map(str, wanted))}), as its format says"
        )
    heard = np.isfinite(db) & (db > picture.db_low + FLOOR_DB)
    values = picture.values(np.where(heard, db, 0)) * heard
    if picture.n_columns is not None and picture.n_frames is not None:
        edges = column_edges(picture.n_frames, picture.n_columns)
        values = np.repeat(values, np.diff(edges), axis=1)
    return values.swapaxes(0, 1)


def cqt_frame(picture: PictureFormat) -> int:
    """n_fft of the STFT that stands in for a constant-Q transform."""
    return max(LEAST_N_FFT, power_of_two(4 * picture.hop))


def cqt_to_bins(rows: NDArray[np.float32], picture: PictureFormat) -> NDArray[np.float32]:
    """Magnitudes of constant-Q rows, (..., n_rows), as those of an STFT with a Hann window of
    `cqt_frame` samples, (..., n_bins); 0 where there are no rows."""
    n_fft = cqt_frame(picture)
    lengths = quality(picture.bins_per_octave or 12) * picture.sample_rate
    lengths = lengths / picture.row_frequencies()
    # Of a sine of amplitude A: A / 2 sqrt(length) there, A / 2 times the sum of the window here.
    level = rows * (window("hann", n_fft).sum() / np.sqrt(lengths)).astype(np.float32)
    logs, inside = at_bins(np.log(level + LEAST_LEVEL), picture)
    return ((np.exp(logs) - LEAST_LEVEL) * inside).astype(np.float32)


def at_bins(
    rows: NDArray[np.float32], picture: PictureFormat
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Values of constant-Q rows, (..., n_rows), between them: at the bins of `cqt_frame`,
    (..., n_bins), and whether there are rows at each, (n_bins,)."""
    n_fft = cqt_frame(picture)
    place = picture.row_at(np.arange(n_fft // 2 + 1) * picture.sample_rate / n_fft)
    inside = (place >= -0.5) & (place <= picture.n_rows - 0.5)
    place = np.clip(place, 0, picture.n_rows - 1)
    below = np.minimum(place.astype(int), max(picture.n_rows - 2, 0))
    above = np.minimum(below + 1, picture.n_rows - 1)
    share = (place - below).astype(np.float32)
    between = rows[..., below] * (1 - share) + rows[..., above] * share
    return between.astype(np.float32), inside
