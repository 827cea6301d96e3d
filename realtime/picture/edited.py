"""A picture that was painted over, heard: what was not touched stays the sound it was.

Where the edited picture differs from the picture that the sound gives, the frames are asked to
have the new magnitudes, with the sound's own phase (or an integrated one, where something was
painted into near silence). What is sought is the change nearest to none that does so: only the
change is ever taken apart and put together, so samples out of its reach keep every bit.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.ndimage import maximum_filter1d

from realtime.dsp.cqt import cqt
from realtime.dsp.inversion import MOMENTUM, Progress, approach, pghi
from realtime.dsp.least_change import least_change
from realtime.dsp.mel import MelBands
from realtime.dsp.projection import Projector
from realtime.dsp.spectra import CentredStft
from realtime.dsp.windows import window
from realtime.errors import RequestError
from realtime.picture.format import PictureFormat
from realtime.picture.invert import at_bins, cqt_frame, frame_values
from realtime.picture.stream import filters

LEVELS = 255
"""Steps between the darkest and the brightest value of 8 bits, the coarsest picture."""

MOST_RAISED = 10 ** (12 / 20)
"""A bin made louder than this has not been heard before: its phase is that of noise, or of what
leaks into it from beside."""

PHASE_ROUNDS = 60
"""For what was not heard before: it has to fit its surroundings first of all."""

BAND_STEPS = 5
"""As many as `MelBands.power` takes."""

TINY = 1e-20
"""Keeps 0 / 0 from being anything but 0."""


@dataclass(frozen=True)
class _Aim:
    """What the frames of one channel shall be, complex128 and bool (n_frames, n_bins)."""

    before: NDArray[np.complexfloating]
    after: NDArray[np.complexfloating]
    fixed: NDArray[np.bool_]
    """Not free: what was changed, and what was black around it and may not light up."""
    unheard: NDArray[np.bool_]
    """Changed, and of unknown phase."""

    def part(self, frames: slice) -> _Aim:
        return _Aim(*(each[frames] for each in vars(self).values()))


def edited(
    db: ArrayLike,
    picture: PictureFormat,
    original: ArrayLike,
    *,
    step_db: float | None = None,
    progress: Progress | None = None,
) -> NDArray:
    """The sound of an edited picture whose original sound is at hand.

    db : float (n_channels, n_frames, n_rows), the picture after the edit
    picture : its format; `ref` must be known, and one column be one frame
    original : float or int16 (n_samples, n_channels), the sound the picture was made of
    step_db : dB from one value of the picture to the next: values that differ by no more are the
        same. None: 8 bits over db_low..db_high
    progress : told the share done, 0 to 1
    Returns samples of the original's shape and dtype; int16 is rounded and held to its range.
    Raises RequestError where the three do not fit together.
    """
    original = np.asarray(original)
    _check(picture, original)
    after = frame_values(db, picture)
    step_db = (picture.db_high - picture.db_low) / LEVELS if step_db is None else step_db
    full_scale = 32768.0 if original.dtype.kind == "i" else 1.0
    made = original.copy()
    for k in range(picture.n_channels):
        samples = original[:, k].astype(np.float64) / full_scale
        aim = _aim(after[:, k], picture, samples, step_db)
        if aim.fixed.any():
            share = _share(progress, k, picture.n_channels)
            whole = (samples + _change(aim, picture, len(samples), share)) * full_scale
            if original.dtype.kind == "i":
                whole = np.clip(np.rint(whole), -32768, 32767)
            made[:, k] = whole
    if progress is not None:
        progress(1.0)
    return made


def _check(picture: PictureFormat, original: NDArray) -> None:
    expected = picture.n_samples, picture.n_channels
    if original.shape != expected or original.dtype not in (np.float32, np.float64, np.int16):
        raise RequestError(
            f"the original of shape {original.shape} and {original.dtype} must be float or int16 "
            f"(n_samples, n_channels) = {expected} as the picture's format says: give the sound "
            "that the picture was made of, at its own rate"
        )
    if picture.ref is None or picture.n_columns is not None:
        raise RequestError(
            f"ref={picture.ref} and n_columns={picture.n_columns}: an edit is found where values "
            "and frames can be compared, so ref must be known and each column be one frame"
        )


def _aim(
    after: NDArray[np.float32], picture: PictureFormat, samples: NDArray, step_db: float
) -> _Aim:
    shape = _window(picture)
    # Rounding to complex64 would be asked for too, and be heard far beside the edit.
    frames = CentredStft(len(shape), picture.hop, shape, center=_centred(picture))
    before = np.concatenate([frames.push(samples), frames.finish()])
    if picture.kind == "stft":
        differs = _differs(after, np.abs(before) ** picture.power, picture, step_db)
        magnitudes = np.where(differs, after ** (1 / picture.power), np.abs(before))
    elif picture.kind == "cqt":
        differs, magnitudes = _cqt_magnitudes(after, before, picture, samples, step_db)
    else:
        differs, magnitudes = _band_magnitudes(after, before, picture, step_db)
    unheard = differs & (magnitudes > MOST_RAISED * np.abs(before))
    phase = before / (np.abs(before) + TINY)
    if unheard.any():
        found = pghi(magnitudes, hop=picture.hop, n_fft=len(shape), window=shape)
        phase = np.where(unheard, found / (magnitudes + TINY), phase)
    wanted = np.where(differs, magnitudes * phase, before)
    fixed = differs
    if picture.kind == "stft":
        fixed = differs | ((after == 0) & _near(differs, len(shape), picture.hop))
    return _Aim(before, wanted, fixed, unheard)


def _near(differs: NDArray[np.bool_], n_fft: int, hop: int) -> NDArray[np.bool_]:
    """Frames that overlap one with a difference, (n_frames, 1)."""
    overlapping = 2 * -(-n_fft // hop) - 1
    near = maximum_filter1d(differs.any(axis=1), overlapping, mode="constant")
    return np.asarray(near, bool)[:, None]


def _window(picture: PictureFormat) -> NDArray:
    if picture.kind == "cqt":
        return window("hann", cqt_frame(picture))
    return window(picture.window, picture.n_fft)


def _centred(picture: PictureFormat) -> bool:
    return picture.center or picture.kind == "cqt"


def _decibels(values: NDArray, picture: PictureFormat) -> NDArray:
    """Clipped to the picture's range."""
    db = 20 / picture.power * np.log10(np.maximum(values / (picture.ref or 1), 1e-30))
    return np.clip(db, picture.db_low, picture.db_high)


