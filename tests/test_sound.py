"""What the monitor's window offers: choices, keys, changes of the chain, latencies. All pure."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.config import Effect, Settings, change
from realtime.dsp.processors.base import Processor
from realtime.dsp.processors.parameters import Box, Number, Switch
from realtime.dsp.processors.registry import PROCESSORS
from realtime.view import chain
from realtime.view.keys import ACTIONS, help_rows
from realtime.view.latency import latency_tip, part_texts, total_text
from realtime.view.sound import (
    GAIN_RANGE,
    MENU,
    SOUND_ACTIONS,
    SOUND_BY_KEY,
    SOUND_CHOICES,
    actions_for,
    louder,
)

RATE = 48000
BOX = Box(300.0, 3400.0, 1000, 2000)


class Held(Processor):
    """Holds on while `on`. More is told here."""

    on = Switch(False)
    amount = Number(0.5, 0, 1)


class Plain(Processor):
    """Has no switch"""


@pytest.fixture(autouse=True)
def _effects_of_this_test(monkeypatch):
    for name, kind in (("held", Held), ("plain", Plain)):
        monkeypatch.setattr(kind, "name", name)
        monkeypatch.setitem(PROCESSORS, name, kind)


def effects(*names):
    return tuple(Effect(name).checked() for name in names)


# ---------------------------------------------------------------------- keys


@pytest.mark.parametrize("monitors", [False, True])
def test_no_key_means_two_things_and_every_action_has_one(monitors):
    table = actions_for(monitors)
    keys = [key for action in table for key in action.keys]
    assert len(keys) == len(set(keys))
    assert all(action.keys for action in table)
    for menu in {action.menu for action in table}:
        assert all(names for names, _ in help_rows(menu, table))


def test_live_knows_nothing_of_the_sound():
    assert actions_for(False) is ACTIONS
    assert MENU not in {action.menu for action in ACTIONS}


def test_in_the_monitor_nothing_of_live_is_lost():
    by_name = {action.name: action for action in actions_for(True)}
    for action in ACTIONS:
        assert set(by_name[action.name].keys) <= set(action.keys)
    assert set(by_name) == {action.name for action in (*ACTIONS, *SOUND_ACTIONS)}


CHANGES = [action for action in actions_for(True) if action.change is not None]


@given(st.lists(st.sampled_from(CHANGES), max_size=60))
def test_no_sequence_of_keys_asks_for_settings_that_are_refused(actions):
    settings = change(Settings(), {"effect": (Effect("mask", {"boxes": (BOX,)}),)})
    for action in actions:
        settings = change(settings, action.change(settings, RATE))


def test_loudness_stays_within_its_range():
    assert louder(Settings(), 1.0) == {"monitor.gain": 1.0}
    assert louder(Settings(), 100.0) == {"monitor.gain": GAIN_RANGE[1]}
    assert louder(Settings(), -100.0) == {"monitor.gain": GAIN_RANGE[0]}


def act(name, settings):
    action = next(action for action in SOUND_ACTIONS if action.name == name)
    assert action.change is not None
    return change(settings, action.change(settings, RATE))


def test_mute_and_bypass_turn_and_turn_back():
    for name in ("mute", "bypass"):
        once = act(name, Settings())
        assert getattr(once.monitor, name) is True
        assert act(name, once) == Settings()


def test_the_mask_has_keys_to_turn_it_round_and_to_clear_it():
    settings = change(Settings(), {"effect": (Effect("gain"), Effect("mask", {"boxes": (BOX,)}))})
    turned = act("mask_mode", settings)
    assert turned.effect[1].values["mode"] == "remove"
    assert act("mask_mode", turned) == settings
    assert act("mask_clear", settings).effect[1].values["boxes"] == ()
    assert act("mask_clear", Settings()) == act("mask_mode", Settings()) == Settings()


# ---------------------------------------------------------------------- choices

starts = [
    {},
    {"monitor.n_fft": 2048, "monitor.hop": 64, "monitor.synthesis": 128},
    {"monitor.n_fft": 8192, "monitor.hop": 256, "monitor.synthesis": 1024},
    {"monitor.n_fft": 128, "monitor.hop": 4},
]


@pytest.mark.parametrize("choice", SOUND_CHOICES, ids=lambda choice: choice.key)
def test_every_value_of_every_choice_is_accepted_and_has_a_text(choice):
    for value in choice.values:
        settings = change(Settings(), choice.put(Settings(), value))
        assert choice.get(settings) == value
        assert choice.text(value)


@given(
    st.sampled_from(starts),
    st.lists(st.tuples(st.sampled_from(SOUND_CHOICES), st.integers(0, 9)), max_size=8),
)
def test_sizes_hops_and_windows_always_fit_together(start, steps):
    settings = change(Settings(), start)
    for choice, at in steps:
        value = choice.values[at % len(choice.values)]
        settings = change(settings, choice.put(settings, value))
        if choice.key != "monitor.hop" or settings.monitor.synthesis is None:
            assert choice.get(settings) == value


def test_a_short_synthesis_window_is_the_preset_and_a_larger_size_keeps_its_delay():
    short = change(Settings(), SOUND_BY_KEY["monitor.synthesis"].put(Settings(), 128))
    assert (short.monitor.n_fft, short.monitor.hop, short.monitor.synthesis) == (2048, 64, 128)
    smaller = change(short, SOUND_BY_KEY["monitor.n_fft"].put(short, 1024))
    assert (smaller.monitor.hop, smaller.monitor.synthesis) == (64, 128)
    whole = change(short, SOUND_BY_KEY["monitor.synthesis"].put(short, 0))
    assert (whole.monitor.n_fft, whole.monitor.hop, whole.monitor.synthesis) == (2048, 512, None)


# ---------------------------------------------------------------------- the chain


def test_effects_move_as_far_as_there_is_room_and_go():
    three = effects("gain", "robot", "whisper")
    assert [e.name for e in chain.moved(three, 0, 1)] == ["robot", "gain", "whisper"]
    assert [e.name for e in chain.moved(three, 2, -1)] == ["gain", "whisper", "robot"]
    assert chain.moved(three, 0, -1) == chain.moved(three, 2, 1) == three
    assert chain.without(three, 1) == effects("gain", "whisper")


def test_a_value_is_put_into_one_effect_and_defaults_come_back():
    two = chain.with_value(effects("gain", "gain"), 1, "db", -6.0)
    assert [e.values["db"] for e in two] == [0, -6.0]
    assert chain.with_defaults(two, 1) == effects("gain", "gain")


def test_a_switched_effect_is_added_on_then_turned_off_and_on():
    on = chain.switched((), "held")
    assert on[0].values["on"] is True and chain.is_on(on, "held")
    off = chain.switched(on, "held")
    assert off[0].values["on"] is False and not chain.is_on(off, "held")
    assert chain.switched(off, "held") == on


def test_an_effect_without_a_switch_is_added_and_taken_away():
    on = chain.switched(effects("gain"), "plain")
    assert chain.is_on(on, "plain")
    assert chain.switched(on, "plain") == effects("gain")


def test_drawn_boxes_go_where_one_aims_else_to_the_first_mask_else_to_a_new_one():
    assert chain.boxes_place(effects("gain")) is None
    made = chain.with_boxes(effects("gain"), None, [BOX])
    assert made[1].name == "mask"
    assert chain.boxes_at(made, chain.boxes_place(made)) == (BOX,)
    both = effects("band", "gain", "mask")
    assert chain.boxes_place(both) == (2, "boxes")
    assert chain.boxes_place(both, (0, "bands")) == (0, "bands")
    assert chain.boxes_place(both, (1, "db")) == (2, "boxes"), "no boxes there"
    assert chain.boxes_place(both, (7, "boxes")) == (2, "boxes"), "it is gone"


def test_a_band_keeps_the_frequencies_of_a_box_and_no_time():
    banded = chain.with_boxes(effects("band"), (0, "bands"), [BOX, BOX._replace(start=5)])
    assert banded[0].values["bands"] == (Box(300.0, 3400.0),)


def test_a_span_is_drawn_as_a_box_of_all_frequencies_and_is_the_last_one_drawn():
    stretch = effects("gain", "stretch")
    place = chain.boxes_place(stretch, (1, "start"))
    assert place == (1, "start") and chain.spans(stretch, place)
    assert chain.boxes_at(stretch, place) == ()
    drawn = chain.with_boxes(stretch, place, [BOX, BOX._replace(start=5000, stop=9000)])
    assert (drawn[1].values["start"], drawn[1].values["stop"]) == (5000, 9000)
    (shown,) = chain.boxes_at(drawn, place)
    assert shown[2:] == (5000, 9000) and shown.f_low == 0 and shown.f_high > 1e5
    assert chain.with_boxes(drawn, place, ()) == stretch
    assert not chain.spans(effects("mask"), (0, "boxes"))


def test_it_is_known_whether_the_inside_of_the_boxes_is_heard():
    masked = effects("mask")
    assert not chain.takes(masked, (0, "boxes"))
    assert chain.takes(chain.next_mode(masked, (0, "boxes")), (0, "boxes"))
    assert not chain.takes(masked, None)


def test_every_effect_there_is_can_be_added_and_says_what_it_does():
    known = chain.known_effects()
    assert {"gain", "mask", "band", "held"} <= set(known)
    for name, kind in known.items():
        assert chain.added((), name)[0].name == name
        assert chain.first_sentence(kind), name
    assert chain.first_sentence(Held) == "Holds on while `on`."
    assert chain.first_sentence(Plain) == "Has no switch"


def test_names_are_written_for_people():
    assert chain.label("pitch") == "Pitch"
    assert chain.label("some.module:MyEffect") == "MyEffect"
    assert chain.parameter_label("look_ahead") == "Look ahead"
    assert chain.parameter_label("db") == "Level"


# ---------------------------------------------------------------------- latency


def readout(*parts):
    names = ("algorithmic_ms", "effects_ms", "transport_ms", "device_ms")
    return SimpleNamespace(**dict(zip(names, parts, strict=True)))


def test_latencies_are_shown_in_parts_and_summed():
    parts = readout(16.0, 0.0, 5.25, 2.0)
    assert part_texts(parts) == ["16.0 ms", "0.0 ms", "5.2 ms", "2.0 ms"]
    assert total_text(parts) == "23.2 ms"
    assert latency_tip(parts).endswith("Transport: 5.2 ms\nDevices: 2.0 ms")
