"""When to record: what a trigger hears, and which samples are then wanted."""

from __future__ import annotations

import importlib.util
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.errors import MissingDependency, RequestError
from realtime.recording.detectors import FLOOR_SECONDS, BandDetector, Detector, LevelDetector
from realtime.recording.schedule import Moment, Schedule, sun_ns
from realtime.recording.spans import Decision, Span, WantedSpans
from realtime.recording.triggers import Triggers, parse_trigger, parse_triggers

RATE = 8000
WINDOW = RATE // 20
SECOND = 1_000_000_000


def utc_ns(index: int) -> int:
    return index * SECOND // RATE


def ns(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp()) * SECOND


def heard(detector: Detector, samples: np.ndarray, start: int = 0, cuts: list[int] | None = None):
    """The active spans of `samples`, pushed in pieces; spans that touch are joined."""
    spans: list[Span] = []
    edges = [0, *sorted(cuts or []), len(samples)]
    for a, b in pairwise(edges):
        for span in detector.push(start + a, samples[a:b], utc_ns):
            if spans and spans[-1][1] == span[0]:
                span = (spans.pop()[0], span[1])
            spans.append(span)
    return spans


def sine(seconds: float, hertz: float, db: float) -> np.ndarray:
    t = np.arange(round(seconds * RATE)) / RATE
    return (10 ** (db / 20) * np.sin(2 * np.pi * hertz * t)).astype(np.float32)[:, None]


def noise(rng: np.random.Generator, seconds: float, db: float = -60.0, n: int = 1) -> np.ndarray:
    samples = 10 ** (db / 20) * rng.standard_normal((round(seconds * RATE), n))
    return samples.astype(np.float32)


# What people write.


def test_triggers_are_read_with_their_defaults() -> None:
    assert parse_triggers("") == parse_triggers("continuous")
    level = parse_trigger("level")
    assert (level.values, level.before, level.after) == ({"db": -40.0}, 5.0, 10.0)
    band = parse_trigger("band:low=100,high=900,over=6.5,before=1m,after=1h30m")
    assert band.values == {"low": 100.0, "high": 900.0, "over": 6.5}
    assert (band.before, band.after) == (60.0, 5400.0)
    schedule, other = parse_triggers("schedule:from=22:00,to=4:00:30 level:db=-30")
    assert schedule.values["from"] == Moment("midnight", 79_200)
    assert schedule.values["to"] == Moment("midnight", 14_430)
    assert (schedule.before, schedule.after) == (0.0, 0.0)
    assert other.name == "level"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("levle:db=-3", "did you mean 'level'"),
        ("level:dB=-3", "did you mean 'db'"),
        ("continuous:before=5s", "unknown key 'before'; known: none"),
        ("level:-40", "'-40' must be key=value"),
        ("level:db=loud", "db = 'loud' must be a number from -120 to 0 dBFS"),
        ("level:db=nan", "db = 'nan' must be a number"),
        ("level:db=1", "db = '1' must be a number"),
        ("level:before=11m", "before = '11m' must be 0s to 10m"),
        ("level:after=soon", "after = 'soon' must be a time such as"),
        ("band:low=2000,high=2010", "high = 2010 must be at least 40 Hz above low = 2000"),
        ("band:over=0", "over = '0' must be a number from 1 to 60 dB"),
        ("schedule", "needs from and to"),
        ("schedule:from=22:00", "needs from and to"),
        ("schedule:from=22:00,to=22:00", "are both 22:00"),
        ("schedule:from=24:00,to=22:00", "must be a time such as 22:00, sunset-1h"),
        ("schedule:from=sunset*2,to=22:00", "must be a time such as 22:00, sunset-1h"),
        ("schedule:from=sunset-13h,to=22:00", "must be 0s to 12h"),
        ("schedule:from=sunset,to=sunrise", "needs to know where the sun is seen"),
        ("schedule:from=sunset,to=sunrise,latitude=91", "latitude = '91' must be"),
        ("schedule:from=1:00,to=2:00,zone=Mars/Phobos", "is no time zone known here"),
        ("schedule:from=1:00,to=2:00,zone=../../etc/passwd", "is no time zone known here"),
    ],
)
def test_a_bad_trigger_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    with pytest.raises(RequestError) as refused:
        parse_triggers(text, "--trigger")
    assert sentence in str(refused.value)
    assert str(refused.value).startswith("--trigger: ")


