"""What a picture means: axes, what may not be, and text from strangers."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import librosa
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from realtime.errors import SettingsError
from realtime.picture.format import LONGEST_TEXT, PictureFormat, picture_format

KINDS = ("stft", "mel", "bark", "erb", "cqt")


def fmt(kind: str = "mel", **fields: Any) -> PictureFormat:
    return picture_format(kind, **{"sample_rate": 22050, "n_samples": 66150, **fields})


def test_rows_lie_where_librosas_do():
    np.testing.assert_allclose(fmt("stft").row_frequencies(), librosa.fft_frequencies(sr=22050))
    mels = fmt(n_rows=40, fmin=50, fmax=8000).row_frequencies()
    np.testing.assert_allclose(mels, librosa.mel_frequencies(42, fmin=50, fmax=8000)[1:-1])
    mels = fmt(n_rows=40, htk=True).row_frequencies()
    np.testing.assert_allclose(mels, librosa.mel_frequencies(42, fmax=11025, htk=True)[1:-1])
    notes = librosa.cqt_frequencies(84, fmin=librosa.note_to_hz("C1"))
    np.testing.assert_allclose(fmt("cqt").row_frequencies(), notes)


@pytest.mark.parametrize("kind", KINDS)
def test_a_place_on_the_axis_and_its_frequency_undo_each_other(kind: str):
    picture = fmt(kind)
    rows = np.linspace(0, picture.n_rows - 1, 50)
    np.testing.assert_allclose(picture.row_at(picture.hz_at(rows)), rows, atol=1e-9)
    assert (np.diff(picture.row_frequencies()) > 0).all()


@pytest.mark.parametrize("n_fft", [2048, 2047, 512])
@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("n_samples", [66150, 2048, 511])
def test_as_many_frames_at_the_times_of_librosas(n_fft: int, center: bool, n_samples: int):
    picture = fmt(n_fft=n_fft, hop=100, center=center, n_samples=n_samples)
    theirs = 0
    if center or n_samples >= n_fft:
        padded = np.zeros(max(n_samples, 1), np.float32)
        theirs = librosa.util.frame(
            np.pad(padded, n_fft // 2 if center else 0), frame_length=n_fft, hop_length=100
        ).shape[1]
    assert picture.n_frames == theirs
    times = picture.frame_times()
    assert times.shape == (theirs,)
    assert not theirs or times[0] == (0 if center else n_fft / 2 / 22050)
    np.testing.assert_allclose(np.diff(times), 100 / 22050)


def test_frame_times_of_an_unknown_length_ask_for_their_number():
    assert len(fmt(n_samples=None).frame_times(7)) == 7
    with pytest.raises(SettingsError, match="n_frames must be given"):
        fmt(n_samples=None).frame_times()


@pytest.mark.parametrize(("power", "per_decade"), [(1.0, 20), (2.0, 10)])
def test_values_undo_librosas_decibels(power: float, per_decade: int):
    values = np.geomspace(1e-4, 10, 20)
    db = per_decade * np.log10(values / 0.5)
    np.testing.assert_allclose(fmt(power=power, ref=0.5).values(db), values, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_json_goes_and_comes_back(kind: str):
    picture = fmt(kind, ref=None, n_columns=20)
    text = picture.to_json()
    assert len(text) < LONGEST_TEXT
    assert PictureFormat.from_json(text) == picture
    assert PictureFormat.from_json(json.dumps({**json.loads(text), "later": [1]})) == picture


def test_numpys_numbers_become_pythons():
    picture = fmt(n_fft=np.int64(1024), ref=np.float32(0.5), power=2)
    assert (
        type(picture.n_fft) is int and type(picture.ref) is float and type(picture.power) is float
    )
    assert PictureFormat.from_json(picture.to_json()) == picture


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "mell"}, "picture.kind = 'mell' is unknown, did you mean 'mel'"),
        ({"kind": 7}, "kind = 7 must be text"),
        ({"sample_rate": 999}, "sample_rate = 999 must be 1000 to 768000"),
        ({"sample_rate": 22050.5}, "must be a whole number"),
        ({"sample_rate": True}, "sample_rate = true must be a whole number"),
        ({"n_fft": 1}, "n_fft = 1 must be 2 to 1048576"),
        ({"n_fft": 10**40}, "n_fft = a number of more than 38 digits"),
        ({"hop": 0}, "hop = 0 must be 1 to"),
        ({"hop": 2049}, r"hop = 2049 must be at most n_fft = 2048 \(try 512\)"),
        ({"window": "han"}, "did you mean 'hann'"),
        ({"center": 1}, "center = 1 must be true or false"),
        ({"n_rows": 0}, "n_rows = 0 must be 1 to"),
        ({"fmin": -1.0}, "fmin = -1 must be 0 to"),
        ({"fmin": 9000.0, "fmax": 8000.0}, "must rise and end by 11025 Hz"),
        ({"fmax": 11026.0}, "fmin = 0 to fmax = 11026 Hz must rise and end by 11025 Hz"),
        ({"fmax": 1e9}, "fmin = 0 to fmax = 1e\\+09 Hz must rise and end by 11025 Hz"),
        ({"fmax": float("nan")}, "fmax = nan must be a finite number"),
        ({"norm": "l2"}, "norm = 'l2' must be 'slaney' or null"),
        ({"bins_per_octave": 12}, "bins_per_octave must be given for a cqt, and null"),
        ({"power": 0}, "power = 0 must be 0.1 to 10"),
        ({"ref": 0.0}, "ref = 0 must be 1e-300 to"),
        ({"ref": float("inf")}, "ref = inf must be a finite number or null"),
        ({"db_low": 0.0}, r"db_low = 0 must be below db_high = 0 \(try -80\)"),
        ({"db_high": 2000.0}, "db_high = 2000 must be -1000 to 1000"),
        ({"n_samples": -1}, "n_samples = -1 must be 0 to"),
        ({"n_samples": 1 << 50}, "n_samples = 1125899906842624 must be"),
        ({"n_channels": 65}, "n_channels = 65 must be 1 to 64"),
        ({"n_columns": 131}, "n_columns = 131 must be at most the 130 frames there are"),
        ({"kind": "bark"}, "htk and norm belong to mel"),
        ({"kind": "stft", "norm": None}, "n_rows = 128 of an stft must be n_fft // 2"),
        (
            {"kind": "stft", "norm": None, "n_rows": 1025, "fmax": 8000.0},
            "fmin and fmax of an stft must be 0 and 11025 Hz",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(fields: dict[str, Any], sentence: str):
    with pytest.raises(SettingsError, match=sentence):
        dataclasses.replace(fmt(), **fields)
    text = json.dumps({**fmt().to_dict(), **fields})
    with pytest.raises(SettingsError):
        PictureFormat.from_json(text)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"n_fft": 8192}, "n_fft = 8192 of this cqt must be 16384"),
        ({"fmax": 5000.0}, "octaves above fmin"),
        ({"center": False}, "center of a cqt must be true"),
        ({"fmin": 0.01}, "fmin=0.01 Hz with 12 rows an octave .* takes windows of more than"),
        ({"bins_per_octave": None}, "bins_per_octave must be given for a cqt"),
    ],
)
def test_a_cqt_must_agree_with_itself(fields: dict[str, Any], sentence: str):
    with pytest.raises(SettingsError, match=sentence):
        dataclasses.replace(fmt("cqt"), **fields)


def test_rows_of_a_cqt_above_half_the_rate_are_refused():
    with pytest.raises(SettingsError, match="try a lower fmin or fewer rows"):
        fmt("cqt", n_rows=120)


def test_all_faults_are_told_at_once():
    with pytest.raises(SettingsError) as caught:
        fmt(hop=0, power=-1, n_channels=0)
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is no JSON"),
        ("[" * 16000, "is no JSON"),
        ('{"n_fft": ' + "9" * 5000 + "}", "is no JSON"),
        ("x" * (LONGEST_TEXT + 1), "characters of format are more than"),
        ("[1]", "is no format of a picture"),
        ('{"format": "another", "version": 1}', "is no format of a picture"),
        ('{"format": "realtime-picture", "version": 2}', "version = 2 of the format must be 1"),
        ('{"format": "realtime-picture", "version": true}', "version = true"),
        ('{"format": "realtime-picture", "version": 1}', "lacks kind, sample_rate"),
    ],
)
def test_text_that_is_not_ours_is_refused(text: str, sentence: str):
    with pytest.raises(SettingsError, match=sentence):
        PictureFormat.from_json(text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=4,
)


@given(changes=st.dictionaries(st.sampled_from(sorted(fmt().to_dict())), VALUES, max_size=4))
def test_no_text_gives_anything_but_a_picture_or_a_sentence(changes: dict[str, Any]):
    try:
        picture = PictureFormat.from_json(json.dumps({**fmt().to_dict(), **changes}))
    except SettingsError:
        return
    assert PictureFormat.from_json(picture.to_json()) == picture
    assert np.isfinite(picture.hz_at([0, picture.n_rows - 1])).all()
