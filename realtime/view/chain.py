"""The chain of effects and what people do to it: pure functions of the tuple in the settings."""

from __future__ import annotations

from collections.abc import Iterable

from realtime.config import Effect
from realtime.dsp.processors.base import Processor
from realtime.dsp.processors.parameters import Box, Boxes, Choice, Parameter, Switch
from realtime.dsp.processors.registry import BUILTIN, PROCESSORS, find_processor

Chain = tuple[Effect, ...]

MASK, FREEZE = "mask", "freeze"
"""Names of the effects that have keys of their own."""
TIMELESS = frozenset({"band"})
"""Effects whose boxes are bands of all times."""
TAKING = frozenset({"remove", "stop"})
"""Modes in which what lies inside boxes is not heard."""

SPAN = ("start", "stop")
"""Parameters, in samples, that together are a span of captured sound."""
HIGHEST_HZ = 1e6
"""Above every picture: how high a span is drawn."""

Place = tuple[int, str]
"""Of boxes: index of the effect, name of the parameter; of a span, the first of its two."""


def known_effects() -> dict[str, type[Processor]]:
    """Every processor by its name, those of the package first."""
    found = {name: find_processor(name) for name in BUILTIN if _is_there(name)}
    return found | PROCESSORS


def first_sentence(kind: type[Processor]) -> str:
    """What a processor does, from its docstring."""
    words = " ".join((kind.__doc__ or "").split())
    end = words.find(". ")
    return words[: end + 1] if end >= 0 else words


def label(effect_name: str) -> str:
    """ "pitch" -> "Pitch", "package.module:Class" -> "Class"."""
    name = effect_name.rpartition(":")[2]
    return name[:1].upper() + name[1:]


def parameter_label(name: str) -> str:
    """ "look_ahead" -> "Look ahead"; "db" is "Level", since its value says dB already."""
    if name == "db":
        return "Level"
    return name.replace("_", " ").capitalize()


def has_span(kind: type[Processor]) -> bool:
    """Whether it plays a span of captured sound."""
    return set(SPAN) <= set(kind.parameters())


def with_value(chain: Chain, index: int, name: str, value: object) -> Chain:
    effect = chain[index]
    return _replaced(chain, index, Effect(effect.name, {**effect.values, name: value}))


def with_defaults(chain: Chain, index: int) -> Chain:
    return _replaced(chain, index, Effect(chain[index].name).checked())


def added(chain: Chain, name: str) -> Chain:
    return (*chain, Effect(name).checked())


def without(chain: Chain, index: int) -> Chain:
    return chain[:index] + chain[index + 1 :]


def moved(chain: Chain, index: int, by: int) -> Chain:
    """One effect earlier (-1) or later (1), as far as there is room."""
    to = index + by
    if not 0 <= to < len(chain):
        return chain
    rest = list(without(chain, index))
    rest.insert(to, chain[index])
    return tuple(rest)


def switched(chain: Chain, name: str) -> Chain:
    """The switch of effect `name` turned; added and on where there is none; gone again where it
    has no switch."""
    index = _index(chain, name)
    if index is None:
        chain, index, on = added(chain, name), len(chain), False
    else:
        on = is_on(chain, name)
    switch = _first(chain[index], Switch)
    if switch is not None:
        return with_value(chain, index, switch, not on)
    return without(chain, index) if on else chain


def is_on(chain: Chain, name: str) -> bool:
    """Whether effect `name` is at work: its switch, where it has one."""
    index = _index(chain, name)
    if index is None:
        return False
    switch = _first(chain[index], Switch)
    return switch is None or bool(chain[index].values[switch])


# ---------------------------------------------------------------------- boxes


def boxes_place(chain: Chain, aimed: Place | None = None) -> Place | None:
    """Where boxes that are drawn go: where `aimed` says, else to the first mask; None: nowhere."""
    if aimed is not None and aimed[0] < len(chain):
        index, name = aimed
        if isinstance(parameters(chain[index]).get(name), Boxes) or spans(chain, aimed):
            return aimed
    index = _index(chain, MASK)
    found = None if index is None else _first(chain[index], Boxes)
    return None if index is None or found is None else (index, found)


def boxes_at(chain: Chain, place: Place | None) -> tuple[Box, ...]:
    """The boxes at `place`; a span is one as high as the picture."""
    if place is None:
        return ()
    values = chain[place[0]].values
    if spans(chain, place):
        start, stop = (int(values[name]) for name in SPAN)
        return (Box(0.0, HIGHEST_HZ, start, stop),) if stop else ()
    return tuple(values[place[1]])


def spans(chain: Chain, place: Place | None) -> bool:
    """Whether what is drawn for `place` is a span of time."""
    if place is None or place[1] not in SPAN:
        return False
    return has_span(find_processor(chain[place[0]].name))


def with_boxes(chain: Chain, place: Place | None, boxes: Iterable[Box]) -> Chain:
    """These boxes in the effect at `place`, or the span of the last one; None adds a mask that
    has them."""
    if place is None:
        chain = added(chain, MASK)
        place = boxes_place(chain)
        assert place is not None
    if spans(chain, place):
        box = [Box(0.0, 0.0), *boxes][-1]
        return with_span(chain, place[0], (box.start, box.stop))
    if timeless(chain, place):
        boxes = (box._replace(start=0, stop=0) for box in boxes)
    return with_value(chain, *place, tuple(dict.fromkeys(boxes)))


def with_span(chain: Chain, index: int, span: tuple[int, int]) -> Chain:
    """(0, 0) for none."""
    for name, sample in zip(SPAN, span, strict=True):
        chain = with_value(chain, index, name, sample)
    return chain


def timeless(chain: Chain, place: Place | None) -> bool:
    """Whether the effect at `place` takes bands of all times alone."""
    return place is not None and chain[place[0]].name in TIMELESS


def takes(chain: Chain, place: Place | None) -> bool:
    """Whether the effect at `place` leaves out what lies inside its boxes."""
    return place is not None and not TAKING.isdisjoint(_words(chain[place[0]]))


def next_mode(chain: Chain, place: Place | None) -> Chain:
    """The next choice of the effect at `place`: hear only what is drawn, or everything else."""
    name = None if place is None else _first(chain[place[0]], Choice)
    if place is None or name is None:
        return chain
    parameter = parameters(chain[place[0]])[name]
    assert isinstance(parameter, Choice)
    at = parameter.choices.index(chain[place[0]].values[name]) + 1
    return with_value(chain, place[0], name, parameter.choices[at % len(parameter.choices)])


def parameters(effect: Effect) -> dict[str, Parameter]:
    return find_processor(effect.name).parameters()


def _first(effect: Effect, kind: type[Parameter]) -> str | None:
    return next((n for n, p in parameters(effect).items() if isinstance(p, kind)), None)


def _words(effect: Effect) -> set[str]:
    return {value for value in effect.values.values() if isinstance(value, str)}


def _index(chain: Chain, name: str) -> int | None:
    return next((i for i, effect in enumerate(chain) if effect.name == name), None)


def _replaced(chain: Chain, index: int, effect: Effect) -> Chain:
    return (*chain[:index], effect, *chain[index + 1 :])


def _is_there(name: str) -> bool:
    try:
        find_processor(name)
    except ModuleNotFoundError:
        return False
    return True
