"""Spectra of a sound that is there as a whole: STFT and its inverse, bands, decibels.

Pure functions whose parameters bear librosa's names and whose numbers equal librosa's; only the
arrays are time-major: frames are (n_frames, n_bins) where librosa's are (n_bins, n_frames).
Transforms run in float64 and are rounded once, to complex64: an error of float32 within a
transform, 1e-7 of the loudest bin, would be 0.002 dB where a picture of 80 dB ends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.dsp.mel import MelBands, mel_filters
from realtime.dsp.stft import StreamingIstft, StreamingStft
from realtime.dsp.windows import window as named_window
from realtime.errors import RequestError

PIECE = 1 << 16
BINS_AT_ONCE = 1 << 16
"""Samples, and bins of their frames, that are transformed before the frames are rounded or summed:
the only memory besides the result is some 1 MiB of complex128, which comes out of the heap; twice
as much is asked of the system anew each time, and takes twice the time."""

AMIN = 1e-10
"""Power below which decibels count no further down: librosa's, -100 dB."""

LEAST_COVER = 1e-20
"""Overlapped power of windows, relative to their greatest, that is divided out at the very ends
of a sound not centred: a Hann window's second sample has 5e-12 at 2048, a Blackman window's first
1e-34, which is rounding."""

Reference = float | Callable[[NDArray], float]


