"""What a processor can be set to, how an effect is written, and where its class comes from."""

from __future__ import annotations

import math
import pickle
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from clicks import frame_format
from hypothesis import given
from hypothesis import strategies as st

from realtime.dsp.processors import registry
from realtime.dsp.processors.base import Processor
from realtime.dsp.processors.parameters import Box, Boxes, Choice, Number, Switch
from realtime.dsp.processors.registry import (
    PROCESSORS,
    Effect,
    find_processor,
    parse_effect,
    register,
)
from realtime.errors import RequestError


class Example(Processor):
    """Adds `count` to every bin, and one more for each frame it has seen."""

    name = "example"
    count = Number(2, 0, 8, "dB", whole=True)
    depth = Number(0.5, 0, 1)
    on = Switch(True)
    way = Choice("up", ("up", "down"))
    where = Boxes(())

    def prepare(self) -> None:
        self.table = np.full(self.format.n_bins, self.count, np.float32)
        self.frozen = np.arange(4)
        self.frozen.setflags(write=False)

    def reset(self) -> None:
        self.seen = np.zeros(1, int)

    def process(self, frames: np.ndarray) -> np.ndarray:
        self.seen += len(frames)
        return frames + self.table


REFUSED = {
    "count=2.5": "must be a whole number from 0 to 8 dB (try 2)",
    "count=9": "must be a whole number from 0 to 8 dB (try 2)",
    "count=-1": "must be a whole number from 0 to 8 dB (try 2)",
    "count=nan": "must be a whole number from 0 to 8 dB (try 2)",
    "count=two": "must be a whole number from 0 to 8 dB (try 2)",
    "count=": "must be a whole number from 0 to 8 dB (try 2)",
    "depth=inf": "must be a number from 0 to 1 (try 0.5)",
    "on=1": "must be on or off",
    "on=maybe": "must be on or off",
    "way=left": "must be one of up, down",
    "where=300": "must be bands in Hz",
    "where=3400-300": "must be bands in Hz",
    "where=-5-300": "must be bands in Hz",
    "where=nan-300": "must be bands in Hz",
    "where=300-inf": "must be bands in Hz",
    "where=a-b": "must be bands in Hz",
    "where=1-2-3": "must be bands in Hz",
    "where=1-2@": "must be bands in Hz",
    "where=1-2@7": "must be bands in Hz",
    "where=1-2@7-7": "must be bands in Hz",
    "where=1-2@9-7": "must be bands in Hz",
    "where=1-2@0.5-7": "must be bands in Hz",
}


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.PROCESSORS, "example", Example)


@pytest.mark.parametrize(("setting", "rule"), REFUSED.items())
def test_a_value_out_of_range_is_refused_with_name_value_and_rule(setting: str, rule: str):
    key, _, value = setting.partition("=")
    with pytest.raises(RequestError) as refusal:
        parse_effect(f"example:{setting}")
    assert f"example:{key} = {value!r} {rule}" in str(refusal.value)


NEITHER_TEXT_NOR_RIGHT = [
    *[("count", value) for value in (None, True, [2], 10**400, math.nan)],
    *[("on", value) for value in (None, 1, [True])],
    *[("way", value) for value in (None, 1, ["up"], np.array(["up", "down"]))],
    *[("where", value) for value in (None, 5, [5], [(1, 2, 3)], [(1, 2, 3, 4, 5)], [("a", "b")])],
    *[("where", value) for value in ([(2, 1)], [(1, 2, 9, 3)], [(1, 2, -1, 3)], [None])],
]


@pytest.mark.parametrize(("key", "value"), NEITHER_TEXT_NOR_RIGHT)
def test_a_value_of_another_type_is_refused_too(key: str, value: object):
    with pytest.raises(RequestError, match=f"^example:{key} = "):
        Effect("example", {key: value}).checked()


def test_values_are_read_from_text():
    effect = parse_effect("example: count=3, on=off,way=down,where=0-50+300-3400.5@48000-96000")
    boxes = (Box(0, 50), Box(300, 3400.5, 48000, 96000))
    assert effect.values == {"count": 3, "depth": 0.5, "on": False, "way": "down", "where": boxes}
    assert isinstance(effect.values["count"], int)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 1e5), st.floats(1e-3, 1e5), st.integers(0, 10**12), st.integers(0, 10**9)
        ),
        max_size=4,
    )
)
def test_what_boxes_write_they_read_back(corners: list[tuple[float, float, int, int]]):
    boxes = tuple(
        Box(low, low + height, start if length else 0, start + length if length else 0)
        for low, height, start, length in corners
    )
    assert Example.where.checked("where", Example.where.text(boxes)) == boxes


def test_what_the_others_write_they_read_back():
    for parameter, value in [
        (Example.count, 3),
        (Example.depth, 0.1),
        (Example.on, True),
        (Example.on, False),
        (Example.way, "down"),
    ]:
        assert parameter.checked("", parameter.text(value)) == value  # pyright: ignore


def test_what_was_checked_passes_again_and_crosses_to_another_process():
    effect = parse_effect("example:where=300-3400@5-9,count=4")
    assert effect.checked() == effect
    assert pickle.loads(pickle.dumps(effect)) == effect


def test_parameters_are_listed_in_the_order_they_were_written_those_of_the_base_first():
    class More(Example):
        more = Number(0, 0, 1)
        count = Number(1, 0, 2)

    assert list(More.parameters()) == ["count", "depth", "on", "way", "where", "more"]
    assert More.parameters()["count"].default == 1
    assert Example.count.unit == "dB"