def test_a_band_beyond_half_the_sample_rate_is_refused_when_that_is_known() -> None:
    with pytest.raises(RequestError, match="high = 8000 must be at most half of the sample rate"):
        parse_trigger("band").detector(RATE, 1)


def test_without_astral_the_sentence_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingDependency, match=r"pip install 'realtime-spectrogram\[record\]'"):
        parse_trigger("schedule:from=sunset,to=04:00,latitude=1,longitude=2")


# Level.


def test_a_sine_is_active_at_its_level_and_not_above_it() -> None:
    tone = sine(1, 1000, -30)
    assert heard(LevelDetector(-30.01, RATE, 1), tone) == [(0, RATE)]
    assert heard(LevelDetector(-29.99, RATE, 1), tone) == []


def test_a_sound_is_active_in_the_windows_it_fills(rng) -> None:
    samples = noise(rng, 3)
    samples[RATE : RATE + 4 * WINDOW] += sine(0.2, 500, -10)
    assert heard(LevelDetector(-40, RATE, 1), samples) == [(RATE, RATE + 4 * WINDOW)]


def test_one_channel_suffices_and_an_offset_is_no_sound() -> None:
    samples = np.zeros((RATE, 2), np.float32)
    samples[:, 0] = 0.5
    assert heard(LevelDetector(-60, RATE, 2), samples) == []
    samples[:, 1] = sine(1, 300, -50)[:, 0]
    assert heard(LevelDetector(-60, RATE, 2), samples) == [(0, RATE)]


@pytest.mark.parametrize("bad", [np.nan, np.inf, np.float32(3e38)])
def test_what_is_no_number_is_quiet_and_leaves_no_trace(rng, bad: float) -> None:
    samples = noise(rng, 70)
    clean = samples.copy()
    samples[30 * RATE + 5] = bad
    for detector in (LevelDetector(-40, RATE, 1), BandDetector(500, 3000, 10, RATE, 1)):
        spans = heard(detector, samples)
        assert spans in ([], [(30 * RATE, 30 * RATE + WINDOW)])
        detector.reset()
        assert heard(detector, clean) == []


# Band.


def test_a_chirp_over_the_floor_of_its_band_is_active_and_one_beside_it_is_not(rng) -> None:
    samples = noise(rng, 20)
    samples[8 * RATE : 9 * RATE] += sine(1, 1500, -50)
    samples[12 * RATE : 13 * RATE] += sine(1, 3500, -30)
    assert heard(BandDetector(1000, 2000, 10, RATE, 1), samples) == [(8 * RATE, 9 * RATE)]


@pytest.mark.parametrize("off", [-1.0, 1.0])
def test_over_is_what_the_band_has_above_its_floor(rng, off: float) -> None:
    """Noise of -60 dB rms; in a quarter of its band -66 dB, and a sine adds to that."""
    samples = noise(rng, 20)
    added = 10 * np.log10(10 ** ((10 + off) / 10) - 1)
    samples[8 * RATE : 9 * RATE] += sine(1, 1500, -66 + 3 + added)
    spans = heard(BandDetector(1000, 2000, 10, RATE, 1), samples)
    assert sum(b - a for a, b in spans) == pytest.approx(RATE if off > 0 else 0, abs=4 * WINDOW)


def test_noise_that_grows_for_good_is_the_floor_after_a_minute(rng) -> None:
    samples = np.concatenate([noise(rng, 10, -70), noise(rng, 90, -50)])
    spans = heard(BandDetector(500, 3000, 10, RATE, 1), samples)
    assert spans == [(10 * RATE, (10 + FLOOR_SECONDS) * RATE)]


def test_noise_alone_is_not_active_for_minutes(rng) -> None:
    assert heard(BandDetector(1000, 2000, 8, RATE, 2), noise(rng, 300, n=2)) == []


def test_gaps_and_silence_are_no_floor(rng) -> None:
    samples = noise(rng, 30)
    samples[: 5 * RATE] = 0.0
    samples[12 * RATE : 14 * RATE + 77] = 0.0
    samples[20 * RATE : 25 * RATE] *= 1e-6  # the last bits of a device that is muted
    spans = heard(BandDetector(500, 3000, 20, RATE, 1), samples)
    assert sum(b - a for a, b in spans if b < 20 * RATE) == 0


