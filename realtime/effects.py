"""Effects as people write them: texts after `--effect`, and tables of a settings file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from realtime.dsp.processors.registry import Effect, find_processor, parse_effect
from realtime.errors import RequestError
from realtime.wording import shown

EXAMPLE = 'write [[effect]], then name = "gain" and db = -6'


def read_effects(value: Any, faults: list[str]) -> tuple[Effect, ...]:
    """The effects that `value` lists, each checked; sentences about the others go to `faults`.

    value : a list, each a text `NAME[:key=value,...]`, a table with `name`, or an `Effect`
    """
    if not isinstance(value, list | tuple):
        faults.append(f"effect = {shown(value)} must be a list: {EXAMPLE}")
        return ()
    effects: list[Effect] = []
    for item in value:
        try:
            effects.append(_effect(item))
        except RequestError as error:
            faults.append(str(error))
    return tuple(effects)


def effect_text(effect: Effect) -> str:
    """As after `--effect`."""
    known = find_processor(effect.name).parameters()
    values = ",".join(f"{key}={known[key].text(value)}" for key, value in effect.values.items())
    return f"{effect.name}:{values}" if values else effect.name


def _effect(item: Any) -> Effect:
    if isinstance(item, Effect):
        return item.checked()
    if isinstance(item, str):
        return parse_effect(item)
    if isinstance(item, Mapping) and isinstance(item.get("name"), str):
        return Effect(item["name"], {k: v for k, v in item.items() if k != "name"}).checked()
    raise RequestError(f"effect {shown(item)} has no name: {EXAMPLE}")
