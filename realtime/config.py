"""Settings: typed, frozen, checked as a whole before any device opens.

Precedence: defaults, preset, file, `--set`, flags. Every fault of a request is found at once
and raised as one `SettingsError`; a key is written `section.name` everywhere.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from realtime.errors import SettingsError

WindowName = Literal[
    "hann", "hamming", "blackman", "blackmanharris", "kaiser", "gaussian", "flattop"
]
ScaleName = Literal["linear", "log", "mel", "bark", "erb", "notes"]

N_FFT_RANGE = (256, 32768)
"""Samples; powers of two only, so that a picture row is a power of two bins."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class AudioSettings(_Section):
    """How sound is captured. None means: what the source offers."""

    sample_rate: int | None = Field(None, ge=1000, le=768_000)
    channels: int | None = Field(None, ge=1, le=64)
    block: int = Field(256, ge=16, le=16384)
    """Samples in one callback (5.3 ms at 48000 Hz)."""
    ring_seconds: float = Field(600.0, ge=1, le=7200)


class StftSettings(_Section):
    n_fft: int = Field(4096, ge=N_FFT_RANGE[0], le=N_FFT_RANGE[1])
    hop: int | None = Field(None, ge=1)
    """Samples; None means n_fft // 16."""
    window: WindowName = "hann"
    zero_pad: int = Field(1, ge=1, le=8)

    @property
    def hop_samples(self) -> int:
        return self.hop if self.hop is not None else self.n_fft // 16


class DisplaySettings(_Section):
    """How the picture looks. None of these changes what is kept."""

    scale: ScaleName = "log"
    f_low: float = Field(30.0, ge=0)
    """Hz at the lower edge."""
    f_high: float | None = Field(None, gt=0)
    """Hz at the upper edge; None means half the sample rate."""
    db_low: float = Field(-100.0, ge=-144, le=12)
    db_high: float = Field(0.0, ge=-144, le=12)
    gamma: float = Field(1.0, ge=0.1, le=10)
    tilt: float = Field(0.0, ge=-12, le=12)
    """dB added per octave above 1 kHz (and taken away below)."""
    colormap: str = "magma"
    span: float = Field(12.0, ge=0.5, le=7200)
    """Seconds from the left to the right edge: the scroll speed."""
    reduce: Literal["peak", "mean"] = "peak"
    """What several cells under one pixel become."""
    panes: Literal["each", "mean"] = "each"
    """One pane a channel, or the mean of all channels."""
    fps: int = Field(60, ge=1, le=240)


class Settings(_Section):
    audio: AudioSettings = AudioSettings()
    stft: StftSettings = StftSettings()
    display: DisplaySettings = DisplaySettings()
