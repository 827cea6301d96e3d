"""The chain of effects: changes without a click, faults without silence, dry and wet aligned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from clicks import (
    LAYOUTS,
    analysed,
    assert_no_clicks,
    at_random,
    effects,
    frame_format,
    synthesised,
    through,
    tone,
)
from hypothesis import given, settings
from hypothesis import strategies as st

import realtime
from realtime.dsp.processors import registry
from realtime.dsp.processors.base import Processor
from realtime.dsp.processors.chain import Chain
from realtime.dsp.processors.parameters import Choice, Number
from realtime.dsp.processors.registry import Effect
from realtime.errors import Overrun, RequestError

FORMAT = frame_format()


class Counter(Processor):
    """Every bin is the number of frames it has seen, and a thousand for each `step`."""

    step = Number(0, 0, 99)
    made: ClassVar[list[float]] = []
    """Steps of those that were made or changed."""

    def prepare(self) -> None:
        self.made.append(self.step)

    def reset(self) -> None:
        self.seen = 0

    def process(self, frames: np.ndarray) -> np.ndarray:
        counts = self.seen + np.arange(1, len(frames) + 1) + 1000 * self.step
        self.seen += len(frames)
        return np.broadcast_to(counts[:, None, None], frames.shape).astype(np.complex64)


class Late(Processor):
    """The same sound, `by` frames later."""

    by = Number(3, 0, 9, whole=True)

    @property
    def latency(self) -> int:
        return int(self.by) * self.format.hop

    def reset(self) -> None:
        self.held = np.zeros((int(self.by), self.format.n_channels, self.format.n_bins), complex)

    def process(self, frames: np.ndarray) -> np.ndarray:
        joined = np.concatenate([self.held, frames])
        self.held = joined[len(frames) :]
        return joined[: len(frames)].astype(np.complex64)


class Faulty(Late):
    """Does wrong what it is told to."""

    by = Number(0, 0, 9, whole=True)
    how = Choice("not", ("not", "raise", "shape", "none", "nan", "inf", "write", "make", "gone"))

    def prepare(self) -> None:
        if self.how == "make":
            raise ZeroDivisionError("made by zero")
        if self.how == "gone":
            raise Overrun(1, 2, 3, 4)

    def process(self, frames: np.ndarray) -> np.ndarray:
        if self.how == "write":
            frames *= 2
        if self.how == "raise":
            raise KeyError("lost")
        if self.how in ("nan", "inf"):
            frames = frames.copy()
            frames[..., 5] = float(self.how)
        return {"shape": frames[..., 1:], "none": None}.get(self.how, frames)


@pytest.fixture(autouse=True)
def _known(monkeypatch: pytest.MonkeyPatch) -> None:
    for kind in (Counter, Late, Faulty):
        name = kind.__name__.lower()
        monkeypatch.setattr(kind, "name", name)
        monkeypatch.setitem(registry.PROCESSORS, name, kind)
    Counter.made.clear()


def noise(n_frames: int, n_channels: int = 1, seed: int = 4) -> np.ndarray:
    """Random frames, complex64 (n_frames, n_channels, n_bins)."""
    parts = np.random.default_rng(seed).standard_normal((n_frames, n_channels, 513, 2))
    return parts.astype(np.float32).view(np.complex64)[..., 0]


def constant(n_frames: int) -> np.ndarray:
    return np.ones((n_frames, 1, 513), np.complex64)


def step_by_step(chain: Chain, frames: np.ndarray) -> np.ndarray:
    return np.concatenate([chain.process(frame[None]) for frame in frames])


def levels(frames: np.ndarray) -> list[float]:
    """One bin of each frame."""
    return [float(frame[0, 7].real) for frame in frames]


def settle(chain: Chain) -> None:
    """Let a fade end."""
    chain.process(constant(40))


# What goes through unchanged


@pytest.mark.parametrize(
    "chain",
    [Chain(FORMAT), Chain(FORMAT, bypass=True), Chain(FORMAT, effects("gain:db=-6"), bypass=True)],
    ids=["empty", "empty and bypassed", "bypassed"],
)
def test_without_effects_or_bypassed_frames_come_back_as_they_are(chain: Chain):
    frames = noise(5)
    assert chain.process(frames) is frames
    assert chain.latency == 0
    chain.reset()
    assert chain.process(frames) is frames


def test_bypassed_frames_come_back_bit_for_bit_as_late_as_the_effects_make_them():
    chain = Chain(FORMAT, effects("late:by=2", "gain:db=-6", "late:by=3"), bypass=True)
    frames = noise(20)
    assert chain.latency == 5 * FORMAT.hop
    heard = step_by_step(chain, frames)
    assert np.array_equal(heard[5:], frames[:-5])
    assert not heard[:5].any()


def test_no_frames_in_gives_no_frames_out():
    chain = Chain(FORMAT, effects("gain:db=-6", "late"))
    assert chain.process(noise(0)).shape == (0, 1, 513)
    chain.change(effects("gain:db=-7"))
    assert chain.process(noise(0)).shape == (0, 1, 513)


def test_effects_act_in_their_order():
    frames = constant(1)
    counted_last = Chain(FORMAT, effects("gain:db=20", "counter")).process(frames)
    counted_first = Chain(FORMAT, effects("counter", "gain:db=20")).process(frames)
    assert levels(counted_last) == [1]
    assert levels(counted_first) == [10]


# Dry and wet are aligned


def test_bypass_at_any_time_never_moves_the_sound_in_time(rng: np.random.Generator):
    late = effects("late:by=4")
    frames = noise(400)
    chain = Chain(FORMAT, late)
    changes = at_random(rng, 400, [(late, True), (late, False)], 60)
    heard = []
    for place, frame in enumerate(frames):
        if place in changes:
            chain.change(*changes[place])
        heard.append(chain.process(frame[None]))
    assert np.array_equal(np.concatenate(heard)[4:], frames[:-4])


def test_a_chain_that_becomes_later_leaves_no_hole():
    """What is new is heard only when the past it needs has gone through it."""
    chain = Chain(FORMAT, effects("late:by=2"))
    step_by_step(chain, constant(5))
    for description in (
        (effects("late:by=2", "late:by=5"), False),
        (effects("late:by=2", "late:by=5"), True),
        (effects("late:by=9"), True),
        (effects("late:by=9"), False),
        (effects("gain:db=0", "late:by=3"), False),
    ):
        chain.change(*description)
        assert set(levels(step_by_step(chain, constant(40)))) == {1.0}


# A change is a fade


def test_a_change_fades_evenly_within_some_20_to_30_ms():
    chain = Chain(FORMAT, effects("gain:db=0"))
    chain.change(effects("gain:db=-60"))
    heard = np.array(levels(step_by_step(chain, constant(20))))
    assert 1 > heard[0] > heard[1] > 0.001
    assert (np.diff(heard) <= 0).all()
    n_fading = np.count_nonzero(heard > 0.00101)
    assert 0.02 <= n_fading * 256 / 48000 <= 0.03
    assert heard[n_fading:] == pytest.approx(0.001)
    steps = -np.diff([1, *heard[: n_fading + 1]])
    assert steps == pytest.approx(steps[::-1], rel=1e-5)
    assert steps.max() < 0.3


def test_where_frames_are_far_apart_a_fade_still_has_four_of_them():
    format = replace(FORMAT, sample_rate=8000, hop=1024)
    chain = Chain(format)
    chain.change(effects("gain:db=-60"))
    heard = levels(step_by_step(chain, constant(8)))
    assert sum(0.00101 < level < 1 for level in heard) == 4


def test_the_same_description_again_is_no_change():
    chain = Chain(FORMAT, effects("counter"))
    Counter.made.clear()
    chain.change([Effect("counter", {})])
    assert Counter.made == []
    assert levels(chain.process(constant(3))) == [1, 2, 3]


def test_while_a_fade_runs_only_the_newest_change_is_kept_and_begun_when_it_is_over():
    chain = Chain(FORMAT, effects("counter:step=1"))
    Counter.made.clear()
    for step in range(2, 42):
        chain.change(effects(f"counter:step={step}"))
        chain.process(constant(1))
    fade = 5
    assert Counter.made == [2, *range(2 + fade - 1, 42, fade)]
    settle(chain)
    assert levels(chain.process(constant(1))) == [41000 + 81]


def test_a_change_back_while_the_fade_runs_ends_where_it_began():
    chain = Chain(FORMAT, effects("gain:db=0"))
    chain.change(effects("gain:db=-60"))
    chain.process(constant(2))
    chain.change(effects("gain:db=0"))
    settle(chain)
    assert levels(chain.process(constant(3))) == [1, 1, 1]


def test_an_effect_that_stays_keeps_its_state_wherever_it_goes():
    chain = Chain(FORMAT, effects("counter"))
    chain.process(constant(100))
    seen = 100
    for texts in (
        ["counter:step=1"],
        ["gain:db=0", "counter:step=1"],
        ["counter:step=2", "gain:db=0"],
        ["late", "gain:db=0", "counter:step=3"],
        ["counter:step=3"],
    ):
        chain.change(effects(*texts))
        settle(chain)
        seen += 41
        counter = next(effect for effect in effects(*texts) if effect.name == "counter")
        expected = 1000 * counter.values["step"] + seen
        chain_ends = levels(chain.process(constant(1)))
        assert chain_ends == [expected]


def test_one_that_was_away_begins_anew():
    chain = Chain(FORMAT, effects("counter"))
    chain.process(constant(100))
    chain.change(())
    settle(chain)
    chain.change(effects("counter"))
    settle(chain)
    assert levels(chain.process(constant(1))) == [41]


def test_of_two_with_one_name_each_keeps_its_own_state():
    chain = Chain(FORMAT, effects("counter"))
    chain.process(constant(100))
    chain.change(effects("counter", "counter"))
    settle(chain)
    assert levels(chain.process(constant(1))) == [41]
    chain.change(effects("counter"))
    settle(chain)
    assert levels(chain.process(constant(1))) == [100 + 41 + 41]


def test_of_two_with_one_name_the_one_that_is_left_keeps_its_own():
    chain = Chain(FORMAT, effects("counter:step=1"))
    chain.process(constant(100))
    both = effects("counter:step=2", "counter:step=1")
    chain.change(both)
    settle(chain)
    chain.change(both[:1])
    settle(chain)
    assert levels(chain.process(constant(1))) == [2000 + 81]
    chain.change(both[::-1])
    settle(chain)
    chain.change(both[:1])
    settle(chain)
    assert levels(chain.process(constant(1))) == [2000 + 162]


def test_state_rests_while_the_chain_is_bypassed():
    chain = Chain(FORMAT, effects("counter"))
    chain.process(constant(100))
    chain.change(effects("counter"), True)
    settle(chain)
    chain.process(constant(1000))
    chain.change(effects("counter"), False)
    settle(chain)
    assert levels(chain.process(constant(1))) == [100 + 41]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 1000),
    cuts=st.lists(st.integers(1, 12), min_size=1, max_size=6),
    n_channels=st.sampled_from([1, 2]),
)
def test_any_cutting_of_the_frames_gives_the_same_output(seed: int, cuts: list, n_channels: int):
    rng = np.random.default_rng(seed)
    format = frame_format(n_channels=n_channels)
    frames = noise(60, n_channels)
    descriptions = [
        (effects("gain:db=-3", "whisper", "band"), False),
        (effects("gate:threshold=-40", "robot:pitch=200"), False),
        (effects("robot:pitch=120", "mask:boxes=50-900"), False),
        (effects("gate:threshold=-10,mode=whole"), True),
    ]
    changes = at_random(rng, 60, descriptions, 6)

    def run(lengths: Iterator[int]) -> np.ndarray:
        chain, heard, done = Chain(format, *descriptions[0]), [], 0
        for at in [*sorted(changes), 60]:
            while done < at:
                stop = min(at, done + next(lengths))
                heard.append(chain.process(frames[done:stop]))
                done = stop
            if at in changes:
                chain.change(*changes[at])
        return np.concatenate(heard)

    pieces = (cuts[place % len(cuts)] for place in range(1000))
    assert np.array_equal(run(iter(lambda: 60, None)), run(pieces))


# Faults


@pytest.mark.parametrize(
    ("how", "sentence"),
    [
        ("raise", "effect 'faulty' is left out until it is changed: KeyError('lost')"),
        ("shape", "effect 'faulty' is left out until it is changed: ValueError('gave shape"),
        ("none", "effect 'faulty' is left out until it is changed: ValueError('gave shape ()"),
        ("write", "effect 'faulty' is left out until it is changed: ValueError('output array is"),
    ],
)
def test_an_effect_that_fails_is_left_out_counted_and_named(how: str, sentence: str):
    frames = noise(6)
    untouched = frames.copy()
    chain = Chain(FORMAT, effects("gain:db=20", f"faulty:how={how}", "gain:db=-20"))
    heard = step_by_step(chain, frames)
    assert np.abs(heard - frames).max() < 1e-6
    assert chain.faults == 1
    assert chain.fault.startswith(sentence)
    assert np.array_equal(frames, untouched)


def test_one_that_writes_to_what_it_was_given_spoils_nothing():
    frames = noise(6)
    chain = Chain(FORMAT, effects("faulty:how=write"))
    assert np.array_equal(chain.process(frames), noise(6))


def test_one_that_failed_is_as_late_as_it_was_also_while_others_change():
    broken = effects("faulty:by=3,how=raise")
    chain = Chain(FORMAT, broken)
    frames = noise(40)
    heard = [step_by_step(chain, frames[:20])]
    chain.change([*broken, *effects("gain:db=0")])
    heard.append(step_by_step(chain, frames[20:]))
    assert chain.latency == 3 * FORMAT.hop
    assert chain.faults == 1
    assert np.array_equal(np.concatenate(heard)[3:], frames[:-3])


def test_one_that_failed_stays_out_while_others_change_and_comes_back_when_it_does():
    chain = Chain(FORMAT, effects("faulty:how=raise", "gain:db=0"))
    settle(chain)
    chain.change(effects("faulty:how=raise", "gain:db=-20"))
    settle(chain)
    assert chain.faults == 1
    assert levels(chain.process(constant(1))) == [pytest.approx(0.1)]
    chain.change(effects("faulty:how=none", "gain:db=-20"))
    settle(chain)
    assert chain.faults == 2
    chain.reset()
    chain.process(constant(1))
    assert chain.faults == 3


@pytest.mark.parametrize("how", ["nan", "inf"])
def test_what_is_not_finite_is_silent_there_and_counted_at_each_call(how: str):
    frames = noise(6, 2)
    chain = Chain(frame_format(n_channels=2), effects(f"faulty:how={how}"))
    heard = step_by_step(chain, frames)
    assert not heard[..., 5].any()
    assert np.array_equal(np.delete(heard, 5, axis=2), np.delete(frames, 5, axis=2))
    assert chain.faults == 6
    assert chain.fault.startswith("what effect 'faulty' made was not finite")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
@pytest.mark.parametrize("name", ["", "gain", "band", "gate", "mask:boxes=0-100", "robot", "late"])
def test_nothing_that_comes_in_poisons_an_effect(name: str, value: float):
    frames = noise(60)
    frames[10, 0, 3] = value
    frames[11] = complex(0, value)
    chain = Chain(FORMAT, effects(name) if name else [])
    heard = step_by_step(chain, frames)
    assert np.isfinite(heard).all()
    assert np.abs(heard).max() < 1e4
    assert heard[30:].any()
    assert chain.faults == 2
    assert chain.fault.startswith("what came in was not finite")


def test_an_effect_that_cannot_be_made_is_refused_and_the_chain_goes_on():
    chain = Chain(FORMAT, effects("counter:step=1"))
    chain.process(constant(10))
    for text, kind, sentence in [
        ("faulty:how=make", RequestError, "effect 'faulty' cannot be made: ZeroDivisionError"),
        ("faulty:how=gone", Overrun, "samples 1..2 are gone"),
    ]:
        with pytest.raises(kind, match=sentence):
            chain.change(effects("counter:step=2", text))
    with pytest.raises(RequestError, match="unknown effect 'nowhere'"):
        chain.change([Effect("nowhere")])
    assert levels(chain.process(constant(1))) == [1011]
    assert chain.faults == 0
    with pytest.raises(RequestError, match="cannot be made"):
        Chain(FORMAT, effects("faulty:how=make"))


def test_one_that_cannot_be_made_when_its_turn_comes_is_a_fault():
    chain = Chain(FORMAT, effects("gain:db=0"))
    chain.change(effects("gain:db=-20"))
    chain.process(constant(1))
    chain.change(effects("faulty:how=make"))
    settle(chain)
    assert levels(chain.process(constant(1))) == [pytest.approx(0.1)]
    assert chain.faults == 1
    assert "cannot be made" in chain.fault


def test_reset_is_as_new_with_what_was_asked_last():
    wanted = effects("counter:step=3", "late:by=2")
    chain = Chain(FORMAT, effects("counter:step=1"))
    chain.process(constant(10))
    chain.change(effects("counter:step=2"))
    chain.process(constant(1))
    chain.change(wanted)
    chain.reset()
    fresh = Chain(FORMAT, wanted)
    assert np.array_equal(chain.process(constant(9)), fresh.process(constant(9)))
    assert chain.latency == fresh.latency


@pytest.mark.parametrize("layout", LAYOUTS)
def test_no_click_when_the_chain_becomes_later_or_the_sound_another(
    rng: np.random.Generator, layout: str
):
    texts = [["late:by=3"], ["late:by=9", "gain:db=-3"], [], ["whisper"], ["robot", "late"]]
    descriptions = [(effects(*few), bypass) for few in texts for bypass in (False, True)]
    assert_no_clicks(rng, frame_format(layout), 440.0, descriptions, own=True)


# A processor of one's own


def test_ten_lines_make_a_processor(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(registry, "PROCESSORS", dict(registry.PROCESSORS))

    @realtime.register("tilt")
    class Tilt(realtime.Processor):
        """Brighter or darker, about 1 kHz."""

        slope = realtime.Number(3, -12, 12, "dB an octave")

        def prepare(self):
            octaves = np.log2(np.maximum(self.format.frequencies, 20) / 1000)
            self.gains = np.float32(10 ** (self.slope * octaves / 20))

        def process(self, frames):
            return frames * self.gains

    for hz, gain in ((500, 0.5), (1000, 1), (4000, 4)):
        samples = tone(hz, 20000) / 8
        heard = through(FORMAT, samples, ([realtime.parse_effect("tilt:slope=6.0206")], False))
        assert heard.std() == pytest.approx(gain * samples.std(), rel=0.02)


def test_the_round_trip_through_a_chain_is_the_one_without():
    samples = np.random.default_rng(1).uniform(-1, 1, (20000, 2)).astype(np.float32)
    format = frame_format(n_channels=2)
    heard = through(format, samples, (effects("gain:db=0", "band:bands=0-24000"), False))
    assert np.array_equal(heard, synthesised(format, analysed(format, samples)))