class CentredStft:
    """Frames of a sound that comes in pieces: those of `stft`, whatever the pieces.

    The same parameters as `stft`, and `n_channels`, None for samples (n,). `push` gives the
    frames completed, complex128; `finish` the last ones, after which it is as if new.
    """

    def __init__(
        self,
        n_fft: int,
        hop: int,
        window: str | ArrayLike = "hann",
        *,
        center: bool = True,
        n_channels: int | None = None,
    ):
        self._stft = StreamingStft(n_fft, hop, window, n_channels=n_channels, dtype=np.float64)
        channels = () if n_channels is None else (n_channels,)
        self.piece = piece_length(n_fft, hop, n_channels or 1)
        """Samples that are best pushed at a time."""
        self._padding = np.zeros((n_fft // 2 if center else 0, *channels))
        self._begin()

    def _begin(self) -> None:
        self._stft.reset()
        self._stft.push(self._padding)  # half a frame: completes none

    def push(self, samples: ArrayLike) -> NDArray[np.complexfloating]:
        """samples : float (n,) or (n, n_channels), any n.

        Returns complex128 (n_frames, n_bins) or (n_frames, n_channels, n_bins).
        Raises RequestError for NaN, infinity, integers or another shape.
        """
        samples = np.asarray(samples)
        if samples.dtype.kind == "f" and not np.isfinite(samples).all():
            raise RequestError("samples hold NaN or infinity: replace them by 0 first")
        return self._stft.push(samples)

    def finish(self) -> NDArray[np.complexfloating]:
        frames = self._stft.push(self._padding)
        self._begin()
        return frames


def piece_length(n_fft: int, hop: int, n_channels: int = 1) -> int:
    """Samples to push at a time, at least a hop."""
    n_frames = BINS_AT_ONCE // ((n_fft // 2 + 1) * n_channels)
    return max(hop, min(PIECE, n_frames * hop))


def stft(
    samples: ArrayLike,
    n_fft: int = 2048,
    hop: int = 512,
    window: str | ArrayLike = "hann",
    center: bool = True,
) -> NDArray[np.complex64]:
    """Short-time Fourier transform of a whole sound, as `librosa.stft(...)`, transposed.

    samples : float (n_samples,) or (n_samples, n_channels)
    n_fft : samples of a frame (2048 are 93 ms at 22050 Hz); hop : from frame to frame, <= n_fft
    window : a name of `WINDOWS`, periodic, or an array (n_fft,)
    center : frame m is centred on sample m * hop, with zeros where the sound is not there;
        else it begins there
    Returns complex64 (n_frames, n_bins) or (n_frames, n_channels, n_bins).
    Raises RequestError for parameters or samples that do not fit.
    Source: Allen & Rabiner 1977.
    """
    samples = np.asarray(samples)
    n_channels = samples.shape[1] if samples.ndim == 2 else None
    stream = CentredStft(n_fft, hop, window, center=center, n_channels=n_channels)
    padded = len(samples) + 2 * (n_fft // 2) * center
    n_frames = max(0, (padded - n_fft) // hop + 1)
    frames = np.empty((n_frames, *samples.shape[1:], n_fft // 2 + 1), np.complex64)
    done = 0
    for part in _pieces(samples, stream):
        frames[done : done + len(part)] = part  # rounds them, and needs no memory of its own
        done += len(part)
    return frames


def istft(
    frames: ArrayLike,
    hop: int = 512,
    n_fft: int | None = None,
    window: str | ArrayLike = "hann",
    center: bool = True,
    length: int | None = None,
) -> NDArray[np.floating]:
    """The sound whose STFT is nearest to `frames`, as `librosa.istft(...)`; undoes `stft`.

    frames : complex (n_frames, n_bins) or (n_frames, n_channels, n_bins)
    n_fft : 2 * (n_bins - 1) where None
    length : samples wanted; what the frames do not reach is 0. None: as many as there are hops
        between the middles of the first and the last frame (center), or samples in all frames
    Returns float32 for complex64, else float64, (n_samples,) or (n_samples, n_channels).
    Raises RequestError for parameters or frames that do not fit.
    Source: Griffin & Lim 1984.
    """
    spectra = np.asarray(frames)
    if spectra.ndim not in (2, 3) or not len(spectra):
        raise RequestError(
            f"frames of shape {spectra.shape} must be (n_frames, n_bins) or (n_frames, "
            "n_channels, n_bins), at least one of them"
        )
    if n_fft is None:
        n_fft = 2 * (int(spectra.shape[-1]) - 1)
    n_channels = spectra.shape[1] if spectra.ndim == 3 else None
    dtype = np.float32 if spectra.dtype == np.complex64 else np.float64
    inverse = StreamingIstft(n_fft, hop, window, n_channels=n_channels, dtype=dtype)
    rest = np.zeros((-(-n_fft // hop) - 1, *spectra.shape[1:]), spectra.dtype)
    whole = np.concatenate([inverse.push(spectra), inverse.push(rest)])
    stop = (len(spectra) - 1) * hop + n_fft
    shape = (
        named_window(window, n_fft, np.float64) if isinstance(window, str) else np.asarray(window)
    )
    _even_at_the_ends(whole, len(spectra), hop, shape.astype(np.float64))
    first = n_fft // 2 if center else 0
    samples = whole[first : stop - first if length is None else first + length]
    missing = 0 if length is None else length - len(samples)
    return np.concatenate([samples, np.zeros((missing, *samples.shape[1:]), dtype)])


def _even_at_the_ends(
    samples: NDArray, n_frames: int, hop: int, shape: NDArray[np.float64]
) -> None:
    """In place: where fewer frames overlap than in the middle, make up for those not there."""
    steps = -(-len(shape) // hop)
    power = np.zeros(steps * hop)
    power[: len(shape)] = shape**2
    power = power.reshape(steps, hop)
    for m in range(n_frames + steps - 1):
        if m < steps - 1 or m >= n_frames:
            here = power[max(0, m - n_frames + 1) : m + 1].sum(axis=0)
            covered = here > LEAST_COVER * power.max()
            gain = np.divide(power.sum(axis=0), here, out=np.ones(hop), where=covered)
            piece = samples[m * hop : (m + 1) * hop].T
            piece *= gain.astype(samples.dtype)


def melspectrogram(
    samples: ArrayLike,
    *,
    sample_rate: int,
    n_fft: int = 2048,
    hop: int = 512,
    window: str | ArrayLike = "hann",
    center: bool = True,
    n_mels: int = 128,
    fmin: float = 0.0,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | None = "slaney",
    power: float = 2.0,
) -> NDArray[np.float32]:
    """Energies in mel bands, as `librosa.feature.melspectrogram`, transposed. For a sound longer
    than memory see `realtime.analyse`.

    samples : float (n_samples,) or (n_samples, n_channels), at `sample_rate` Hz
    n_fft, hop, window, center : as in `stft`
    fmin, fmax : Hz, the outer edges of the lowest and the highest band; None: half the rate
    htk : HTK's mel in place of Slaney's; norm : "slaney", triangles of area 1, or None, height 1
    power : of the magnitudes that are summed, 2 for energy, 1 for magnitudes
    Returns float32 (n_frames, n_mels) or (n_frames, n_channels, n_mels).
    Raises RequestError for parameters or samples that do not fit.
    Source: Davis & Mermelstein 1980 (the bands); Slaney 1998.
    """
    if norm not in ("slaney", None):
        raise RequestError(f"norm={norm!r} must be 'slaney', triangles of area 1, or None")
    samples = np.asarray(samples)
    n_channels = samples.shape[1] if samples.ndim == 2 else None
    frames = CentredStft(n_fft, hop, window, center=center, n_channels=n_channels)
    bands = MelBands(
        mel_filters(
            sample_rate,
            n_fft,
            n_mels,
            f_low=fmin,
            f_high=fmax,
            htk=htk,
            equal_area=norm is not None,
        )
    )
    parts = [bands.energies(magnitudes(part, power)) for part in _pieces(samples, frames)]
    return np.concatenate(parts)


def magnitudes(frames: NDArray[np.complexfloating], power: float = 1.0) -> NDArray[np.float32]:
    """frames : complex, any shape. Returns float32 of that shape: magnitudes to the `power`."""
    squared = np.square(frames.real) + np.square(frames.imag)
    return (squared if power == 2 else squared ** (power / 2)).astype(np.float32)


def power_to_db(
    power: ArrayLike, ref: Reference = 1.0, amin: float = AMIN, top_db: float | None = 80.0
) -> NDArray[np.floating]:
    """Decibels of power relative to `ref`, as `librosa.power_to_db`.

    power : float, any shape, one piece: channels keep their difference in level (librosa from 1.0
        on gives each channel a reference of its own)
    ref : what reads 0 dB, or a function of `power` that gives it, such as np.max
    amin : less power counts as this much, 1e-10 is -100 dB
    top_db : decibels below the greatest at which they end; None: at `amin` only
    Returns decibels, float32 for float32, else float64.
    Raises RequestError for complex numbers, or an amin or top_db that cannot be.
    """
    power = _real(power)
    if not amin > 0 or (top_db is not None and not top_db >= 0):
        raise RequestError(f"amin={amin} must be above 0, and top_db={top_db} at least 0 or None")
    reference = ref(power) if callable(ref) else abs(ref)
    db = 10 * np.log10(np.maximum(amin, power))
    db -= 10 * np.log10(np.maximum(amin, power.dtype.type(reference)))
    return db if top_db is None or not db.size else np.maximum(db, db.max() - top_db)


def amplitude_to_db(
    amplitude: ArrayLike, ref: Reference = 1.0, amin: float = 1e-5, top_db: float | None = 80.0
) -> NDArray[np.floating]:
    """Decibels of magnitudes relative to `ref`, as `librosa.amplitude_to_db`: those of their
    squares. The parameters of `power_to_db`, in units of amplitude."""
    amplitude = np.abs(_real(amplitude))
    reference = float(ref(amplitude)) if callable(ref) else abs(ref)
    return power_to_db(np.square(amplitude), reference**2, amin**2, top_db)


def _real(values: ArrayLike) -> NDArray[np.floating]:
    values = np.asarray(values)
    if values.dtype.kind == "c":
        raise RequestError("decibels have no phase: take magnitudes of the frames first, abs(...)")
    return values if values.dtype in (np.float32, np.float64) else values.astype(np.float64)


def _pieces(samples: NDArray, frames: CentredStft) -> Iterator[NDArray[np.complexfloating]]:
    for first in range(0, len(samples), frames.piece):
        yield frames.push(samples[first : first + frames.piece])
    yield frames.finish()
