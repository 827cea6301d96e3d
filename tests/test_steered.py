"""Playback on another clock: latency stays, a tone stays a tone, and seams do not click."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from two_clocks import (
    LEVEL,
    N_CHANNELS,
    RATE,
    TONE_HZ,
    Device,
    Lateness,
    Streams,
    bursts,
    jitter,
    latencies,
    tone_snr,
)

from realtime.engine.steered import (
    FADE_SECONDS,
    JUMP_SECONDS,
    LOOK_AHEAD,
    SILENT_JUMP_SECONDS,
    SteeredPlayback,
    must_jump,
)

DELAY = 4800
"""Samples between capture and playback: 100 ms, of which frames and bursts need 80."""

KNOWN_AFTER = {jitter: 10.0, bursts: 60.0}
"""Seconds after which the clocks are known, and the ratio takes no more steps."""

WINDOW = 1.0
"""Seconds of tone that are looked at at once."""

STEEPEST = 2 * np.pi * TONE_HZ / RATE * LEVEL
"""Between two samples of the tone."""

SOFT = LEVEL / (FADE_SECONDS * RATE)
"""Between two samples of a fade, at most, on top of that."""

Late = Callable[[np.random.Generator], Lateness]


def steered(out_rate: int = RATE, delay: int = DELAY) -> SteeredPlayback:
    return SteeredPlayback(N_CHANNELS, RATE, out_rate, delay)


# Drift


def assert_stays(
    rng: np.random.Generator, late: Late, ppm: float, out_rate: int, seconds: float
) -> None:
    playback = steered(out_rate)
    capture = Device(late(rng), ppm=ppm, begins=0.003)
    output = Device(late(rng), sample_rate=out_rate, block=out_rate // 100, begins=0.0113)
    played = Streams(playback, capture, output).play(seconds)
    at, latency = latencies(played, capture, output)

    assert at[0] < 1.0
    assert len(at) > len(played) - 1.0 * out_rate, "all but the beginning is sound"
    assert playback.underflows == playback.missing == 0
    begin = np.median(latency[at < at[0] + 0.3])
    n = round(WINDOW * out_rate)
    begins = range(round(KNOWN_AFTER[late] * out_rate), len(played) - n, n)
    tones = [tone_snr(played[begin : begin + n, 0], out_rate) for begin in begins]
    print(  # noqa: T201
        f"{ppm:+g} ppm to {out_rate} Hz: {1e3 * begin:.2f} ms, "
        f"off by {1e3 * np.abs(latency - begin).max():.2f} ms at most; "
        f"tone {min(tones):.0f} to {max(tones):.0f} dB"
    )
    # A device whose callbacks are never on time seems late, by less than a burst.
    assert begin == pytest.approx(DELAY / RATE, abs=0.02)
    assert playback.latency / RATE == pytest.approx(DELAY / RATE, abs=3e-3)
    assert np.abs(latency - begin).max() < 2e-3
    assert min(tones) > 80


CASES = [
    (jitter, 200.0, RATE),
    (bursts, -200.0, RATE),
    (bursts, 200.0, RATE),
    (bursts, 200.0, 44100),
]


@pytest.mark.parametrize(("late", "ppm", "out_rate"), CASES)
def test_latency_stays_and_a_tone_stays_clean(
    rng: np.random.Generator, late: Late, ppm: float, out_rate: int
) -> None:
    assert_stays(rng, late, ppm, out_rate, KNOWN_AFTER[late] + 15.0)


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("late", "ppm", "out_rate"), CASES)
def test_latency_stays_and_a_tone_stays_clean_for_ten_minutes(
    rng: np.random.Generator, late: Late, ppm: float, out_rate: int
) -> None:
    assert_stays(rng, late, ppm, out_rate, 600.0)


def test_latency_is_kept_as_it_was_at_first_by_what_is_learnt_of_it_later() -> None:
    """In bursts nobody knows at first, to a millisecond or two, what it is."""
    off = []
    for seed in range(1, 5):
        rng = np.random.default_rng(seed)
        capture, output = Device(bursts(rng), ppm=200.0), Device(bursts(rng), begins=0.0123)
        played = Streams(steered(), capture, output).play(40.0)
        at, latency = latencies(played, capture, output)
        off.append(latency[-1] - np.median(latency[(at > 0.6) & (at < 1)]))
    assert np.abs(off).mean() < 1.8e-3


# Seams


def must_jump_cases() -> list[tuple[float, bool, bool]]:
    return [
        (0.9 * JUMP_SECONDS, False, False),
        (1.1 * JUMP_SECONDS, False, True),
        (-1.1 * JUMP_SECONDS, False, True),
        (0.9 * SILENT_JUMP_SECONDS, True, False),
        (1.1 * SILENT_JUMP_SECONDS, True, True),
        (-1.1 * SILENT_JUMP_SECONDS, True, True),
    ]


@pytest.mark.parametrize(("error", "silent", "jumps"), must_jump_cases())
def test_latency_jumps_where_it_is_far_off_or_nobody_hears_it(
    error: float, silent: bool, jumps: bool
) -> None:
    assert must_jump(error, silent) is jumps


HAPPENINGS: dict[str, tuple[dict, dict, tuple[float, float], float]] = {
    # what, to the capture device, to the output device, worker asleep, seconds of silence
    "output-stalls": ({}, {"stall": (3.0, 1.0)}, (0, 0), 0.15),
    "output-stalls-for-long": ({}, {"stall": (3.0, 8.0)}, (0, 0), 0.6),
    "capture-stalls": ({"stall": (3.0, 1.0)}, {}, (0, 0), 1.5),
    "capture-loses-uncounted": ({"stall": (3.0, 0.1)}, {}, (0, 0), 0.6),
    "worker-sleeps": ({}, {}, (3.0, 3.3), 0.35),
    "worker-sleeps-for-long": ({}, {}, (3.0, 6.0), 3.05),
}


@pytest.mark.parametrize("late", [jitter, bursts])
@pytest.mark.parametrize("happening", HAPPENINGS)
def test_latency_is_what_it_was_after_one_soft_silence(
    rng: np.random.Generator, late: Late, happening: str
) -> None:
    to_capture, to_output, asleep, silence = HAPPENINGS[happening]
    playback = steered()
    capture = Device(late(rng), ppm=100, begins=0.003, **to_capture)
    output = Device(late(rng), block=480, begins=0.0113, **to_output)
    seconds = 6.0 + to_output.get("stall", (0, 0))[1] + asleep[1] - asleep[0]
    streams = Streams(playback, capture, output, asleep)
    played = streams.play(seconds)
    at, latency = latencies(played, capture, output)

    assert playback.underflows == 1
    assert 0 < playback.missing < silence * RATE
    heard = np.hypot(played[:, 1], played[:, 2]) > 0.99 * LEVEL
    fades = 2 * FADE_SECONDS * RATE
    silent = np.count_nonzero(~heard[np.flatnonzero(heard)[0] :])
    assert silent == pytest.approx(playback.missing, abs=fades), "all silence is counted"
    assert np.abs(np.diff(played[:, 0])).max() < STEEPEST + SOFT
    before, after = at < 3.0, at > at[-1] - 1.0
    assert np.median(latency[after]) == pytest.approx(np.median(latency[before]), abs=3e-3)
    assert LOOK_AHEAD - 10 < streams.pushed - playback.position <= LOOK_AHEAD


@pytest.mark.parametrize("late", [jitter, bursts])
def test_an_output_that_fetches_earlier_from_now_on_is_followed_at_once(
    rng: np.random.Generator, late: Late
) -> None:
    playback = steered()
    capture = Device(late(rng), ppm=100, begins=0.003)
    output = Device(late(rng), block=480, begins=0.0113, stall=(3.0, -0.06))
    played = Streams(playback, capture, output).play(6.0)
    at, latency = latencies(played, capture, output)
    assert 0 < playback.missing < 0.5 * RATE
    steady = at > 3.7
    assert np.diff(at[steady]).max() < 1.5 / RATE, "no more silence"
    before = np.median(latency[at < 3.0 - 0.1])
    assert np.abs(latency[steady] - before).max() < 4e-3


def test_a_counted_gap_is_played_as_it_was_captured(rng: np.random.Generator) -> None:
    playback = steered()
    capture = Device(jitter(rng), begins=0.003, gap=(3.0, 1.0))
    output = Device(jitter(rng), block=480, begins=0.0113)
    played = Streams(playback, capture, output).play(6.0)
    at, latency = latencies(played, capture, output)
    longest = np.diff(at).max()
    assert longest == pytest.approx(1.0, abs=0.05)
    assert np.abs(latency - np.median(latency)).max() < 2e-3


def test_another_delay_is_taken_up_in_one_soft_jump(rng: np.random.Generator) -> None:
    playback = steered()
    capture = Device(jitter(rng), begins=0.003)
    output = Device(jitter(rng), block=480, begins=0.0113)
    streams = Streams(playback, capture, output)
    played = [streams.play(3.0)]
    playback.retime(2 * DELAY)
    played.append(streams.play(6.0))
    _, latency = latencies(np.concatenate(played), capture, output)
    tenth = RATE // 10
    assert np.median(latency[:tenth]) == pytest.approx(DELAY / RATE, abs=3e-3)
    assert np.median(latency[-tenth:]) == pytest.approx(2 * DELAY / RATE, abs=3e-3)
    assert np.abs(np.diff(np.concatenate(played)[:, 0])).max() < STEEPEST + SOFT
    assert playback.underflows == 1


# Calls


def test_before_anything_is_captured_there_is_silence_and_none_is_missing() -> None:
    playback = steered()
    out = np.full((480, N_CHANNELS), np.nan, np.float32)
    playback.fill(out, 0)
    assert not out.any()
    playback.push(np.ones((480, N_CHANNELS), np.float32))
    playback.fill(out, 10_000_000)
    assert not out.any()
    assert playback.underflows == playback.missing == 0


@pytest.mark.parametrize("out_rate", [8000, 44100, 48000, 192000])
@pytest.mark.parametrize("n", [1, 63, 512, 12000])
def test_the_resampler_loses_nothing_however_it_is_pushed(n: int, out_rate: int) -> None:
    """What it still holds is what its filter looks ahead, always."""
    playback = steered(out_rate)
    for now in range(0, 2_000_000_000, 10_000_000):
        playback.captured(now * RATE // 10**9, now)
        playback.fill(np.empty((out_rate // 100, N_CHANNELS), np.float32), now)
    pushed = 0
    while pushed < RATE // 4:
        playback.push(np.zeros((n, N_CHANNELS), np.float32))
        pushed += n
    ahead = pushed - playback.position
    assert 0 < ahead <= LOOK_AHEAD * max(1, RATE / out_rate)


calls = st.lists(
    st.one_of(
        st.tuples(st.just("captured"), st.integers(1, 4000)),
        st.tuples(st.just("push"), st.integers(1, 4000)),
        st.tuples(st.just("fill"), st.integers(1, 4000)),
        st.tuples(st.just("wait"), st.integers(1, 10**9)),
    ),
    max_size=200,
)


@given(calls)
def test_output_is_filled_whatever_is_called(made: list[tuple[str, int]]) -> None:
    playback = steered()
    now = captured = 0
    for call, n in made:
        now += 1_000_000
        if call == "captured":
            captured += n
            playback.captured(captured, now)
        elif call == "push":
            playback.push(np.full((n, N_CHANNELS), LEVEL, np.float32))
        elif call == "fill":
            out = np.full((n, N_CHANNELS), np.nan, np.float32)
            playback.fill(out, now)
            assert np.abs(out).max() < 1.5 * LEVEL  # no NaN either
        else:
            now += n
