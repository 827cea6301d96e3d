"""When whoever looks after a recorder must be told that something is wrong."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from realtime.recording.alarms import Alarms, Look

WELL = Look(
    seconds=0.0, running=True, zero_seconds=0.0, rms_db=-40.0, clipped=False, n_gaps=0,
    sync_age=0.3, trouble="", seconds_left=1e9, plausible_clock=True,
)  # fmt: skip


def alarms_after(n_seconds: int, *, rng: np.random.Generator, **values) -> dict[str, str]:
    alarms, found = Alarms(), {}
    for seconds in range(n_seconds):
        level = float(-40 + rng.normal(scale=0.2))
        found = alarms.look(replace(WELL, **{"seconds": seconds, "rms_db": level, **values}))
    return found


def test_nothing_is_wrong_where_all_is_well(rng: np.random.Generator) -> None:
    assert alarms_after(600, rng=rng) == {}


@pytest.mark.parametrize(
    ("name", "seconds", "values"),
    [
        ("no samples", 4, {"running": False}),
        ("silence", 1, {"zero_seconds": 30.0}),
        ("stuck", 121, {"rms_db": -40.0}),
        ("clipping", 3, {"clipped": True}),
        ("gaps", 1, {"n_gaps": 1}),
        ("disk", 1, {"trouble": "no space left on device"}),
        ("disk", 1, {"sync_age": 2.1}),
        ("disk low", 1, {"seconds_left": 3600.0}),
        ("clock", 1, {"plausible_clock": False}),
    ],
)
def test_each_alarm_has_its_cause(
    name: str, seconds: int, values: dict, rng: np.random.Generator
) -> None:
    assert list(alarms_after(seconds, rng=rng, **values)) == [name]


@pytest.mark.parametrize(
    ("seconds", "values"),
    [
        (2, {"running": False}),
        (1, {"zero_seconds": 29.0}),
        (110, {"rms_db": -40.0}),
        (2, {"clipped": True}),
        (1, {"sync_age": 1.9}),
    ],
)
def test_no_alarm_comes_too_soon(seconds: int, values: dict, rng: np.random.Generator) -> None:
    assert alarms_after(seconds, rng=rng, **values) == {}


def test_a_gap_is_no_alarm_any_more_after_a_minute() -> None:
    alarms = Alarms()
    assert "gaps" in alarms.look(replace(WELL, n_gaps=1))
    assert "gaps" in alarms.look(replace(WELL, n_gaps=1, seconds=59.0))
    assert "gaps" not in alarms.look(replace(WELL, n_gaps=1, seconds=60.0))


def test_white_noise_is_not_stuck(rng: np.random.Generator) -> None:
    alarms = Alarms()
    for seconds in range(300):
        level = 10 * np.log10(np.mean(rng.normal(scale=0.01, size=14400) ** 2))  # 0.3 s
        assert "stuck" not in alarms.look(replace(WELL, seconds=seconds, rms_db=level))
