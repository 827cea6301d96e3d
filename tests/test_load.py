"""Files into arrays: librosa's samples, any container, any cut, and what breaks off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.audio import media
from realtime.audio.media import MediaFile
from realtime.errors import MissingDependency, RequestError, SourceError
from realtime.picture import load as module
from realtime.picture.load import load, open_sound

RATE = 44100
MEDIA = ("m4a", "mp4", "aac", "mkv", "webm", "wma", "avi", "ac3", "mp2")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The same 0.4 s of two channels in every container, each named "a"."""
    folder = tmp_path_factory.mktemp("sounds")
    t = np.arange(round(0.4 * RATE)) / RATE
    both = np.stack([0.5 * np.sin(2 * np.pi * 440 * t), 0.3 * np.sin(2 * np.pi * 1000 * t)], 1)
    for ending in ("wav", "flac", "ogg", "mp3"):
        soundfile.write(folder / f"a.{ending}", both, RATE)
    for ending in MEDIA:
        convert(folder / "a.wav", folder / f"a.{ending}")
    return folder


def convert(source: Path, target: Path, *options: str) -> None:
    command = ["ffmpeg", "-v", "error", "-y", "-i", source, *options, target]
    subprocess.run(command, check=True, timeout=20, stdin=subprocess.DEVNULL)


def test_more_channels_than_ffmpeg_keeps_planes_for_are_read(folder: Path, rng):
    samples = rng.uniform(-1, 1, (5000, 16)).astype(np.float32)
    soundfile.write(folder / "many.wav", samples, RATE, subtype="FLOAT")
    convert(folder / "many.wav", folder / "many.mkv", "-c:a", "pcm_f32le")
    np.testing.assert_array_equal(load(folder / "many.mkv").samples, samples)


def test_sound_that_changes_its_channels_is_read_up_to_there(folder: Path):
    convert(folder / "a.wav", folder / "one.ac3", "-ac", "1")
    both = (folder / "a.ac3").read_bytes() + (folder / "one.ac3").read_bytes()
    (folder / "both.ac3").write_bytes(both)
    with pytest.raises(SourceError, match="goes on with 1 channels at 44100 Hz after 0"):
        load(folder / "both.ac3")
    part = load(folder / "both.ac3", partial=True)
    assert part.n_channels == 2 and part.seconds > 0.4


def test_streams_that_begin_within_a_file_do_not_end_the_first(folder: Path):
    later = ("-mpegts_start_pid", "0x300", "-mpegts_pmt_start_pid", "0x1500")
    picture = ("-f", "lavfi", "-i", "testsrc=d=0.4", "-c:v", "mpeg2video")
    convert(folder / "a.wav", folder / "first.ts", "-c:a", "aac")
    convert(folder / "a.wav", folder / "later.ts", *picture, "-c:a", "aac", *later)
    both = (folder / "first.ts").read_bytes() + (folder / "later.ts").read_bytes()
    (folder / "both.ts").write_bytes(both)
    np.testing.assert_array_equal(
        load(folder / "both.ts").samples, load(folder / "first.ts").samples
    )


# What librosa imports in order to load.
@pytest.mark.filterwarnings("ignore:'(aifc|audioop|sunau)' is deprecated")
@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3"])
@pytest.mark.parametrize("sample_rate", [None, 22050, 48000, 16000])
@pytest.mark.parametrize("mono", [False, True])
def test_samples_are_librosas(folder, ending, sample_rate, mono):
    path = folder / f"a.{ending}"
    ours = load(path, sample_rate, mono)
    theirs, rate = librosa.load(path, sr=sample_rate, mono=mono)
    assert (ours.sample_rate, ours.n_channels, ours.damage) == (rate, 1 if mono else 2, None)
    assert ours.samples.dtype == np.float32
    np.testing.assert_array_equal(ours.samples, np.atleast_2d(theirs).T)
    assert ours.seconds == len(theirs.T) / rate