def test_a_parameter_is_frozen():
    processor = Example(frame_format())
    with pytest.raises(AttributeError, match=r"count is frozen: use changed\({'count': ...}\)"):
        processor.count = 3
    assert processor.count == 2


def test_changed_gives_a_copy_with_other_values_and_the_same_state():
    processor = Example(frame_format(), {"depth": 0.25})
    processor.process(np.zeros((3, 1, 513), np.complex64))
    twin = processor.changed({"count": 5})
    assert (twin.count, twin.depth, twin.table[0], twin.seen[0]) == (5, 0.25, 5, 3)
    twin.process(np.zeros((2, 1, 513), np.complex64))
    assert (processor.count, processor.table[0], processor.seen[0]) == (2, 2, 3)
    assert twin.format is processor.format
    assert processor.frozen is not twin.frozen  # `prepare` made it anew
    with pytest.raises(RequestError, match="count = 9"):
        processor.changed({"count": 9})


def test_changed_shares_arrays_that_nothing_writes_to():
    class Holds(Example):
        def prepare(self) -> None:
            pass

        def reset(self) -> None:
            self.large, self.small = np.zeros(9), np.zeros(9)
            self.large.setflags(write=False)

    processor = Holds(frame_format())
    twin = processor.changed({})
    assert twin.large is processor.large
    assert twin.small is not processor.small


def test_an_unknown_parameter_is_refused_with_those_there_are():
    with pytest.raises(RequestError, match="effect 'gain' has no parameter 'loud'; it has: db"):
        parse_effect("gain:loud=3")


@pytest.mark.parametrize("text", ["gain:db", "gain:-6", "gain:db=1,3", "gain:=3", "gain: =3"])
def test_a_setting_without_key_or_value_is_refused(text: str):
    with pytest.raises(RequestError, match=r"must be key=value \(as in gain:db=-6\)"):
        parse_effect(text)


def test_an_unknown_effect_is_refused_with_what_may_have_been_meant():
    with pytest.raises(RequestError, match=r"unknown effect 'gian', did you mean 'gain'\?"):
        parse_effect("gian:db=3")
    with pytest.raises(RequestError, match="unknown effect ''; known: band, "):
        parse_effect("")


@pytest.mark.parametrize("name", ["gain", "band", "mask", "gate", "robot", "whisper"])
def test_a_builtin_is_found_by_its_name(name: str):
    assert find_processor(name).name == name
    assert parse_effect(name).create(frame_format()).name == name


MINE = """
import realtime

class Mine(realtime.Processor):
    db = realtime.Number(1, 0, 3)

    def process(self, frames):
        return frames

@realtime.register("named-in-test")
class Named(Mine):
    pass

class Heir(Named):
    pass

class Other:
    pass
"""


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    (tmp_path / "mine_for_test").mkdir()
    (tmp_path / "mine_for_test/__init__.py").write_text("")
    (tmp_path / "mine_for_test/effects.py").write_text(MINE)
    (tmp_path / "alone_for_test.py").write_text(MINE.replace("named-in", "alone-in"))
    (tmp_path / "broken_for_test.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    registered, modules = set(PROCESSORS), set(sys.modules)
    yield
    for name in set(PROCESSORS) - registered:
        del PROCESSORS[name]
    for name in set(sys.modules) - modules:
        if name.partition(".")[0].endswith("_for_test"):
            del sys.modules[name]


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize("module", ["mine_for_test.effects", "alone_for_test"])
def test_a_class_of_ones_own_is_loaded_by_its_path(module: str):
    path = f"{module}:Mine"
    assert parse_effect(path).values == {"db": 1}
    effect = parse_effect(f"{path}:db=2")
    assert effect == Effect(path, {"db": 2})
    processor = effect.create(frame_format())
    assert type(processor).__name__ == "Mine"
    with pytest.raises(RequestError, match=f"^{path}:db = '4' must be a number"):
        parse_effect(f"{path}:db=4")


@pytest.mark.usefixtures("mine")
def test_a_class_that_was_registered_keeps_its_name_and_one_made_from_it_has_its_own():
    assert find_processor("mine_for_test.effects:Named").name == "named-in-test"
    assert find_processor("named-in-test").__name__ == "Named"
    for path in ("mine_for_test.effects:Mine", "mine_for_test.effects:Heir"):
        assert find_processor(path).name == path


@pytest.mark.usefixtures("mine")
@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("nowhere_at_all:Mine", "module 'nowhere_at_all' cannot be imported .* Python path?"),
        ("broken_for_test:Mine", "cannot be imported .*ZeroDivisionError"),
        (".effects:Mine", "module '.effects' cannot be imported"),
        ("mine_for_test.effects:Nobody", "must hold a class 'Nobody', a subclass of realtime.P"),
        ("mine_for_test.effects:Other", "must hold a class 'Other', a subclass of realtime.Pro"),
    ],
)
def test_a_path_that_leads_to_no_processor_is_refused(path: str, sentence: str):
    with pytest.raises(RequestError, match=sentence):
        parse_effect(path)


def test_register_makes_a_class_known(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(registry, "PROCESSORS", dict(PROCESSORS))

    @register("registered-in-test")
    class Mine(Example):
        pass

    assert find_processor("registered-in-test") is Mine
    assert parse_effect("registered-in-test:count=1").name == "registered-in-test"
