"""The pure changes behind keys and mouse."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.config import DisplaySettings, Settings, change
from realtime.view.choices import BY_KEY, CHOICES, span_text
from realtime.view.keys import ACTIONS, BY_NAME, levels_moved, levels_widened, panned, zoomed
from realtime.view.mapping import frequency_range, share_of_hz

RATE = 44100


@given(
    st.lists(st.sampled_from([a for a in ACTIONS if a.change is not None]), max_size=60),
    st.sampled_from([8000, 44100, 192000]),
)
def test_no_sequence_of_keys_asks_for_settings_that_are_refused(actions, rate):
    settings = Settings()
    for action in actions:
        settings = change(settings, action.change(settings, rate))
    assert settings.display.f_low < rate / 2


def test_zooming_keeps_the_frequency_under_the_pointer():
    display = DisplaySettings(scale="mel", f_low=0.0)
    settings = change(Settings(display=display), zoomed(display, RATE, 2.0, at=0.25))
    low, high = frequency_range(settings.display, RATE)
    assert 0 < low < high < RATE / 2
    before = share_of_hz(1000.0, display, RATE)
    after = share_of_hz(1000.0, settings.display, RATE)
    assert after == pytest.approx(0.25 + (before - 0.25) * 2, abs=1e-3)


def test_zooming_out_ends_at_the_whole_range():
    settings = Settings()
    for _ in range(40):
        settings = change(settings, zoomed(settings.display, RATE, 0.5))
    assert (settings.display.f_low, settings.display.f_high) == (20.0, None)


def test_moving_along_the_axis_keeps_what_is_seen_as_wide():
    display = DisplaySettings(scale="linear", f_low=1000, f_high=3000)
    assert panned(display, RATE, 0.5) == {"display.f_low": 2000.0, "display.f_high": 4000.0}
    assert panned(display, RATE, -5) == {"display.f_low": 0.0, "display.f_high": 2000.0}
    assert panned(display, RATE, 50) == {"display.f_low": 20050.0, "display.f_high": None}


def test_levels_stay_within_what_a_picture_holds():
    display = DisplaySettings(db_low=-140, db_high=-60)
    assert levels_moved(display, -10) == {"display.db_low": -144.0, "display.db_high": -64.0}
    assert levels_moved(display, 500)["display.db_high"] == 12.0
    assert levels_widened(display, 50) == {"display.db_low": -144.0}
    assert levels_widened(display, -500) == {"display.db_low": -66.0}


def test_a_step_goes_to_the_next_value_of_the_list_from_any_value():
    span = BY_KEY["display.span"]
    settings = change(Settings(), {"display.span": 13.7})
    assert span.step(settings, 1) == {"display.span": 20.0}
    assert span.step(settings, -1) == {"display.span": 12.0}
    last = change(Settings(), {"display.span": 3000.0})
    assert span.step(last, 1) == {}
    window = BY_KEY["stft.window"]
    assert window.step(change(Settings(), {"stft.window": "flattop"}), 1) == {"stft.window": "hann"}


def test_a_hop_that_was_given_keeps_its_share_of_n_fft():
    settings = change(Settings(), {"stft.n_fft": 4096, "stft.hop": 512})
    larger = BY_NAME["n_fft_up"].change
    assert larger is not None
    assert larger(settings, RATE) == {"stft.n_fft": 8192, "stft.hop": 1024}
    assert larger(Settings(), RATE) == {"stft.n_fft": 8192}


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.key)
def test_every_value_of_every_choice_is_accepted_and_has_a_text(choice):
    for value in choice.values:
        settings = change(Settings(), choice.put(Settings(), value))
        assert choice.get(settings) == value
        assert choice.text(value)


def test_spans_are_told_in_seconds_or_minutes():
    assert [span_text(s) for s in (1.0, 90.0, 120.0, 600.0)] == ["1 s", "90 s", "2 min", "10 min"]