@pytest.mark.parametrize("ending", MEDIA)
def test_what_libsndfile_does_not_read_comes_through_pyav(folder, ending):
    ours = load(folder / f"a.{ending}")
    assert ours.n_channels == 2 and 0.37 <= ours.seconds < 0.5  # a WMA lacks its last block
    middle = ours.samples[2000 : 2000 + ours.sample_rate // 5]
    spectrum = np.abs(np.fft.rfft(middle * np.hanning(len(middle))[:, None], axis=0))
    assert list(5 * spectrum.argmax(axis=0)) == [440, 1000]
    assert np.abs(middle).max(axis=0) == pytest.approx([0.5, 0.3], abs=0.05)


def test_pyav_gives_the_samples_that_libsndfile_gives(folder):
    for ending in ("wav", "flac"):
        ours = MediaFile(str(folder / f"a.{ending}"))
        assert (ours.name, ours.n_samples) == (f"a.{ending}", round(0.4 * RATE))
        np.testing.assert_array_equal(ours.read(10**6), load(folder / f"a.{ending}").samples)
        assert not len(ours.read(10))
        ours.close()
        ours.close()


@pytest.mark.parametrize("width", ["pcm_u8", "pcm_s24le", "pcm_f32le", "pcm_f64le"])
def test_every_width_of_samples_has_the_same_full_scale(folder, tmp_path, width):
    convert(folder / "a.wav", tmp_path / "a.mkv", "-c:a", width)
    reference = load(folder / "a.wav").samples
    step = 2 / 256 if width == "pcm_u8" else 1e-6
    np.testing.assert_allclose(load(tmp_path / "a.mkv").samples, reference, atol=step)


def test_sound_of_a_video_is_read_and_its_pictures_are_not(folder, tmp_path):
    picture = ["-f", "lavfi", "-i", "testsrc=d=0.4:s=64x64", "-map", "0:a", "-map", "1:v"]
    convert(folder / "a.wav", tmp_path / "a.mp4", *picture, "-c:v", "mpeg4", "-shortest")
    assert len(load(tmp_path / "a.mp4").samples) >= 0.35 * RATE
    convert(folder / "a.wav", tmp_path / "b.mp4", *picture[:-4], "-map", "1:v", "-c:v", "mpeg4")
    with pytest.raises(SourceError, match="holds no sound"):
        load(tmp_path / "b.mp4")


def test_an_mp3_whose_length_nothing_tells_is_read_to_its_end(tmp_path, rng):
    """librosa, by libsndfile, gives a quarter of it."""
    noise = 0.2 * rng.standard_normal(6 * RATE)
    soundfile.write(tmp_path / "a.wav", np.concatenate([noise, np.zeros(20 * RATE)]), RATE)
    convert(tmp_path / "a.wav", tmp_path / "a.mp3", "-q:a", "4", "-write_xing", "0")
    assert 26 <= load(tmp_path / "a.mp3").seconds < 26.2


def test_without_pyav_a_sentence_names_the_extra(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingDependency, match=r"a.m4a' .*pip install 'realtime-spec.*\[media\]'"):
        load(folder / "a.m4a")
    assert load(folder / "a.mp3").n_channels == 2


@settings(max_examples=15, deadline=None)
@given(cuts=st.lists(st.integers(1, 30_000), min_size=1, max_size=5))
@pytest.mark.parametrize("ending", ["flac", "m4a"])
def test_blocks_do_not_depend_on_how_they_are_cut(folder, ending, cuts):
    whole = load(folder / f"a.{ending}", 22050).samples
    sound = open_sound(folder / f"a.{ending}", 22050)
    blocks = [sound.read(n) for n in cuts]
    sound.close()
    np.testing.assert_array_equal(np.concatenate(blocks), whole[: sum(cuts)])


@pytest.mark.parametrize("sample_rate", [None, 22050])
def test_a_reader_tells_how_much_to_expect(folder, sample_rate):
    sound = open_sound(folder / "a.flac", sample_rate, mono=True)
    assert (sound.name, sound.n_channels) == ("a.flac", 1)
    assert sound.n_samples == len(sound.read(10**6))
    sound.close()


@pytest.mark.filterwarnings("ignore:'(aifc|audioop|sunau)' is deprecated")
@pytest.mark.parametrize("n_samples", [1, 2, 3, 100])
def test_the_shortest_sounds_are_resampled_to_librosas_length(tmp_path, n_samples):
    soundfile.write(tmp_path / "a.wav", np.full(n_samples, 0.5), 48000)
    for rate in (8000, 22050, 96000):
        theirs, _ = librosa.load(tmp_path / "a.wav", sr=rate)
        np.testing.assert_array_equal(load(tmp_path / "a.wav", rate).samples[:, 0], theirs)


def test_a_file_that_breaks_off_is_refused_or_taken_in_part_and_says_so(tmp_path, rng):
    path = tmp_path / "a.flac"
    soundfile.write(path, 0.1 * rng.standard_normal(RATE), RATE)
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(SourceError, match=r"is damaged after|ends after"):
        load(path)
    for rate in (None, 22050):
        part = load(path, rate, partial=True)
        assert part.damage is not None and ("damaged" in part.damage or "ends" in part.damage)
        assert 0.2 < part.seconds < 0.6


def test_an_mp4_cut_short_says_so(tmp_path, rng):
    soundfile.write(tmp_path / "a.wav", 0.1 * rng.standard_normal(5 * RATE), RATE)
    path = tmp_path / "a.m4a"
    convert(tmp_path / "a.wav", path, "-movflags", "faststart")
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(SourceError, match=r"is damaged after 2\.|ends after 2\.\d\d s though"):
        load(path)
    assert 2 < load(path, partial=True).seconds < 3


def test_nan_becomes_zero_and_is_counted(tmp_path):
    samples = np.zeros(5000, np.float32)
    samples[[7, 9]] = np.nan, np.inf
    soundfile.write(tmp_path / "a.wav", samples, RATE, subtype="FLOAT")
    sound = load(tmp_path / "a.wav")
    assert sound.bad_samples == 2 and not sound.samples.any()
    through = MediaFile(str(tmp_path / "a.wav"))
    assert not through.read(5000).any() and through.bad_samples == 2
    through.close()


def test_more_than_fits_into_memory_is_refused_before_it_is_there(folder, monkeypatch):
    monkeypatch.setattr(module, "MOST_VALUES", 10_000)
    monkeypatch.setattr(module, "PIECE", 1000)
    with pytest.raises(SourceError, match=r"longer than fits into memory .* open_sound"):
        load(folder / "a.wav")


def test_more_samples_than_a_file_can_hold_are_refused(folder, monkeypatch):
    monkeypatch.setattr(media, "SAMPLES_PER_BYTE", 0.5)
    with pytest.raises(SourceError, match="more samples than a file of its size can hold"):
        load(folder / "a.m4a")


@pytest.mark.parametrize("rate", [0, 999, 10**9])
def test_a_rate_that_cannot_be_is_refused(folder, rate):
    with pytest.raises(RequestError, match="must be 1000 to 768000 Hz"):
        load(folder / "a.wav", rate)


@pytest.mark.parametrize(
    "text",
    [
        "#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{wav}\n#EXT-X-ENDLIST\n",
        "ffconcat version 1.0\nfile {wav}\n",
        "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n",
        "<?xml version='1.0'?><MPD><BaseURL>{wav}</BaseURL></MPD>",
        "dear diary, " * 200,
        "\x1a\x45\xdf\xa3" * 50,
    ],
)
def test_a_file_that_names_other_files_or_is_no_sound_is_refused(folder, tmp_path, text):
    path = tmp_path / "a.m4a"
    path.write_text(text.format(wav=folder / "a.wav"), encoding="latin-1")
    with pytest.raises(SourceError, match="is no sound or video in a format that we read"):
        load(path)


def test_sound_in_a_codec_not_named_is_refused(folder, monkeypatch):
    monkeypatch.setattr(media, "DECODERS", frozenset(["mp3"]))
    with pytest.raises(SourceError, match="holds sound that we do not decode"):
        load(folder / "a.m4a")


@pytest.mark.parametrize("name", ["none.wav", "."])
def test_what_is_no_file_is_refused(folder, name):
    with pytest.raises(SourceError, match=r"there is no file|is a folder"):
        load(folder / name)


@pytest.mark.parametrize("ending", ["m4a", "mkv", "aac", "wma", "avi", "mp2"])
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_damage_gives_anything_but_samples_or_a_sentence(folder, tmp_path, ending, data):
    damaged = bytearray((folder / f"a.{ending}").read_bytes())
    place = st.one_of(st.integers(0, 200), st.integers(0, len(damaged) - 1))
    for at, value in data.draw(st.lists(st.tuples(place, st.integers(0, 255)), max_size=8)):
        damaged[at] = value
    del damaged[data.draw(st.one_of(st.just(len(damaged)), st.integers(1, len(damaged)))) :]
    path = tmp_path / "damaged"
    path.write_bytes(damaged)
    try:
        sound = load(path, partial=True)
    except SourceError:
        return
    assert np.isfinite(sound.samples).all() and sound.samples.shape[1] == sound.n_channels
