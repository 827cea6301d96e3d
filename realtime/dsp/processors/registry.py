"""Processors by name, and an effect as people write it: `NAME[:key=value,...]`.

The name is one of `BUILTIN`, one that `register` gave, or `package.module:Class`.
"""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from realtime.dsp.processors.base import Capture, FrameFormat, Processor, checked_values
from realtime.errors import RequestError

BUILTIN = {
    "gain": "gain",
    "band": "band",
    "mask": "mask",
    "gate": "gate",
    "denoise": "denoise",
    "freeze": "freeze",
    "stretch": "stretch",
    "pitch": "pitch",
    "robot": "robot",
    "whisper": "whisper",
    "magnitude": "magnitude",
    "mel": "mel",
}
"""Name of each processor that comes with the package, and its module here."""

PROCESSORS: dict[str, type[Processor]] = {}
"""Those imported so far."""


def register(name: str) -> Callable[[type[Processor]], type[Processor]]:
    """Class decorator: makes a processor known by `name`."""

    def known(kind: type[Processor]) -> type[Processor]:
        kind.name = name
        PROCESSORS[name] = kind
        return kind

    return known


def find_processor(name: str) -> type[Processor]:
    """The class called `name`. Raises RequestError."""
    if name in PROCESSORS:
        return PROCESSORS[name]
    if name in BUILTIN:
        importlib.import_module(f"realtime.dsp.processors.{BUILTIN[name]}")
        return PROCESSORS[name]
    if ":" in name:
        return _load(name)
    known = sorted({*BUILTIN, *PROCESSORS})
    near = difflib.get_close_matches(name.lower(), known, n=1)
    hint = f", did you mean {near[0]!r}?" if near else f"; known: {', '.join(known)}"
    raise RequestError(f"unknown effect {name!r}{hint}")


def _load(path: str) -> type[Processor]:
    module_name, _, class_name = path.partition(":")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # a stranger's module may raise anything
        raise RequestError(
            f"effect {path!r}: module {module_name!r} cannot be imported ({error!r}); is it on "
            "the Python path?"
        ) from error
    kind = getattr(module, class_name, None)
    if not (isinstance(kind, type) and issubclass(kind, Processor)):
        raise RequestError(
            f"effect {path!r}: {module_name!r} must hold a class {class_name!r}, a subclass of "
            "realtime.Processor"
        )
    if "name" not in vars(kind):
        kind.name = path
    return kind


@dataclass(frozen=True)
class Effect:
    """A processor's name and the parameters that were given: crosses to the engine's process."""

    name: str
    values: Mapping[str, Any] = field(default_factory=dict)

    def checked(self) -> Effect:
        """The same with every value checked and its defaults filled in. Raises RequestError."""
        return Effect(self.name, checked_values(find_processor(self.name), self.values))

    def create(self, format: FrameFormat, capture: Capture | None = None) -> Processor:
        """Raises RequestError, also where `format` does not suit the processor."""
        return find_processor(self.name)(format, self.values, capture)


def parse_effect(text: str) -> Effect:
    """`NAME[:key=value,...]`, checked. Raises RequestError.

    `package.module:Class:key=value` for a processor of one's own.
    """
    name, _, settings = text.strip().partition(":")
    class_name, _, rest = settings.partition(":")
    if name not in {*BUILTIN, *PROCESSORS} and class_name.isidentifier():
        name, settings = f"{name}:{class_name}", rest
    values: dict[str, str] = {}
    for setting in filter(None, settings.split(",")):
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise RequestError(
                f"--effect {text!r}: {setting!r} must be key=value (as in gain:db=-6)"
            )
        values[key.strip()] = value.strip()
    return Effect(name, values).checked()
