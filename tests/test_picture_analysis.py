"""Sounds of any length to dB: librosa's, in any pieces, in memory that does not grow."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from realtime.dsp.scales import SCALES
from realtime.errors import RequestError, SettingsError, SourceError
from realtime.picture import analysis as module
from realtime.picture.analysis import analyse
from realtime.picture.format import picture_format
from realtime.picture.load import Sound
from realtime.picture.reduce import Reducer
from realtime.picture.stream import PictureStream

RATE = 22050
KINDS = ("stft", "mel", "bark", "erb", "cqt")


@pytest.fixture
def sound(rng: np.random.Generator) -> Sound:
    """1.4 s: a glide on one side, noise on the other."""
    t = np.arange(30_000) / RATE
    glide = np.sin(2 * np.pi * np.cumsum(200 + 600 * t) / RATE) * np.exp(-3 * t)
    both = np.stack([0.5 * glide, 1e-2 * rng.standard_normal(len(t))], axis=1)
    return Sound(both.astype(np.float32), RATE)


@pytest.fixture
def wav(sound: Sound, tmp_path: Path) -> Path:
    soundfile.write(tmp_path / "a.wav", sound.samples, RATE, subtype="FLOAT")
    return tmp_path / "a.wav"


@pytest.mark.parametrize("ref", ["max", np.max, 0.3])
@pytest.mark.parametrize("top_db", [80.0, 40.0, None])
def test_a_mel_picture_is_librosas(sound: Sound, ref: Any, top_db: float | None):
    found = analyse(sound, "mel", n_fft=1024, hop=256, n_rows=64, ref=ref, top_db=top_db)
    mels = librosa.feature.melspectrogram(
        y=sound.samples.T, sr=RATE, n_fft=1024, hop_length=256, n_mels=64
    )
    ref = np.max if ref == "max" else ref
    # In one piece: librosa 1.0 would give each channel a reference of its own.
    theirs = librosa.power_to_db(np.concatenate(mels), ref=ref, top_db=top_db).reshape(mels.shape)
    db, picture = found.db(), found.picture
    assert db.dtype == np.float32 and db.shape == (2, picture.n_frames, 64)
    np.testing.assert_allclose(db, theirs.swapaxes(1, 2), rtol=0, atol=1e-3)
    assert (picture.n_samples, picture.n_channels, picture.n_columns) == (30_000, 2, None)
    assert picture.db_high == pytest.approx(theirs.max(), abs=1e-3)
    low = theirs.min() if top_db is None else theirs.max() - top_db
    assert picture.db_low == pytest.approx(low, abs=1e-3)
    assert picture.ref == pytest.approx(mels.max() if ref != 0.3 else 0.3)


def test_an_stft_picture_of_magnitudes_is_librosas(sound: Sound):
    found = analyse(sound, "stft", n_fft=512, hop=100, window="hamming", power=1.0)
    theirs = librosa.stft(sound.samples.T, n_fft=512, hop_length=100, window="hamming")
    one = librosa.amplitude_to_db(np.abs(np.concatenate(theirs)), ref=np.max)
    theirs = one.reshape(theirs.shape).swapaxes(1, 2)
    np.testing.assert_allclose(found.db(), theirs, rtol=0, atol=1e-3)


def test_a_constant_q_picture_is_near_librosas(sound: Sound):
    found = analyse(sound, "cqt", power=1.0, mono=True)
    theirs = np.abs(librosa.cqt(librosa.to_mono(sound.samples.T), sr=RATE))
    theirs = librosa.amplitude_to_db(theirs, ref=np.max).T
    loud = theirs > -40
    assert np.abs(found.db()[0] - theirs)[loud].mean() < 0.5


@pytest.mark.parametrize("kind", ["bark", "erb"])
def test_bands_of_hearing_hold_the_energy_that_is_there(rng, kind: str):
    """Triangles of height 1 that overlap by halves give back all power between the outermost."""
    noise = Sound(0.1 * rng.standard_normal(RATE), RATE)
    bands = analyse(noise, kind, n_rows=40, fmin=200.0, ref=1.0, top_db=None)
    energies = bands.picture.values(bands.db()).sum(axis=-1)
    bins = analyse(noise, "stft", ref=1.0, top_db=None)
    inner = bins.picture.row_frequencies()
    inner = (inner > bands.picture.hz_at(0)) & (inner < bands.picture.hz_at(39))
    power = bins.picture.values(bins.db())[..., inner].sum(axis=-1)
    np.testing.assert_allclose(energies, power, rtol=0.2)
    tone = Sound(np.sin(2 * np.pi * 3000 * np.arange(RATE) / RATE), RATE)
    rows = analyse(tone, kind, n_rows=40).db()[0]
    scale = SCALES[kind]
    span = scale.forward([0.0, 3000.0, RATE / 2])
    place = (span[1] - span[0]) / (span[2] - span[0]) * 41 - 1
    assert abs(int(rows[20].argmax()) - place) <= 0.5


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=8, deadline=None)
@given(cuts=st.lists(st.integers(0, 12_000), max_size=5))
def test_values_do_not_depend_on_how_the_sound_is_cut(kind: str, cuts: list[int]):
    samples = np.random.default_rng(1).uniform(-1, 1, (12_000, 2)).astype(np.float32)
    fields: dict[str, Any] = {"fmin": 110.0, "n_rows": 40} if kind == "cqt" else {}
    picture = picture_format(kind, sample_rate=RATE, hop=300, n_channels=2, **fields)
    stream = PictureStream(picture)
    whole = np.concatenate([stream.push(samples), stream.finish()])
    assert whole.shape == (picture.frames_in(12_000), 2, picture.n_rows)
    parts = [stream.push(part) for part in np.split(samples, sorted(cuts))]
    np.testing.assert_array_equal(np.concatenate([*parts, stream.finish()]), whole)


@pytest.mark.parametrize("n", [1, 7, 59, 1000])
def test_chunks_are_the_whole_in_pieces(sound: Sound, n: int):
    found = analyse(sound, "mel")
    chunks = list(found.chunks(n))
    assert all(chunk.shape[1] == n for chunk in chunks[:-1]) and chunks[-1].shape[1] <= n
    np.testing.assert_array_equal(np.concatenate(chunks, axis=1), found.db())
    assert len(list(found.chunks(n))) == len(chunks)


@pytest.mark.parametrize("n_columns", [None, 20])
def test_a_file_analysed_twice_gives_what_is_kept_from_once(wav, sound, monkeypatch, n_columns):
    once = analyse(wav, "mel", n_columns=n_columns)
    np.testing.assert_array_equal(once.db(), analyse(sound, "mel", n_columns=n_columns).db())
    monkeypatch.setattr(module, "MOST_KEPT", 1000)
    twice = analyse(wav, "mel", n_columns=n_columns)
    assert twice.picture == once.picture
    np.testing.assert_array_equal(twice.db(), once.db())


@pytest.mark.parametrize("claim", [None, 10_000, 50_000])
@pytest.mark.parametrize("kept", [1000, 1 << 20])
def test_a_length_claimed_falsely_changes_nothing(wav, sound, monkeypatch, claim, kept):
    honest = analyse(sound, "mel", n_columns=20)
    monkeypatch.setattr(module, "MOST_KEPT", kept)
    monkeypatch.setattr(module.OpenSound, "n_samples", claim)
    found = analyse(wav, "mel", n_columns=20)
    assert found.picture == honest.picture
    np.testing.assert_array_equal(found.db(), honest.db())


@pytest.mark.parametrize("n_columns", [1, 7, 58, 59])
@pytest.mark.parametrize("way", ["peak", "mean"])
def test_fewer_columns_are_the_greatest_or_the_mean_of_frames(sound, n_columns, way):
    every = analyse(sound, "stft", top_db=None)
    found = analyse(sound, "stft", top_db=None, n_columns=n_columns, reduce=way)
    assert every.n_columns == 59 and found.n_columns == n_columns
    assert found.picture.n_columns == (None if n_columns == 59 else n_columns)
    values = every.picture.values(every.db())
    join = np.max if way == "peak" else np.mean
    edges = [c * 59 // n_columns for c in range(n_columns + 1)]
    parts = [join(values[:, a:b], axis=1) for a, b in pairwise(edges)]
    np.testing.assert_allclose(
        found.picture.values(found.db()), np.stack(parts, axis=1), rtol=1e-4, atol=1e-9
    )


@settings(max_examples=60, deadline=None)
@given(data=st.data(), way=st.sampled_from(["peak", "mean"]))
def test_columns_do_not_depend_on_how_frames_come(data: st.DataObject, way: str):
    n_frames = data.draw(st.integers(1, 40))
    n_columns = data.draw(st.integers(1, n_frames))
    cuts = data.draw(st.lists(st.integers(0, n_frames), max_size=6))
    values = np.random.default_rng(2).integers(0, 99, (n_frames, 3)).astype(np.float32)
    reducer = Reducer(n_frames, n_columns, way)
    edges = [c * n_frames // n_columns for c in range(n_columns + 1)]
    join = np.max if way == "peak" else np.mean
    expected = [join(values[a:b], axis=0) for a, b in pairwise(edges)]
    for _ in range(2):
        parts = [reducer.push(part) for part in np.split(values, sorted(cuts))]
        np.testing.assert_allclose(np.concatenate(parts), expected, rtol=1e-6)
    with pytest.raises(RequestError, match="more than the"):
        Reducer(n_frames, n_columns, way).push(np.concatenate([values, values]))


@pytest.mark.filterwarnings("ignore:'(aifc|audioop|sunau)' is deprecated")
def test_another_rate_and_one_channel(wav):
    found = analyse(wav, "mel", sample_rate=16000, mono=True)
    samples, rate = librosa.load(wav, sr=16000)
    theirs = librosa.power_to_db(librosa.feature.melspectrogram(y=samples, sr=rate), ref=np.max)
    assert found.picture.sample_rate == 16000
    np.testing.assert_allclose(found.db()[0], theirs.T, rtol=0, atol=1e-3)


def test_silence_is_one_colour(tmp_path):
    for top_db in (80.0, None):
        found = analyse(Sound(np.zeros(5000), RATE), "mel", top_db=top_db)
        assert not found.db().any() and found.is_silent
        assert found.picture.db_low == 0 < found.picture.db_high  # dark
        assert found.picture.ref == pytest.approx(1e-10)


def test_progress_is_told_up_to_the_end(sound, wav, monkeypatch):
    shares: list[float | None] = []
    analyse(wav, "mel", progress=shares.append, hop=16, n_fft=512)
    assert len(shares) > 2 and shares == sorted(shares, key=lambda s: s or 0) and shares[-1] == 1
    monkeypatch.setattr(module.OpenSound, "n_samples", None)
    shares.clear()
    analyse(sound, progress=shares.append)
    assert set(shares) == {None}


def test_a_file_that_breaks_off_is_taken_in_part_and_says_so(wav):
    wav.write_bytes(wav.read_bytes()[:120_000])
    with pytest.raises(SourceError, match="ends after"):
        analyse(wav)
    found = analyse(wav, partial=True)
    assert "ends after" in (found.damage or "") and found.n_columns == 30


def test_a_file_that_changes_between_two_passes_is_noticed(wav, sound, monkeypatch):
    monkeypatch.setattr(module, "MOST_KEPT", 1000)
    found = analyse(wav)
    for n in (20_000, 60_000):
        soundfile.write(wav, np.zeros((n, 2)), RATE)
        with pytest.raises(SourceError, match="has changed while it was read"):
            found.db()


def test_more_than_fits_into_memory_is_not_given_at_once(sound, monkeypatch):
    found = analyse(sound)
    monkeypatch.setattr(module, "MOST_VALUES", 1000)
    with pytest.raises(RequestError, match=r"59 columns of 1025 rows do not fit .* chunks"):
        found.db()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"kind": "mell"}, "did you mean 'mel'"),
        ({"hop": 4096}, "hop = 4096 must be at most n_fft = 2048"),
        ({"n_fft": 1 << 16, "center": False}, "30000 samples are fewer than n_fft=65536"),
        ({"ref": 0.0}, "ref=0.0 must be a number above 0, or 'max'"),
        ({"ref": np.median}, "or 'max'"),
        ({"top_db": -1.0}, "top_db=-1.0 at least 0"),
        ({"amin": 0.0}, "amin=0.0 must be above 0"),
        ({"n_columns": 0}, "n_columns=0 must be 1 to"),
        ({"n_columns": 9, "reduce": "least"}, "reduce='least' must be one of peak, mean"),
        ({"sample_rate": 10}, "sample_rate=10 must be 1000"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(sound, fields: dict[str, Any], sentence: str):
    with pytest.raises((RequestError, SettingsError), match=sentence):
        analyse(sound, **fields)


@pytest.mark.parametrize(
    ("samples", "sentence"),
    [
        (np.zeros(5, np.int16), "samples of int16"),
        (np.zeros(0), "at least one"),
        (np.zeros((2, 2, 2)), "must be float"),
    ],
)
def test_a_sound_that_cannot_be_is_refused(samples, sentence: str):
    with pytest.raises(RequestError, match=sentence):
        Sound(samples, RATE)
    with pytest.raises(RequestError, match="must be 1000 to"):
        Sound(np.zeros(5), 5)


def test_columns_of_very_many_frames_hold_on_to_nothing_else() -> None:
    reducer = Reducer(100_000, 10)
    for _ in range(1000):
        made = reducer.push(np.zeros((7, 1, 500), np.float32))
        assert made.base is None
