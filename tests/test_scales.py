"""Frequency scales: published values, inverses, order; and names of notes."""

from __future__ import annotations

from typing import get_args

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.config import ScaleName
from realtime.dsp.scales import LOWEST_LOG_HZ, SCALES, note_cents, note_hz, note_name
from realtime.errors import RequestError

HIGHEST_HZ = 384_000.0  # half of the greatest sample rate

audible = st.floats(LOWEST_LOG_HZ, HIGHEST_HZ)
scale_names = pytest.mark.parametrize("name", SCALES)


def test_the_scales_are_those_of_the_settings():
    assert tuple(SCALES) == get_args(ScaleName)


@scale_names
def test_each_scale_is_known_by_its_name(name: str):
    assert SCALES[name].name == name


@scale_names
@given(hz=audible)
def test_inverse_takes_back_what_forward_did(name: str, hz: float):
    scale = SCALES[name]
    assert float(scale.inverse(scale.forward(hz))) == pytest.approx(hz, rel=1e-9)


@scale_names
@given(low=audible, high=audible)
def test_forward_keeps_the_order_of_frequencies(name: str, low: float, high: float):
    low, high = sorted((low, high))
    at_low, at_high = SCALES[name].forward(np.array([low, high]))
    assert at_low <= at_high
    if high > low * (1 + 1e-9):
        assert at_low < at_high


@scale_names
def test_any_shape_goes_in_and_comes_out_as_float64(name: str):
    hz = np.full((2, 3), 440, np.float32)
    for curve in (SCALES[name].forward, SCALES[name].inverse):
        assert curve(hz).shape == (2, 3)
        assert curve(hz).dtype == np.float64


@scale_names
def test_0_hz_is_finite_on_every_scale(name: str):
    assert np.isfinite(SCALES[name].forward([0.0, HIGHEST_HZ])).all()


@pytest.mark.parametrize("name", ["log", "notes"])
def test_logarithmic_scales_take_0_hz_as_their_lowest(name: str):
    forward = SCALES[name].forward
    assert forward(0.0) == forward(LOWEST_LOG_HZ)


@pytest.mark.parametrize(
    ("name", "hz", "units", "tolerance"),
    [
        ("linear", 440, 440, 0),
        ("log", 1024, 10, 1e-12),
        ("mel", 1000, 1000, 0.02),  # by definition of the mel
        ("bark", 1000, 8.53, 0.005),  # Traunmüller 1990
        ("erb", 1000, 15.62, 0.01),  # Glasberg & Moore 1990
        ("notes", 440, 69, 1e-12),  # MIDI
    ],
)
def test_forward_gives_the_published_value(name: str, hz: float, units: float, tolerance: float):
    assert float(SCALES[name].forward(hz)) == pytest.approx(units, abs=tolerance)


def test_mel_is_that_of_librosa_with_htk():
    hz = np.linspace(0, 24000, 97)
    expected = librosa.hz_to_mel(hz, htk=True)
    np.testing.assert_allclose(SCALES["mel"].forward(hz), expected, rtol=1e-12)


def test_notes_are_the_midi_numbers_of_librosa():
    hz = np.geomspace(8, 20000, 50)
    np.testing.assert_allclose(SCALES["notes"].forward(hz), librosa.hz_to_midi(hz), rtol=1e-12)


@pytest.mark.parametrize(
    ("hz", "name"),
    [(440, "A4"), (261.63, "C4"), (27.5, "A0"), (4186, "C8"), (466.2, "A#4"), (8.18, "C-1")],
)
def test_notes_are_named_as_musicians_do(hz: float, name: str):
    assert note_name(hz) == name
    assert note_hz(name) == pytest.approx(hz, rel=1e-3)


@pytest.mark.parametrize("name", ["C4", "F#3", "Gb5", "b2", "E♭1", "C♯-1", " A4 "])
def test_note_hz_is_that_of_librosa(name: str):
    assert note_hz(name) == pytest.approx(float(librosa.note_to_hz(name.strip())), rel=1e-12)


@given(hz=st.floats(8, 20000))
def test_a_frequency_is_its_note_and_some_cents(hz: float):
    cents = note_cents(hz)
    assert -50 <= cents <= 50
    assert note_hz(note_name(hz)) * 2 ** (cents / 1200) == pytest.approx(hz, rel=1e-9)


@pytest.mark.parametrize("name", ["", "H4", "A", "A#b4", "4", "A4.5", "A100"])
def test_what_is_no_note_is_refused(name: str):
    with pytest.raises(RequestError, match="is no note: write a letter A to G"):
        note_hz(name)


@pytest.mark.parametrize("hz", [0.0, -1.0, np.inf, np.nan])
@pytest.mark.parametrize("function", [note_name, note_cents])
def test_a_frequency_without_a_note_is_refused(function, hz: float):
    with pytest.raises(RequestError, match="Hz has no note: give a frequency above 0 Hz"):
        function(hz)
