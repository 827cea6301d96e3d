"""What the numbers behind a picture mean: one frozen object, and its JSON text.

A picture is `db`, float32 (n_channels, n_frames, n_rows), the lowest row first. One dB is a tenth
of a bel of power, whatever `power` is: `db = (20 / power) log10(value / ref)`, where `value` is a
magnitude to the power of `power`, or the sum of such over a band. So are librosa's
`power_to_db` of power 2 and `amplitude_to_db` of power 1.

The JSON text is an object with "format": "realtime-picture", "version": 1, and the fields below
by name. A reader ignores keys it does not know; the version grows when a field changes meaning.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.dsp.constant_q import CQT_FMIN, CQT_ROWS, cqt_n_fft
from realtime.dsp.scales import SCALES, SLANEY, FrequencyScale
from realtime.errors import SettingsError
from realtime.picture.format_rules import checked, frames_in
from realtime.wording import shown

NAME = "realtime-picture"
VERSION = 1

LONGEST_TEXT = 1 << 14
"""Characters of JSON; ours has 500."""

MOST_OCTAVES = 64
"""More than any sample rate holds: their number is refused before it overflows."""


@dataclass(frozen=True)
class PictureFormat:
    """How a picture was made, hence how it is read. `picture_format` fills in what follows.

    Raises SettingsError, with all faults at once.
    """

    kind: str
    """"stft", "mel", "bark", "erb" or "cqt"."""
    sample_rate: int
    """Hz."""
    n_fft: int
    """Samples of a frame. cqt: of the longest kernel's frame."""
    hop: int
    """Samples from frame to frame, at most n_fft."""
    window: str
    """One of `realtime.dsp.windows.WINDOWS`, periodic."""
    center: bool
    """Frames are centred on multiples of hop, with n_fft // 2 zeros before and behind the sound;
    else the first begins with the first sample."""
    n_rows: int
    """Bins (n_fft // 2 + 1 of them) or bands."""
    fmin: float
    fmax: float
    """Hz: the lower edge of the lowest band and the upper edge of the highest. stft: 0 and half
    the sample rate. cqt: the centre of the lowest row, and the centre that one more row would
    have, at fmin * 2 ** (n_rows / bins_per_octave)."""
    htk: bool
    """mel only: HTK's mel in place of Slaney's."""
    norm: str | None
    """mel only: "slaney", triangles of one area, or None, of height 1. Those of bark and erb are
    of height 1."""
    bins_per_octave: int | None
    """cqt only."""
    power: float
    """1: magnitudes were turned into dB, 2: power."""
    ref: float | None
    """What reads 0 dB, in units of magnitude ** power; None where nobody knows."""
    db_low: float
    db_high: float
    """dB of the darkest and of the brightest value shown."""
    n_samples: int | None
    """Of the sound, at `sample_rate`; None where nobody knows."""
    n_channels: int = 1
    n_columns: int | None = None
    """None: one column a frame. Else fewer: column c holds the frames from
    c * n_frames // n_columns up to where the next begins."""

    def __post_init__(self) -> None:
        for name, value in checked(asdict(self)).items():  # numpy's numbers become Python's
            object.__setattr__(self, name, value)

    @property
    def n_frames(self) -> int | None:
        """Frames that n_samples make, or None where that is unknown."""
        return None if self.n_samples is None else self.frames_in(self.n_samples)

    def frames_in(self, n_samples: int) -> int:
        """Frames that `n_samples` make: librosa's counts."""
        return frames_in(n_samples, self.n_fft, self.hop, center=self.center, kind=self.kind)

    def frame_times(self, n_frames: int | None = None) -> NDArray[np.float64]:
        """The middle of each frame in s, float64 (n_frames,); of all of them where None."""
        if n_frames is None:
            n_frames = self.n_frames
        if n_frames is None:
            raise SettingsError(["n_samples is unknown, so n_frames must be given"])
        first = 0 if self.center or self.kind == "cqt" else self.n_fft / 2
        return (np.arange(n_frames) * self.hop + first) / self.sample_rate

    def row_frequencies(self) -> NDArray[np.float64]:
        """The middle of each row in Hz, float64 (n_rows,), rising."""
        return self.hz_at(np.arange(self.n_rows))

    def hz_at(self, row: ArrayLike) -> NDArray[np.float64]:
        """Hz at any place on the axis of rows: row k reaches from k - 0.5 to k + 0.5."""
        scale, first, step = self._axis()
        return scale.inverse(first + step * np.asarray(row, np.float64))

    def row_at(self, hz: ArrayLike) -> NDArray[np.float64]:
        """The place of a frequency on the axis of rows: what a tick needs; undoes `hz_at`."""
        scale, first, step = self._axis()
        return (scale.forward(hz) - first) / step

    def values(self, db: ArrayLike) -> NDArray[np.float32]:
        """What `db`, any shape, was made from, float32, in units of magnitude ** power. An
        unknown ref counts as 1."""
        ref = 1.0 if self.ref is None else self.ref
        exponent = np.asarray(db, np.float64) * (self.power / 20)
        return (ref * 10**exponent).astype(np.float32)

    def _axis(self) -> tuple[FrequencyScale, float, float]:
        """Units in which rows are equally far apart, the first row's, and the step."""
        if self.kind == "stft":
            return SCALES["linear"], 0.0, self.sample_rate / self.n_fft
        if self.bins_per_octave is not None:
            return SCALES["log"], float(np.log2(self.fmin)), 1 / self.bins_per_octave
        scale = SLANEY if self.kind == "mel" and not self.htk else SCALES[self.kind]
        low, high = float(scale.forward(self.fmin)), float(scale.forward(self.fmax))
        step = (high - low) / (self.n_rows + 1)
        return scale, low + step, step

    def to_dict(self) -> dict[str, Any]:
        """What `to_json` writes."""
        return {"format": NAME, "version": VERSION, **asdict(self)}

    def to_json(self) -> str:
        return json.dumps(self.to_dict(), allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> PictureFormat:
        """Undo `to_json`. Raises SettingsError for any other text, whoever wrote it."""
        if len(text) > LONGEST_TEXT:
            raise SettingsError(
                [f"{len(text)} characters of format are more than {LONGEST_TEXT}: it is not ours"]
            )
        try:
            held = json.loads(text)
        except (ValueError, RecursionError) as fault:
            raise SettingsError(
                [f"{shown(text)} is no JSON: the picture's format is damaged"]
            ) from (fault)
        return cls.from_dict(held)

    @classmethod
    def from_dict(cls, held: Any) -> PictureFormat:
        """Undo `to_dict`. Raises SettingsError for anything else."""
        if not isinstance(held, dict) or held.get("format") != NAME:
            raise SettingsError(
                [f'{shown(held)} is no format of a picture: "format" must be {NAME}']
            )
        version = held.get("version")
        if type(version) is not int or version != VERSION:
            raise SettingsError(
                [f"version = {shown(version)} of the format must be {VERSION}: update realtime"]
            )
        known = [field.name for field in fields(cls)]
        missing = [name for name in known[: known.index("n_channels")] if name not in held]
        if missing:
            raise SettingsError([f"the format lacks {', '.join(missing)}: it is damaged"])
        return cls(**{name: held[name] for name in known if name in held})


def picture_format(
    kind: str = "stft",
    *,
    sample_rate: int,
    n_fft: int | None = None,
    hop: int = 512,
    window: str = "hann",
    center: bool = True,
    n_rows: int | None = None,
    fmin: float | None = None,
    fmax: float | None = None,
    htk: bool = False,
    norm: str | None = "slaney",
    bins_per_octave: int | None = None,
    power: float = 2.0,
    ref: float | None = 1.0,
    db_low: float = -80.0,
    db_high: float = 0.0,
    n_samples: int | None = None,
    n_channels: int = 1,
    n_columns: int | None = None,
) -> PictureFormat:
    """A `PictureFormat` whose other fields follow from the ones given, as in librosa.

    n_fft : 2048 where None; of a cqt it follows, whatever is given
    n_rows : 128 bands, 84 of a cqt, where None; of an stft it follows from n_fft
    fmin, fmax : the whole range where None; of a cqt from 32.7 Hz (C1) on, and fmax follows
    bins_per_octave : 12 of a cqt where None
    norm : nothing but mel has one
    Raises RequestError; where fields are at fault SettingsError, with all faults at once.
    """
    if kind == "cqt":
        fmin = CQT_FMIN if fmin is None else fmin
        bins_per_octave = 12 if bins_per_octave is None else bins_per_octave
        n_rows = CQT_ROWS if n_rows is None else n_rows
        n_fft = cqt_n_fft(sample_rate, fmin, bins_per_octave)
        fmax = fmin * 2.0 ** min(n_rows / bins_per_octave, MOST_OCTAVES)
    n_fft = 2048 if n_fft is None else n_fft
    if kind == "stft":
        n_rows = n_fft // 2 + 1
    return PictureFormat(
        kind=kind,
        sample_rate=sample_rate,
        n_fft=n_fft,
        hop=hop,
        window=window,
        center=center,
        n_rows=128 if n_rows is None else n_rows,
        fmin=0.0 if fmin is None else fmin,
        fmax=sample_rate / 2 if fmax is None else fmax,
        htk=htk,
        norm=norm if kind == "mel" else None,
        bins_per_octave=bins_per_octave,
        power=power,
        ref=ref,
        db_low=db_low,
        db_high=db_high,
        n_samples=n_samples,
        n_channels=n_channels,
        n_columns=n_columns,
    )
