"""Effects as texts and tables: what is read, what is refused, and what is written back."""

from __future__ import annotations

import pytest

from realtime.config import Settings, change, load
from realtime.dsp.processors.registry import parse_effect
from realtime.effects import effect_text
from realtime.errors import SettingsError


@pytest.mark.parametrize(
    "text",
    [
        "gain:db=-6",
        "band:bands=300-3400+5000-6000,mode=stop",
        "mask:boxes=300-400@4800-9600",
        "robot",
    ],
)
def test_what_is_written_reads_back_as_the_same_effect(text: str) -> None:
    effect = parse_effect(text)
    assert parse_effect(effect_text(effect)) == effect


def test_later_layers_replace_the_whole_list(tmp_path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[[effect]]\nname = "gain"\ndb = -3\n[[effect]]\nname = "whisper"\n')
    assert [effect.name for effect in load(file=file).effect] == ["gain", "whisper"]
    given = load(file=file, flags={"effect": ["robot"]})
    assert [effect.name for effect in given.effect] == ["robot"]


def test_all_faulty_effects_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as refused:
        load(flags={"effect": ["gian", "gain:db=99", "gain"]})
    assert len(refused.value.faults) == 2


def test_a_change_of_effects_is_checked_and_the_rest_stays() -> None:
    settings = change(Settings(), {"effect": ["gain:db=-6"]})
    assert settings.effect[0].values == {"db": -6.0}
    assert change(settings, {"monitor.gain": -3.0}).effect == settings.effect
