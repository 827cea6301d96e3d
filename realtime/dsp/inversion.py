"""Sound from magnitudes, or from energies in bands, of which the whole is there.

First a phase that nearly fits (`pghi`), then rounds of Fast Griffin-Lim: the sound's frames get
the magnitudes asked for and keep their phase, and the sound nearest to them is taken apart again.
Where only bands are known, a round corrects each band's energy and leaves the bins within it to
what the overlap makes of them. Everything is deterministic; channels do not touch each other.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.dsp.mel import MelBands
from realtime.dsp.phase import PhaseIntegrator
from realtime.dsp.projection import Projector
from realtime.dsp.windows import window as named_window
from realtime.errors import RequestError

MOMENTUM = 0.99
"""Share of its change that each round adds once more (Perraudin et al. 2013). More diverges; 0.9
is ahead by 0.3 dB up to 30 rounds and behind by 0.8 after 100."""

ROUNDS = 100
BAND_ROUNDS = 200
"""At most. Bands leave more open: speech through 128 of them gains 0.1 of PESQ from 100 to 200, and
0.02 by as many again."""

LOOK_EVERY = 10
LEAST_GAIN_DB = 0.1
"""It no longer pays where so many rounds bring the frames nearer to what is asked by less."""

TINY = np.float32(1e-20)
"""Keeps 0 / 0 from being anything but 0, also after squaring."""

Progress = Callable[[float], None]
"""Is told the share done, 0 to 1."""


def pghi(
    magnitudes: ArrayLike,
    *,
    hop: int = 512,
    n_fft: int | None = None,
    window: str | ArrayLike = "hann",
) -> NDArray[np.complex64]:
    """A phase for magnitudes by phase gradient heap integration, in one pass and 3 ms for each
    second of sound at 22050 Hz.

    magnitudes : float (n_frames, n_bins) or (n_frames, n_channels, n_bins); what is negative or
        not finite counts as 0
    hop, window : of the STFT they come from; n_fft : 2 * (n_bins - 1) where None
    Returns frames with these magnitudes, complex64 of the same shape, for `istft`.
    Raises RequestError for arguments that do not fit.
    Source: Prusa, Balazs & Sondergaard 2017; paths lead forward in time only, as in Prusa &
    Sondergaard 2016 with one frame of look-ahead.
    """
    asked, shape = _asked(magnitudes, n_fft, window)
    frames = np.empty(asked.shape, np.complex64)
    for k in range(asked.shape[1]):
        frames[:, k] = _integrated(asked[:, k], shape, hop)
    return frames.reshape(np.shape(magnitudes))


def griffin_lim(
    magnitudes: ArrayLike,
    *,
    hop: int = 512,
    n_fft: int | None = None,
    window: str | ArrayLike = "hann",
    center: bool = True,
    length: int | None = None,
    rounds: int = ROUNDS,
    momentum: float = MOMENTUM,
    start: ArrayLike | None = None,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """The sound whose STFT has these magnitudes, as nearly as can be found.

    magnitudes : float (n_frames, n_bins) or (n_frames, n_channels, n_bins); what is negative or
        not finite counts as 0
    hop, window, center : of the STFT they come from; n_fft : 2 * (n_bins - 1) where None
    length : samples wanted; None: as many as `istft` gives
    rounds : at most, from 0; fewer where they stop paying
    start : complex frames of the same shape, whose phase is begun with; None: `pghi`
    progress : told the share done
    Returns float32 (n_samples,) or (n_samples, n_channels).
    Raises RequestError for arguments that do not fit.
    Source: Griffin & Lim 1984; Perraudin, Balazs & Sondergaard 2013 (momentum).
    """
    asked, shape = _asked(magnitudes, n_fft, window)
    _check_rounds(rounds, momentum)
    begun = None if start is None else np.asarray(start).reshape(asked.shape)
    projector = Projector(shape, hop, len(asked), length, lead=len(shape) // 2 if center else 0)
    n_channels = asked.shape[1]
    made = np.empty((projector.sound.stop - projector.sound.start, n_channels), np.float32)
    for k in range(n_channels):
        target = _Magnitudes(asked[:, k])
        # Not named, so that these frames, twice the magnitudes, are gone before the rounds.
        samples = projector.samples(
            _integrated(target.asked, shape, hop)
            if begun is None
            else target.asked * np.exp(1j * np.angle(begun[:, k])).astype(np.complex64)
        )
        told = _told(progress, k, n_channels)
        samples = approach(projector, samples, target, rounds, momentum, told)
        made[:, k] = samples[projector.sound]
    return made[:, 0] if np.ndim(magnitudes) == 2 else made


def invert_bands(
    energies: ArrayLike,
    filters: ArrayLike,
    *,
    power: float = 2.0,
    hop: int = 512,
    n_fft: int | None = None,
    window: str | ArrayLike = "hann",
    center: bool = True,
    length: int | None = None,
    rounds: int = BAND_ROUNDS,
    momentum: float = MOMENTUM,
    progress: Progress | None = None,
) -> NDArray[np.float32]:
    """The sound whose power spectrum, summed in bands, has these energies, as nearly as can be
    found: of mel, Bark, ERB bands, or any others.

    energies : float (n_frames, n_bands) or (n_frames, n_channels, n_bands); what is negative or
        not finite counts as 0
    filters : float (n_bands, n_bins), not negative, as from `realtime.dsp.mel.mel_filters`
    power : of the magnitudes that were summed, 2 for energies
    The rest as in `griffin_lim`.
    Source: Lee & Seung 2001 for the power that explains the energies, from which it begins, and
    for the correction of each round; Griffin & Lim 1984.
    """
    filters = np.asarray(filters, np.float32)
    asked = _not_negative(energies)
    if asked.ndim not in (2, 3) or filters.ndim != 2 or asked.shape[-1] != len(filters):
        raise RequestError(
            f"energies of shape {asked.shape} must be (n_frames, n_bands) or (n_frames, "
            f"n_channels, n_bands), and filters of shape {filters.shape} (n_bands, n_bins)"
        )
    _check_rounds(rounds, momentum)
    bands, shape = MelBands(filters), _window(window, n_fft, filters.shape[1])
    asked = asked.reshape(len(asked), -1, len(filters))
    projector = Projector(shape, hop, len(asked), length, lead=len(shape) // 2 if center else 0)
    n_channels = asked.shape[1]
    made = np.empty((projector.sound.stop - projector.sound.start, n_channels), np.float32)
    for k in range(n_channels):
        target = _Energies(np.ascontiguousarray(asked[:, k]), bands, power)
        magnitudes = bands.power(target.asked) ** np.float32(1 / power)
        samples = projector.samples(_integrated(magnitudes, shape, hop))
        told = _told(progress, k, n_channels)
        samples = approach(projector, samples, target, rounds, momentum, told)
        made[:, k] = samples[projector.sound]
    return made[:, 0] if np.ndim(energies) == 2 else made


class Target(Protocol):
    """What frames are asked to have."""

    missed: float
    """Power by which the frames missed it, added up where `measuring`."""
    measuring: bool

    def impose(self, frames: NDArray, first: int) -> NDArray: ...


def approach(
    projector: Projector,
    samples: NDArray[np.floating],
    target: Target,
    rounds: int,
    momentum: float,
    progress: Progress,
) -> NDArray[np.floating]:
    """Rounds from `samples`, (n_padded,), which is overwritten, until they no longer pay.

    The momentum acts on samples, which is the same as on frames: both steps between are linear.
    """
    aim, last, spare = samples, samples.copy(), projector.silence()
    before = np.inf
    for n in range(rounds):
        target.measuring, target.missed = n % LOOK_EVERY == 0, 0.0
        projector.through(aim, target.impose, out=spare)
        # aim + momentum (aim - last), in place.
        last -= spare
        last *= -momentum
        last += spare
        aim, last, spare = last, spare, aim
        progress((n + 1) / rounds)
        if target.measuring:
            if target.missed >= before * 10 ** (-LEAST_GAIN_DB / 10):
                break
            before = target.missed
    progress(1.0)
    return last


class _Magnitudes:
    def __init__(self, asked: NDArray[np.float32]):
        self.asked = np.ascontiguousarray(asked)
        self.missed, self.measuring = 0.0, False

    def impose(self, frames: NDArray, first: int) -> NDArray:
        asked = self.asked[first : first + len(frames)]
        found = np.abs(frames)
        if self.measuring:
            error = found - asked
            self.missed += float(np.vdot(error, error))
        found += TINY
        np.divide(asked, found, out=found)
        frames *= found
        return frames


class _Energies:
    def __init__(self, asked: NDArray[np.float32], bands: MelBands, power: float):
        self.asked, self._bands, self._power = asked, bands, power
        self.missed, self.measuring = 0.0, False

    def impose(self, frames: NDArray, first: int) -> NDArray:
        asked = self.asked[first : first + len(frames)]
        found = self._bands.energies(np.abs(frames) ** self._power)
        if self.measuring:
            error = np.sqrt(found) - np.sqrt(asked)
            self.missed += float(np.vdot(error, error))
        frames *= self._bands.mean(asked / (found + TINY)) ** (1 / self._power)
        return frames


def _integrated(magnitudes: NDArray, shape: NDArray, hop: int) -> NDArray[np.complex64]:
    """One channel, (n_frames, n_bins)."""
    integrator = PhaseIntegrator(shape, hop, look_ahead=1, rounds=0)
    frames = np.empty(magnitudes.shape, np.complex64)
    frames[:-1] = integrator.push(magnitudes[:, None])[1:, 0]
    frames[-1] = integrator.push(np.zeros((1, 1, magnitudes.shape[1])))[0, 0]
    return frames


def _asked(
    magnitudes: ArrayLike, n_fft: int | None, window: str | ArrayLike
) -> tuple[NDArray[np.float32], NDArray]:
    asked = _not_negative(magnitudes)
    if asked.ndim not in (2, 3) or not asked.size:
        raise RequestError(
            f"magnitudes of shape {asked.shape} must be (n_frames, n_bins) or (n_frames, "
            "n_channels, n_bins), at least one of them"
        )
    return asked.reshape(len(asked), -1, asked.shape[-1]), _window(window, n_fft, asked.shape[-1])


def _not_negative(values: ArrayLike) -> NDArray[np.float32]:
    values = np.asarray(values, np.float32)
    return np.where((values > 0) & (values < np.inf), values, np.float32(0))


def _window(window: str | ArrayLike, n_fft: int | None, n_bins: int) -> NDArray:
    n_fft = 2 * (n_bins - 1) if n_fft is None else n_fft
    shape = named_window(window, n_fft) if isinstance(window, str) else np.asarray(window)
    if shape.shape != (n_fft,) or n_fft // 2 + 1 != n_bins:
        raise RequestError(
            f"a window of shape {shape.shape} and n_fft={n_fft} do not fit {n_bins} bins, which "
            f"need n_fft={2 * n_bins - 2} or {2 * n_bins - 1}"
        )
    return shape


def _check_rounds(rounds: int, momentum: float) -> None:
    if rounds < 0 or not 0 <= momentum < 1:
        raise RequestError(
            f"rounds={rounds} must be at least 0, and momentum={momentum} in 0..1, below 1"
        )


def _told(progress: Progress | None, channel: int, n_channels: int) -> Progress:
    if progress is None:
        return lambda share: None
    return lambda share: progress((channel + share) / n_channels)
