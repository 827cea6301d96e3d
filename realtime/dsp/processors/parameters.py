"""What a processor can be set to: descriptors that hold default, range and unit.

On the class they describe (a control in the window is made from that), on an instance they read
as the value. `checked` takes what came from a file, a command line or a control.
"""

from __future__ import annotations

import math
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar, overload

import numpy as np

from realtime.errors import RequestError

T = TypeVar("T")


class Parameter(Generic[T]):
    """Base of all. default : of type T."""

    def __init__(self, default: T):
        self.default = default
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...
    @overload
    def __get__(self, instance: object, owner: type) -> T: ...
    def __get__(self, instance: Any, owner: type) -> Any:
        return self if instance is None else instance.values[self.name]

    def __set__(self, instance: object, value: Any) -> None:
        raise AttributeError(f"{self.name} is frozen: use changed({{'{self.name}': ...}})")

    def checked(self, key: str, value: Any) -> T:
        """`value`, or what its text means. Raises RequestError with `key` in its sentence."""
        raise NotImplementedError

    def text(self, value: T) -> str:
        """`value` as people write it: `checked` reads it back."""
        return str(value)


class Number(Parameter[float]):
    """A number within low..high, in `unit`. logarithmic : how a slider runs."""

    def __init__(
        self,
        default: float,
        low: float,
        high: float,
        unit: str = "",
        *,
        whole: bool = False,
        logarithmic: bool = False,
    ):
        super().__init__(default)
        self.low, self.high, self.unit = low, high, unit
        self.whole, self.logarithmic = whole, logarithmic

    def checked(self, key: str, value: Any) -> float:
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError, OverflowError):
            number = math.nan
        if not self.low <= number <= self.high or (self.whole and number != int(number)):
            kind = "a whole number" if self.whole else "a number"
            unit = f" {self.unit}" if self.unit else ""
            raise RequestError(
                f"{key} = {value!r} must be {kind} from {self.low:g} to {self.high:g}{unit} "
                f"(try {self.default:g})"
            )
        return int(number) if self.whole else number


class Switch(Parameter[bool]):
    """On or off."""

    _WORDS: ClassVar[dict[str, bool]] = {
        **{"on": True, "true": True, "yes": True},
        **{"off": False, "false": False, "no": False},
    }

    def checked(self, key: str, value: Any) -> bool:
        meant = value if isinstance(value, bool) else self._WORDS.get(str(value).lower())
        if meant is None:
            raise RequestError(f"{key} = {value!r} must be on or off")
        return meant

    def text(self, value: bool) -> str:
        return "on" if value else "off"


class Choice(Parameter[str]):
    """One of a few words."""

    def __init__(self, default: str, choices: tuple[str, ...]):
        super().__init__(default)
        self.choices = choices

    def checked(self, key: str, value: Any) -> str:
        if not (isinstance(value, str) and value in self.choices):
            raise RequestError(f"{key} = {value!r} must be one of {', '.join(self.choices)}")
        return value


class Box(NamedTuple):
    """A part of the picture: f_low..f_high in Hz, start..stop in samples since the stream began.

    stop = 0 means always: a band of frequencies.
    """

    f_low: float
    f_high: float
    start: int = 0
    stop: int = 0


class Boxes(Parameter[tuple[Box, ...]]):
    """Any set of boxes: text "300-3400+5000-6000", or with samples "300-3400@48000-96000"."""

    def checked(self, key: str, value: Any) -> tuple[Box, ...]:
        try:
            boxes = value.split("+") if isinstance(value, str) else value
            return tuple(_box(box) for box in boxes if box != "")
        except (TypeError, ValueError, OverflowError) as error:
            raise RequestError(
                f"{key} = {value!r} must be bands in Hz, low-high, joined by +, each with "
                "@start-stop in samples where it has a time (try 300-3400)"
            ) from error

    def text(self, value: tuple[Box, ...]) -> str:
        return "+".join(
            f"{_decimal(box.f_low)}-{_decimal(box.f_high)}"
            + (f"@{box.start}-{box.stop}" if box.stop else "")
            for box in value
        )


def _decimal(number: float) -> str:
    """Every digit, and no exponent, whose sign would read as the minus between two numbers."""
    return np.format_float_positional(number, trim="-")


def _box(value: Any) -> Box:
    """Raises TypeError, ValueError or OverflowError where `value` is no box."""
    if isinstance(value, str):
        band, at, time = value.partition("@")
        value = [*band.split("-"), *(time.split("-") if at else ())]
    low, high, start, stop = (*value, 0, 0) if len(value) == 2 else value
    box = Box(float(low), float(high), int(start), int(stop))
    if not (
        0 <= box.f_low < box.f_high < math.inf and (box.stop == 0 or 0 <= box.start < box.stop)
    ):
        raise ValueError
    return box
