"""Levels: spectra to dBFS columns, columns to the 16 bits they are kept in, and the level meter.

A full-scale sine on a bin centre reads 0 dBFS with every window, in the columns and, as rms
(AES17), in the meter. What comes out is always finite, whatever goes in: NaN reads as silence,
infinity as the loudest level. `column_db` runs on the display's main thread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from realtime.errors import RequestError

DB_FLOOR = -144.0
"""dBFS: the least level kept, the range of 24 bits; exact zeros read as this."""
DB_CEIL = 12.0
"""dBFS: the greatest level kept; float samples may go beyond full scale."""
CODES = 65535
"""Steps of a level kept in 16 bits, 0.0024 dB each."""
_STEP_DB = (DB_CEIL - DB_FLOOR) / CODES

_QUIETEST, _LOUDEST = 10 ** (DB_FLOOR / 20), 10 ** (DB_CEIL / 20)
_DB_PER_NEPER_OF_POWER = 10 / math.log(10)
_CHUNK_BINS = 1 << 16
"""Bins turned to dB at a time: 256 KiB a temporary array, so that all of them stay in L2."""

CLIP_LEVEL = 32767 / 32768
"""The greatest sample a 16-bit converter delivers; at or above it counts as clipped."""
RMS_SECONDS = 0.3
"""Time constant of the rms reading, the integration time of a VU meter (IEC 60268-17)."""
HOLD_SECONDS = 1.5
"""How long the peak hold stands still, a usual figure for peak programme meters."""
HOLD_FALL_DB = 20 / 1.7
"""dB a second by which it then falls (20 dB in 1.7 s, IEC 60268-10 type I)."""


def column_db(
    frames: NDArray[np.complexfloating], window_sum: float, n_fft_total: int
) -> NDArray[np.float32]:
    """Turn spectra into levels: `20 log10(2 |X| / window_sum)`, factor 1 at DC and Nyquist.

    Parameters: `frames`, complex64 or complex128 (..., n_bins); `window_sum`, the sum of the
    analysis window; `n_fft_total`, the length transformed (n_fft * zero_pad) in samples.
    Returns: float32 (..., n_bins), dBFS within DB_FLOOR..DB_CEIL, a new array.
    Raises: RequestError if n_bins is not n_fft_total // 2 + 1.
    """
    return _levels(frames, window_sum, n_fft_total, np.float32)


def column_codes(
    frames: NDArray[np.complexfloating], window_sum: float, n_fft_total: int
) -> NDArray[np.uint16]:
    """Turn spectra into packed levels: `encode(column_db(...))` in half the passes.

    The same arguments and errors. Returns: uint16 (..., n_bins), within a step of the detour and
    at least 1, so that 0 is left to say that nothing is known.
    """
    return _levels(frames, window_sum, n_fft_total, np.uint16)


def _levels(
    frames: NDArray[np.complexfloating], window_sum: float, n_fft_total: int, dtype: DTypeLike
) -> NDArray[Any]:
    """dBFS for float32, their codes for uint16."""
    frames = np.asarray(frames)
    n_bins = n_fft_total // 2 + 1
    if frames.shape[-1] != n_bins:
        raise RequestError(
            f"{frames.shape[-1]} bins do not fit n_fft_total={n_fft_total}, which has {n_bins}; "
            "give the length transformed, zero padding included"
        )
    rows = frames.reshape(-1, n_bins)
    levels = np.empty(rows.shape, dtype)
    chunk = max(1, _CHUNK_BINS // n_bins)
    # No mirror image adds to the outermost bins; without a Nyquist bin the last one has its own.
    outermost = slice(None, None, n_bins - 1) if n_fft_total % 2 == 0 else slice(1)
    # Python floats, so that float32 arrays stay float32. Limits are set before the logarithm,
    # which then never sees 0, NaN or infinity; they are arrays, for which numpy is five times
    # faster than for numbers.
    full_scale = (float(window_sum) / 2) ** 2
    scale, low_db, shift = 1.0, DB_FLOOR, -10 * math.log10(full_scale)
    if levels.dtype == np.uint16:
        scale, low_db = 1 / _STEP_DB, DB_FLOOR + _STEP_DB
        shift += _STEP_DB / 2 - DB_FLOOR  # half a step more: the cast cuts off
    least, greatest = (
        np.full(n_bins, full_scale * 10 ** (db / 10), rows.real.dtype) for db in (low_db, DB_CEIL)
    )
    with np.errstate(over="ignore"):
        for start in range(0, len(rows), chunk):
            part = rows[start : start + chunk]
            power = np.square(part.real)
            power += np.square(part.imag)
            power[:, outermost] /= 4
            np.fmax(power, least, out=power)  # fmax drops NaN
            np.minimum(power, greatest, out=power)
            np.log(power, out=power)
            power *= scale * _DB_PER_NEPER_OF_POWER
            np.add(power, scale * shift, out=levels[start : start + chunk], casting="unsafe")
    return levels.reshape(frames.shape)


def encode(db: ArrayLike) -> NDArray[np.uint16]:
    """Pack dBFS into 16 bits: DB_FLOOR..DB_CEIL over 0..65535, nearest step, NaN to 0.

    Parameters: `db`, float, any shape. Returns: uint16, same shape.
    """
    steps = np.subtract(db, DB_FLOOR, dtype=np.float32)
    steps *= CODES / (DB_CEIL - DB_FLOOR)
    steps += 0.5  # the cast cuts off
    np.fmax(steps, 0, out=steps)  # fmax drops NaN
    np.minimum(steps, CODES, out=steps)
    return steps.astype(np.uint16)


def decode(codes: ArrayLike) -> NDArray[np.float32]:
    """Unpack what `encode` packed, within half a step (0.0012 dB).

    Parameters: `codes`, uint16, any shape. Returns: float32 dBFS, same shape.
    """
    step = np.float32((DB_CEIL - DB_FLOOR) / CODES)
    return np.asarray(codes).astype(np.float32) * step + np.float32(DB_FLOOR)


@dataclass(frozen=True)
class LevelReading:
    """What a meter shows; arrays are float32 (n_channels,), dBFS within DB_FLOOR..DB_CEIL."""

    peak_db: NDArray[np.float32]
    """Greatest sample of the block just pushed."""
    rms_db: NDArray[np.float32]
    """Over some 0.3 s; a full-scale sine reads 0 dBFS (AES17)."""
    hold_db: NDArray[np.float32]
    """Greatest peak of late: stands for 1.5 s, then falls 11.8 dB a second."""
    clipped: NDArray[np.bool_]
    """Some sample reached full scale, or was not finite, since the last `reset_clip`."""
    zero_run: int
    """Samples up to now that were exactly zero on every channel."""


class LevelMeter:
    """Follows the level of a stream of blocks. One thread owns it; samples are its clock."""

    def __init__(self, n_channels: int, sample_rate: int):
        self.n_channels, self.sample_rate = n_channels, sample_rate
        self.reset()

    def reset(self) -> None:
        """Forget everything, as if new."""
        self._channels = [_ChannelLevel() for _ in range(self.n_channels)]
        self.zero_run = 0
        """Samples up to now that were exactly zero on every channel."""

    def reset_clip(self) -> None:
        """Release the clip latch of every channel."""
        for channel in self._channels:
            channel.clipped = False

    @property
    def reading(self) -> LevelReading:
        """What the meter shows now."""
        return LevelReading(
            peak_db=np.array([channel.peak_db for channel in self._channels], np.float32),
            rms_db=np.array([channel.rms_db for channel in self._channels], np.float32),
            hold_db=np.array([channel.hold_db for channel in self._channels], np.float32),
            clipped=np.array([channel.clipped for channel in self._channels]),
            zero_run=self.zero_run,
        )

    def push(self, block: NDArray) -> LevelReading:
        """Take in a block, float (n_samples, n_channels), full scale 1; return the reading.

        Raises: RequestError for another number of channels.
        """
        block = np.asarray(block)
        if block.ndim != 2 or block.shape[1] != self.n_channels:
            raise RequestError(
                f"a block of shape {block.shape} does not fit this meter: "
                f"push (n_samples, {self.n_channels})"
            )
        if len(block):
            seconds = len(block) / self.sample_rate
            samples = block.T.astype(np.float64, order="C")  # each channel in one run
            for channel, own in zip(self._channels, samples, strict=True):
                channel.follow(own, seconds)
            self._count_zeros(block)
        return self.reading

    def _count_zeros(self, block: NDArray) -> None:
        if block[-1].any():
            self.zero_run = 0
            return
        sounding = np.flatnonzero(block.any(axis=1))
        if len(sounding):
            self.zero_run = len(block) - 1 - int(sounding[-1])
        else:
            self.zero_run += len(block)


class _ChannelLevel:
    """One channel of a meter. Plain numbers: an array of a few channels costs ten times as much."""

    def __init__(self) -> None:
        self.peak_db = self.hold_db = DB_FLOOR
        self.clipped = False
        self._mean_square = self._hold_age = 0.0

    @property
    def rms_db(self) -> float:
        # A sine's rms is sqrt(1/2) of its peak: twice the mean square makes it read 0 dBFS.
        return _clamped_db(math.sqrt(2 * self._mean_square))

    def follow(self, samples: NDArray[np.float64], seconds: float) -> None:
        """Take in samples (n,), n at least 1, that last `seconds`."""
        peak = _peak(samples)
        if not math.isfinite(peak):
            samples = np.nan_to_num(samples, nan=0.0, posinf=_LOUDEST, neginf=-_LOUDEST)
            peak = _peak(samples)
            self.clipped = True
        self.clipped = self.clipped or peak >= CLIP_LEVEL
        self.peak_db = _clamped_db(peak)
        keep = math.exp(-seconds / RMS_SECONDS)
        fresh = float(np.einsum("i,i", samples, samples)) / len(samples)  # BLAS wakes its threads
        self._mean_square = keep * self._mean_square + (1 - keep) * fresh
        self._hold_age += seconds
        falling = min(max(self._hold_age - HOLD_SECONDS, 0.0), seconds)
        fallen = max(self.hold_db - HOLD_FALL_DB * falling, DB_FLOOR)
        if self.peak_db >= fallen:
            self._hold_age = 0.0
        self.hold_db = max(self.peak_db, fallen)


def _peak(samples: NDArray[np.float64]) -> float:
    """NaN where a sample is NaN."""
    return max(float(samples.max()), -float(samples.min()))


def _clamped_db(amplitude: float) -> float:
    return 20 * math.log10(min(max(amplitude, _QUIETEST), _LOUDEST))
