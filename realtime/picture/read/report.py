"""What was read, how, and how surely; and what the caller said himself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, NoReturn

from realtime.errors import RequestError, SourceError

LEAST_CERTAINTY = 0.5
"""Below it a picture is refused."""

OVERRIDES = {
    "axes_box": "left,top,right,bottom of the axes in pixels",
    "colormap": "name of the colour map",
    "db_low": "dB of the lowest colour",
    "db_high": "dB of the highest colour",
    "seconds": "length of the time axis",
    "kind": "mel or stft",
    "sample_rate": "Hz",
    "n_fft": "samples",
    "hop": "samples",
    "n_rows": "bands, or bins",
    "fmin": "Hz of the lowest band's edge",
    "fmax": "Hz of the highest band's edge",
    "htk": "HTK's mel",
}


class Found(NamedTuple):
    """value : JSON-able. how : in words. certainty : 0..1; None where it was assumed, and
    nothing seen speaks for or against it: it does not count."""

    value: Any
    how: str
    certainty: float | None


class Report:
    """Collects what was found; refuses what cannot be relied on."""

    def __init__(self, name: str, overrides: Mapping[str, Any]):
        for key in overrides:
            if key not in OVERRIDES:
                raise RequestError(f"override '{key}' is unknown: use {', '.join(OVERRIDES)}")
        self.name = name
        self.given = {key: value for key, value in overrides.items() if value is not None}
        self.found: dict[str, Found] = {}

    def copy(self) -> Report:
        """One that knows what this one does, and goes its own way."""
        other = Report(self.name, self.given)
        other.found = dict(self.found)
        return other

    def add(self, key: str, value: Any, how: str, certainty: float | None) -> None:
        rounded = None if certainty is None else round(float(certainty), 3)
        self.found[key] = Found(value, how, rounded)

    def say(self, key: str) -> Any:
        """What the caller gave for `key`, written down; None where nothing."""
        if key not in self.given:
            return None
        self.add(key, self.given[key], "given", 1.0)
        return self.given[key]

    @property
    def certainty(self) -> float:
        """Of the whole: that of its weakest part."""
        return min((f.certainty for f in self.found.values() if f.certainty is not None), default=0)

    def check(self) -> None:
        """Raises SourceError where the whole is too uncertain."""
        if self.certainty >= LEAST_CERTAINTY:
            return
        key = min(
            (key for key, f in self.found.items() if f.certainty is not None),
            key=lambda key: self.found[key].certainty or 0,
        )
        worst = self.found[key]
        flag = key
        if key == "n_rows":
            flag = "n_fft" if self.found["kind"].value == "stft" else "n_mels"
        hint = f"--{flag.replace('_', '-')}" if key in OVERRIDES else "a larger picture as PNG"
        self.refuse(
            f"{key} = {worst.value} ({worst.how}) is only {worst.certainty:.0%} certain, "
            f"{LEAST_CERTAINTY:.0%} are needed: give {hint}"
        )

    def refuse(self, why: str) -> NoReturn:
        raise SourceError(f"{self.name}: {why}")

    def as_dict(self) -> dict[str, Any]:
        """For JSON: the overall certainty, and every item."""
        return {
            "certainty": round(self.certainty, 3),
            "items": {key: item._asdict() for key, item in self.found.items()},
        }