def _differs(
    after: NDArray, before: NDArray, picture: PictureFormat, step_db: float
) -> NDArray[np.bool_]:
    return np.abs(_decibels(after, picture) - _decibels(before, picture)) > step_db


def _band_magnitudes(
    after: NDArray[np.float32], before: NDArray, picture: PictureFormat, step_db: float
) -> tuple[NDArray[np.bool_], NDArray]:
    """Bins in changed bands, those they share with others among them: their old power, changed in
    Kullback-Leibler steps until it explains the bands (`MelBands.power`)."""
    weights = filters(picture)
    bands = MelBands(weights)
    power = np.abs(before) ** picture.power
    heard = bands.energies(power)
    differs = _differs(after, heard, picture, step_db)
    frames = np.flatnonzero(differs.any(axis=1))
    differs = differs[frames]
    wanted = np.where(differs, after[frames], 0)
    # Raised out of near silence: by what the bands say, for there is nothing to multiply.
    raised = wanted > MOST_RAISED**picture.power * heard[frames]
    new = np.maximum(power[frames], bands.power(np.where(raised, wanted, 0)))
    count = bands.mean(differs)
    for _ in range(BAND_STEPS):
        ratio = np.where(differs, wanted / (bands.energies(new) + TINY), 0)
        new *= bands.mean(ratio) / (count + TINY)
    touched = np.zeros(power.shape, bool)
    touched[frames] = count > 0
    power[frames] = np.where(touched[frames], new, power[frames])
    return touched, power ** np.float32(1 / picture.power)


