"""librosa's griffinlim beginning at the same phases in each run, in every version."""

from __future__ import annotations

import inspect

import librosa

SEED = {"rng" if "rng" in inspect.signature(librosa.griffinlim).parameters else "random_state": 0}
"""The name that the parameter has had since librosa 1.0, or before."""