def test_a_channel_that_is_dead_does_not_deafen_the_other(rng) -> None:
    samples = np.hstack([np.zeros((20 * RATE, 1), np.float32), noise(rng, 20)])
    samples[10 * RATE : 11 * RATE, 1] += sine(1, 1500, -40)[:, 0]
    assert heard(BandDetector(1000, 2000, 10, RATE, 2), samples) == [(10 * RATE, 11 * RATE)]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 99),
    start=st.integers(0, 3 * WINDOW),
    cuts=st.lists(st.integers(0, 6 * RATE), max_size=30),
)
def test_what_is_active_does_not_depend_on_how_blocks_are_cut(
    seed: int, start: int, cuts: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    samples = noise(rng, 6, -50, n=2) * np.repeat(rng.choice([0.3, 1, 3], 60), RATE // 10)[:, None]
    samples = samples.astype(np.float32)
    whole, cut = BandDetector(500, 3000, 5, RATE, 2), BandDetector(500, 3000, 5, RATE, 2)
    assert heard(whole, samples, start) == heard(cut, samples, start, cuts)
    assert whole.until == cut.until
    level = parse_trigger("level:db=-47")
    whole, cut = level.detector(RATE, 2), level.detector(RATE, 2)
    assert heard(whole, samples, start) == heard(cut, samples, start, cuts)


def test_windows_of_which_samples_are_missing_are_quiet() -> None:
    detector = LevelDetector(-40, RATE, 1)
    tone = sine(1, 1000, -10)
    assert heard(detector, tone[: WINDOW + 10]) == [(0, WINDOW)]
    late = 10 * WINDOW + 20
    assert heard(detector, tone[: 2 * WINDOW], late) == [(11 * WINDOW, 12 * WINDOW)]
    assert detector.until == 12 * WINDOW
    assert heard(detector, tone[: 2 * WINDOW], late) == []  # heard before


# Times of day.


def times(text: str, around: str) -> list[tuple[str, str]]:
    values = parse_trigger(text).values
    schedule = Schedule(
        values["from"], values["to"], values["zone"], values["latitude"], values["longitude"]
    )
    shown = []
    for pair in schedule.intervals(ns(around)):
        start, stop = (datetime.fromtimestamp(t / SECOND, UTC) for t in pair)
        shown.append((f"{start:%m-%dT%H:%M}", f"{stop:%m-%dT%H:%M}"))
    return shown


def test_times_on_the_wall_wrap_at_midnight() -> None:
    night = times("schedule:from=22:00,to=04:00", "2026-06-21T12:00Z")
    assert ("06-21T22:00", "06-22T04:00") in night
    day = times("schedule:from=04:00,to=22:00", "2026-06-21T12:00Z")
    assert ("06-21T04:00", "06-21T22:00") in day


def test_times_of_a_zone_follow_its_summer_time() -> None:
    text = "schedule:from=22:00,to=04:00,zone=Europe/Berlin"
    assert ("06-21T20:00", "06-22T02:00") in times(text, "2026-06-21T12:00Z")
    assert ("12-21T21:00", "12-22T03:00") in times(text, "2026-12-21T12:00Z")
    # Clocks go back at 03:00: the night is an hour longer.
    assert ("10-24T20:00", "10-25T03:00") in times(text, "2026-10-24T12:00Z")


def test_times_may_be_those_of_the_system() -> None:
    values = parse_trigger("schedule:from=12:00,to=12:30,zone=local").values
    schedule = Schedule(values["from"], values["to"], values["zone"])
    noon = datetime(2026, 6, 21, 12, 10).astimezone()
    assert schedule.active(round(noon.timestamp()) * SECOND)
    assert not schedule.active(round((noon + timedelta(hours=1)).timestamp()) * SECOND)


@pytest.mark.parametrize(
    ("place", "day", "sunrise", "sunset"),
    [  # as almanacs print them, local time
        ((52.52, 13.40, "Europe/Berlin"), "2024-06-21", "04:43", "21:33"),
        ((52.52, 13.40, "Europe/Berlin"), "2024-12-21", "08:15", "15:54"),
        ((51.48, 0.0, "Europe/London"), "2024-06-20", "04:43", "21:21"),
        ((40.71, -74.01, "America/New_York"), "2024-06-20", "05:25", "20:31"),
        ((-33.87, 151.21, "Australia/Sydney"), "2024-12-21", "05:41", "20:05"),
        ((-36.85, 174.76, "Pacific/Auckland"), "2024-06-21", "07:33", "17:12"),
    ],
)
def test_the_sun_rises_and_sets_as_almanacs_say(place, day, sunrise, sunset) -> None:
    latitude, longitude, zone = place
    number = (datetime.fromisoformat(day) - datetime(1970, 1, 1)).days
    for event, text in (("sunrise", sunrise), ("sunset", sunset)):
        told = sun_ns(event, number, latitude, longitude)
        expected = datetime.fromisoformat(f"{day}T{text}").replace(tzinfo=ZoneInfo(zone))
        assert told == pytest.approx(expected.timestamp() * SECOND, abs=120 * SECOND)


@pytest.mark.parametrize("longitude", [-179.9, -120.0, -0.1, 13.4, 90.0, 179.9])
@pytest.mark.parametrize("latitude", [-60.0, 0.0, 45.0, 65.0])
def test_through_the_year_each_day_has_one_sunrise_before_noon_and_one_sunset(latitude, longitude):
    for event in ("sunrise", "sunset"):
        found = [sun_ns(event, day, latitude, longitude) for day in range(20_000, 20_366, 3)]
        steps = np.diff(np.array(found, float)) / SECOND / 86_400
        assert np.abs(steps - 3).max() < 0.02


def test_from_before_sunset_to_after_sunrise() -> None:
    berlin = "latitude=52.52,longitude=13.4"
    night = times(f"schedule:from=sunset-1h,to=sunrise+30m,{berlin}", "2024-06-21T12:00Z")
    (start, stop) = next(pair for pair in night if pair[0].startswith("06-21"))
    assert start in ("06-21T18:32", "06-21T18:33", "06-21T18:34")
    assert stop in ("06-22T03:12", "06-22T03:13", "06-22T03:14")
    evening = times(f"schedule:from=sunset-1h,to=22:00,{berlin}", "2024-06-21T12:00Z")
    assert next(b for a, b in evening if a.startswith("06-21")) == "06-21T22:00"
    dusk = times(f"schedule:from=sunset-30m,to=sunset+30m,{berlin}", "2024-06-21T12:00Z")
    assert next(b for a, b in dusk if a.startswith("06-21")).startswith("06-21T20:0")


def test_a_night_shorter_than_what_is_cut_off_it_has_no_times() -> None:
    text = "schedule:from=sunset+2h,to=sunrise-2h,latitude=64.1,longitude=-21.9"
    assert times(text, "2024-06-21T12:00Z") == []
    assert times(text, "2024-12-21T12:00Z") != []


@pytest.mark.parametrize(
    ("start", "stop", "polar_day", "polar_night"),
    [
        ("sunset-1h", "sunrise+30m", 0, 24),
        ("sunrise", "sunset", 24, 0),
        ("sunset", "23:00", 0, 12.25),  # set from noon on, which is 10:45 UTC at Tromsø
        ("20:00", "sunrise", 2.75, 24),  # risen at midnight
    ],
)
def test_where_the_sun_stays_it_counts_as_set_or_risen(start, stop, polar_day, polar_night) -> None:
    trigger = parse_trigger(f"schedule:from={start},to={stop},latitude=69.65,longitude=18.75")
    detector = trigger.detector(RATE, 1)
    for day, hours in (("2024-06-21", polar_day), ("2024-12-21", polar_night)):
        schedule = Schedule(
            *(trigger.values[key] for key in ("from", "to", "zone", "latitude", "longitude"))
        )
        minutes = [schedule.active(ns(f"{day}T00:00Z") + m * 60 * SECOND) for m in range(1440)]
        assert sum(minutes) / 60 == pytest.approx(hours, abs=0.1)
    detector.reset()


def test_a_schedule_is_active_in_samples_by_the_fitted_clock() -> None:
    begin = ns("2026-06-21T21:59:58Z")
    detector = parse_trigger("schedule:from=22:00,to=22:00:03").detector(RATE, 1)
    samples = np.zeros((10 * RATE, 1), np.float32)
    spans = detector.push(0, samples, lambda index: begin + index * SECOND // RATE)
    assert spans == [(2 * RATE, 5 * RATE)]


# From activity to decisions.


def wanted_of(decisions: list[Decision], decided: int, length: int) -> np.ndarray:
    wanted = np.zeros(length, bool)
    start = None
    for kind, index in decisions:
        if kind == "start":
            assert start is None
            start = index
        else:
            assert start is not None
            wanted[start:index] = True
            start = None
    if start is not None:
        wanted[start:decided] = True
    return wanted


@settings(max_examples=200, deadline=None)
@given(
    active=st.lists(st.booleans(), min_size=1, max_size=60),
    rolls=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=3),
    cuts=st.lists(st.integers(1, 60), max_size=20),
    oldest=st.integers(0, 30),
)
def test_wanted_is_what_is_active_and_what_lies_before_and_after(active, rolls, cuts, oldest):
    """Against a model that marks samples one by one; trigger k hears every k-th of `active`."""
    n = len(active)
    sources = [
        [on and at % (k + 1) == 0 for at, on in enumerate(active)] for k in range(len(rolls))
    ]
    model = np.zeros(n + 20, bool)
    for source, (before, after) in zip(sources, rolls, strict=True):
        for at in np.flatnonzero(source):
            model[max(0, at - before) : at + 1 + after] = True
    model[:oldest] = False
    most_before = max(before for before, _ in rolls)
    machine = WantedSpans()
    decisions: list[Decision] = []
    edges = [0, *sorted({cut for cut in cuts if cut < n}), n]
    for a, b in pairwise(edges):
        spans = [
            (at - before, at + 1 + after)
            for source, (before, after) in zip(sources, rolls, strict=True)
            for at in range(a, b)
            if source[at]
        ]
        decisions += machine.advance(spans, b - most_before, oldest)
    indices = [decision.index for decision in decisions]
    assert indices == sorted(indices)
    known = max(machine.decided, 0)
    wanted = wanted_of(decisions, machine.decided, n + 20)
    assert (wanted[:known] == model[:known]).all()
    assert known >= n - most_before
    at_once = WantedSpans()
    spans = [
        (at - before, at + 1 + after)
        for source, (before, after) in zip(sources, rolls, strict=True)
        for at in np.flatnonzero(source).tolist()
    ]
    assert at_once.advance(spans, n - most_before, oldest) == decisions


def test_activity_that_touches_by_its_rolls_is_one_recording() -> None:
    machine = WantedSpans()
    assert machine.advance([(95, 130)], 105) == [("start", 95)]
    assert machine.decided == 130
    assert machine.advance([], 130) == []
    assert machine.advance([(130, 160)], 140) == []
    assert machine.advance([], 161) == [("stop", 160)]


def test_a_start_waits_for_a_longer_pre_roll_that_may_still_come() -> None:
    machine = WantedSpans()
    assert machine.advance([(10, 20)], 9) == []
    assert machine.advance([(9, 30)], 10) == [("start", 9)]


def test_a_pre_roll_does_not_reach_into_what_is_gone() -> None:
    machine = WantedSpans()
    assert machine.advance([(-50, 60)], 10, oldest=20) == [("start", 20)]
    assert WantedSpans().advance([(0, 10)], 500, oldest=20) == []


def test_triggers_together_record_what_any_of_them_wants(rng) -> None:
    samples = noise(rng, 40)
    samples[10 * RATE : 11 * RATE] += sine(1, 1500, -45)
    samples[30 * RATE : 31 * RATE] += sine(1, 3500, -20)
    text = "level:db=-30,before=1s,after=0s band:low=1000,high=2000,before=2s,after=3s"
    triggers = Triggers(parse_triggers(text), RATE, 1)
    assert not triggers.continuous
    decisions: list[Decision] = []
    for start in range(0, len(samples), 777):
        decisions += triggers.push(start, samples[start : start + 777], utc_ns)
    expected = [("start", 8), ("stop", 14), ("start", 29), ("stop", 31)]
    assert decisions == [(kind, seconds * RATE) for kind, seconds in expected]
    triggers.reset()
    assert triggers.decided == 0
    assert triggers.push(0, samples[: 5 * RATE], utc_ns) == []


def test_continuous_wants_every_sample() -> None:
    triggers = Triggers(parse_triggers(""), RATE, 1)
    assert triggers.continuous
    samples = np.zeros((100, 1), np.float32)
    assert triggers.push(50, samples, utc_ns) == [("start", 50)]
    assert triggers.decided == 150
    assert triggers.push(150, samples, utc_ns) == []
    assert triggers.decided == 250