def _cqt_magnitudes(
    after: NDArray[np.float32],
    before: NDArray,
    picture: PictureFormat,
    samples: NDArray,
    step_db: float,
) -> tuple[NDArray[np.bool_], NDArray]:
    """Bins between changed rows: by as many dB louder or quieter as the rows."""
    octave = picture.bins_per_octave or 12
    rows = cqt(samples, picture.sample_rate, picture.hop, picture.fmin, picture.n_rows, octave)
    heard = (np.abs(rows) ** picture.power).astype(np.float32)
    differs = _differs(after, heard, picture, step_db)
    logs = np.log((after + TINY) / (heard + TINY)) / picture.power
    gains, inside = at_bins(np.where(differs, logs, 0).astype(np.float32), picture)
    gains = np.where(inside, gains, 0)
    magnitudes = np.abs(before) * np.exp(gains)
    return np.asarray(gains != 0), magnitudes.astype(np.float32)


class _Heard:
    """Frames of the change that keep their phase, together with the original's, where the edit
    did not know any. A `Target` of `approach`."""

    def __init__(self, aim: _Aim):
        self._aim = aim
        self._magnitudes = np.abs(aim.after)
        self.missed, self.measuring = 0.0, False

    def impose(self, frames: NDArray, first: int) -> NDArray[np.complexfloating]:
        part = slice(first, first + len(frames))
        asked = np.where(self._aim.fixed[part], self.asked(frames, first), frames)
        if self.measuring:
            error = asked - frames
            self.missed += float(np.vdot(error, error).real)
        return asked

    def asked(self, frames: NDArray, first: int) -> NDArray[np.complexfloating]:
        """The change that the edit asks for, (n, n_bins)."""
        part = slice(first, first + len(frames))
        before = self._aim.before[part]
        heard = before + frames
        turned = heard * (self._magnitudes[part] / (np.abs(heard) + TINY))
        return np.where(self._aim.unheard[part], turned, self._aim.after[part]) - before


def _change(
    aim: _Aim, picture: PictureFormat, n_samples: int, progress: Progress
) -> NDArray[np.float64]:
    """Samples to add, (n_samples,): 0 out of reach of what was changed."""
    shape, hop = _window(picture), picture.hop
    # From the first frame changed to the last, and those that overlap them.
    frames = np.flatnonzero(aim.fixed.any(axis=1))
    around = -(-len(shape) // hop)
    first, stop = max(0, frames[0] - around), frames[-1] + around + 1
    aim = aim.part(slice(first, stop))
    begin = int(first * hop - (len(shape) // 2 if _centred(picture) else 0))
    end = min(n_samples, begin + (len(aim.before) - 1) * hop + len(shape))
    projector = Projector(
        shape, hop, len(aim.before), end - max(begin, 0), lead=max(-begin, 0), dtype=np.float64
    )
    asked = aim.after - aim.before
    begun = 0.0
    if aim.unheard.any():
        begun = 0.5
        asked = _fitting(aim, projector, asked, lambda share: progress(share / 2))
    change = least_change(
        projector, asked, aim.fixed, progress=lambda share: progress(begun + share * (1 - begun))
    )
    whole = np.zeros(n_samples)
    whole[max(begin, 0) : end] = change[projector.sound]
    return whole


def _fitting(
    aim: _Aim, projector: Projector, asked: NDArray[np.complexfloating], progress: Progress
) -> NDArray[np.complexfloating]:
    """What is asked, with phases for what was not heard that fit what was."""
    target = _Heard(aim)
    start = projector.samples(np.where(aim.fixed, asked, 0))
    change = approach(projector, start, target, PHASE_ROUNDS, MOMENTUM, progress)
    parts: list[NDArray[np.complexfloating]] = []
    while (first := sum(map(len, parts))) < len(asked):
        parts.append(target.asked(projector.frames(change, first), first))
    return np.concatenate(parts)


def _share(progress: Progress | None, channel: int, n_channels: int) -> Progress:
    if progress is None:
        return lambda share: None
    return lambda share: progress((channel + share) / n_channels)
