from __future__ import annotations

import os
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from realtime.audio.files import CHUNK, AudioFile, open_audio_file
from realtime.errors import SourceError

RATE = 48000
NOBODY = 65534
KINDS = ("wav", "flac", "ogg", "mp3", "aiff", "caf", "au", "w64")


@pytest.fixture
def samples(rng) -> np.ndarray:
    """Half a second, two channels, on the grid of 16 bits."""
    return (rng.integers(-8000, 8000, (RATE // 2, 2)) / 32768).astype(np.float32)


@pytest.fixture
def wav(tmp_path, samples) -> Path:
    path = tmp_path / "sound.wav"
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    return path


def read_all(path: Path | str, n: int = 1000) -> np.ndarray:
    file = open_audio_file(str(path))
    try:
        return drain(file, n)
    finally:
        file.close()


def drain(file: AudioFile, n: int = 1000, blocks: list[np.ndarray] | None = None) -> np.ndarray:
    """All that is left; `blocks` also keeps what came before a fault."""
    blocks = [] if blocks is None else blocks
    while len(block := file.read(n)):
        blocks.append(block)
    return np.concatenate(blocks)


def header(n_channels: int, sample_rate: int, data: bytes, claimed: int | None = None) -> bytes:
    """A WAV of 16 bits with any header."""
    width = 2 * n_channels
    return struct.pack(
        "<4sI4s4sIHHIIHH4sI",
        *(b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 1, n_channels, sample_rate),
        *((sample_rate * width) & 0xFFFFFFFF, width & 0xFFFF, 16),
        *(b"data", len(data) if claimed is None else claimed),
    ) + data  # fmt: skip


def claim_samples(flac: bytes, n: int) -> bytes:
    """The FLAC with another total in its STREAMINFO (36 bits at byte 21)."""
    total = (flac[21] & 0xF0) << 32 | n
    return flac[:21] + total.to_bytes(5, "big") + flac[26:]


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "b.rf64"])
def test_a_lossless_file_arrives_to_the_bit(tmp_path, samples, name):
    kind = "RF64" if name.endswith("rf64") else None
    soundfile.write(tmp_path / name, samples, RATE, subtype="PCM_16", format=kind)
    file = open_audio_file(str(tmp_path / name))
    assert (file.name, file.sample_rate, file.n_channels) == (name, RATE, 2)
    assert file.n_samples == len(samples)
    assert np.array_equal(drain(file), samples)
    assert len(file.read(10)) == 0
    file.close()
    file.close()


@pytest.mark.parametrize("ending", ["aiff", "caf", "au", "w64"])
def test_further_containers_arrive_to_the_bit(wav, samples, ending):
    out = wav.with_suffix(f".{ending}")
    subprocess.run(["ffmpeg", "-v", "error", "-i", wav, out], check=True, timeout=20)
    played = read_all(out)
    assert len(samples) <= len(played) <= len(samples) + 4  # a W64 is padded to 8 bytes
    assert np.array_equal(played[: len(samples)], samples)


@pytest.mark.parametrize("name", ["a.ogg", "a.mp3"])
def test_a_lossy_file_equals_what_soundfile_reads_whole(tmp_path, samples, name):
    soundfile.write(tmp_path / name, samples, RATE)
    whole, _ = soundfile.read(tmp_path / name, dtype="float32")
    assert np.array_equal(read_all(tmp_path / name), whole)


@pytest.mark.parametrize(
    "command",
    [
        "ffmpeg -v error -i {wav} {out}.flac",
        "ffmpeg -v error -i {wav} -c:a pcm_s24le {out}.wav",
        "ffmpeg -v error -i {wav} -c:a pcm_f32le -rf64 always {out}.wav",
        "ffmpeg -v error -i {wav} -f wav pipe:1 > {out}.wav",
        "ffmpeg -v error -i {wav} -f flac pipe:1 > {out}.flac",
        "sox {wav} -t wav - > {out}.wav",
        "sox {wav} {out}.flac",
    ],
)
def test_lossless_files_of_other_programs_arrive_to_the_bit(wav, samples, command):
    """Those written to a pipe do not know their length, and claim none or an absurd one."""
    out = wav.parent / "other"
    subprocess.run(command.format(wav=wav, out=out), shell=True, check=True, timeout=20)
    (path,) = wav.parent.glob("other.*")
    assert np.array_equal(read_all(path), samples)


@pytest.mark.parametrize(
    "command",
    [
        "ffmpeg -v error -i {wav} -b:a 128k {out}.mp3",
        "ffmpeg -v error -i {wav} -c:a libvorbis {out}.ogg",
        "ffmpeg -v error -i {wav} -c:a libopus {out}.ogg",
        "sox {wav} {out}.ogg",
    ],
)
def test_lossy_files_of_other_programs_arrive_in_full_length(wav, samples, command):
    out = wav.parent / "other"
    subprocess.run(command.format(wav=wav, out=out), shell=True, check=True, timeout=20)
    (path,) = wav.parent.glob("other.*")
    assert len(samples) <= len(read_all(path)) <= len(samples) + 3000


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cuts=st.lists(st.integers(1, 3 * CHUNK), min_size=1, max_size=6))
def test_samples_do_not_depend_on_how_the_reads_are_cut(wav, samples, cuts):
    file = open_audio_file(str(wav))
    blocks = [file.read(n) for n in cuts]
    assert [len(block) for block in blocks] == [
        max(0, min(n, len(samples) - sum(cuts[:i]))) for i, n in enumerate(cuts)
    ]
    assert np.array_equal(np.concatenate(blocks), samples[: sum(cuts)])
    file.close()


def test_nan_and_infinities_become_zeros_and_are_counted(tmp_path, samples):
    path = tmp_path / "bad.wav"
    bad = samples.copy()
    bad[5, 0], bad[20000, 1], bad[20001] = np.nan, np.inf, -np.inf
    soundfile.write(path, bad, RATE, subtype="FLOAT")
    file = open_audio_file(str(path))
    expected = np.where(np.isfinite(bad), bad, 0)
    assert np.array_equal(drain(file), expected)
    assert file.bad_samples == 4
    file.close()


def test_a_file_named_minus_is_a_file_and_not_standard_input(wav, samples, monkeypatch):
    wav.rename(wav.parent / "-")
    monkeypatch.chdir(wav.parent)
    assert np.array_equal(read_all("-"), samples)


def test_a_name_that_is_not_text_opens_and_is_shown_with_a_placeholder(wav, samples):
    odd = os.fsdecode(os.fsencode(wav.parent) + b"/caf\xe9.wav")
    os.rename(wav, odd)
    file = open_audio_file(odd)
    assert file.name == "caf\N{REPLACEMENT CHARACTER}.wav"
    assert np.array_equal(drain(file), samples)
    file.close()


def refused(path: Path | str, sentence: str) -> None:
    with pytest.raises(SourceError, match=sentence) as caught:
        read_all(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("n_channels", "sample_rate", "sentence"),
    [
        (0, RATE, "is not audio"),
        (65, RATE, "has 65 channels, outside 1 to 64"),
        (1000, RATE, "has 1000 channels, outside 1 to 64"),
        (65535, RATE, "is not audio"),
        (1, 0, "is not audio"),
        (1, 1, "has a sample rate of 1 Hz, outside 1000 to 768000 Hz"),
        (1, 999, "a sample rate of 999 Hz"),
        (1, 10_000_000, "a sample rate of 10000000 Hz, outside"),
        (1, 0xFFFFFFFF, "is not audio"),
    ],
)
def test_a_header_outside_the_limits_is_refused(tmp_path, n_channels, sample_rate, sentence):
    path = tmp_path / "h.wav"
    path.write_bytes(header(n_channels, sample_rate, bytes(8 * n_channels)))
    refused(path, sentence)


@pytest.mark.parametrize("n_channels", [1, 64])
@pytest.mark.parametrize("sample_rate", [1000, 768_000])
def test_a_header_at_the_limits_is_accepted(tmp_path, n_channels, sample_rate):
    path = tmp_path / "h.wav"
    path.write_bytes(header(n_channels, sample_rate, bytes(8 * n_channels)))
    assert read_all(path).shape == (4, n_channels)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", r"is empty \(0 bytes\)"),
        (b"R", "is not audio in WAV, FLAC, OGG, MP3, AIFF, CAF, AU or W64"),
        (b"\xff", "is not audio"),
        (b"dear diary, " * 100, "is not audio .* convert it"),
        (b"RIFF\x24\x00\x00\x00WAVE", "is not audio"),
        (b"RIFF\x24\x00\x00\x00AVI LIST", "is not audio"),
        (b"fLaC" + bytes(100), "is not audio"),
        (b"OggS" + bytes(100), "is not audio"),
        (b"ID3" + bytes(100), "is not audio"),
        (b"\xff\xfb" + bytes(5000), "is not audio"),
        (header(2, RATE, b"")[:30], "is not audio"),
        (header(2, RATE, b""), "holds no sample"),
        (header(2, RATE, b"", 10**9), "holds no sample"),
        (b"FORM" + bytes(100), "is not audio"),
        (b"FORM\0\0\0\0AIFF" + bytes(50), "is not audio"),
        (b"caff" + bytes(50), "is not audio"),
        (b".snd" + bytes(50), "is not audio"),
        (b"riff" + bytes(90), "is not audio"),
        (b"Creative Voice File" + bytes(90), "is not audio in WAV"),
    ],
)
def test_what_is_not_audio_or_holds_none_is_refused(tmp_path, data, sentence):
    path = tmp_path / "x.wav"
    path.write_bytes(data)
    refused(path, sentence)


def test_another_container_is_refused_and_the_sentence_says_how_to_convert_it(wav):
    other = wav.with_suffix(".m4a")
    subprocess.run(["ffmpeg", "-v", "error", "-i", wav, other], check=True, timeout=20)
    refused(other, "is not audio in WAV, FLAC, .*AU or W64: convert it, .*ffmpeg")


def test_what_is_no_regular_file_is_refused_without_waiting_for_it(tmp_path):
    refused(tmp_path, "is a folder")
    os.mkfifo(tmp_path / "pipe.wav")
    refused(tmp_path / "pipe.wav", "is a pipe or a device")
    refused("/dev/zero", "is a pipe or a device")


def test_a_missing_file_is_refused(tmp_path, wav):
    refused(tmp_path / "no.wav", "there is no file .*no.wav': check the path")
    refused(wav / "inside.wav", "there is no file")
    refused("a\0b.wav", "there is no file")
    (tmp_path / "loop").symlink_to("loop")
    refused(tmp_path / "loop", "cannot be read")


def test_a_file_without_permission_is_refused(wav, monkeypatch):
    monkeypatch.chdir(wav.parent)  # so that the folders above need not be open to everyone
    wav.parent.chmod(0o755)
    wav.chmod(0)
    before = os.geteuid()
    if before == 0:
        os.seteuid(NOBODY)
    try:
        refused(wav.name, "may not be read")
    finally:
        os.seteuid(before)


def test_a_flac_that_claims_69_billion_samples_plays_what_it_holds(tmp_path):
    path = tmp_path / "lie.flac"
    soundfile.write(path, np.zeros((100, 1), np.float32), RATE)
    path.write_bytes(claim_samples(path.read_bytes(), 0xFFFFFFFFF))
    assert path.stat().st_size < 100
    file = open_audio_file(str(path))
    assert file.n_samples is None
    assert len(drain(file, 10**6)) == 100
    file.close()


@pytest.mark.parametrize("name", ["a.wav", "a.flac", "a.mp3", "a.rf64"])
def test_a_truncated_file_plays_what_it_holds_and_then_says_so(tmp_path, samples, name):
    path = tmp_path / name
    kind = "RF64" if name.endswith("rf64") else None
    soundfile.write(path, samples, RATE, format=kind)
    whole = read_all(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    file = open_audio_file(str(path))
    blocks = []
    with pytest.raises(SourceError, match=r"ends after 0\.\d+ s though|is damaged after 0\.\d+ s"):
        drain(file, blocks=blocks)
    with pytest.raises(SourceError):
        file.read(1)
    played = np.concatenate(blocks)
    assert len(whole) // 3 < len(played) < len(whole)
    assert np.array_equal(played[:-2000], whole[: len(played) - 2000])
    file.close()


def test_a_truncated_ogg_plays_what_it_holds(tmp_path, samples):
    """Its length stands on its last page, so that the cut cannot be noticed."""
    path = tmp_path / "a.ogg"
    soundfile.write(path, np.tile(samples, (4, 1)), RATE)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    assert 0 < len(read_all(path)) < 4 * len(samples)


def test_an_mp3_that_libsndfile_takes_for_shorter_says_so(tmp_path, rng):
    """Its bit rate varies and no header tells the length: 32 kbit/s of silence, then noise."""
    wav, mp3 = tmp_path / "a.wav", tmp_path / "a.mp3"
    noise = 0.2 * rng.standard_normal(6 * RATE)
    soundfile.write(wav, np.concatenate([noise, np.zeros(20 * RATE)]), RATE)
    ffmpeg = ["ffmpeg", "-v", "error", "-i", wav, "-q:a", "4", "-write_xing", "0", mp3]
    subprocess.run(ffmpeg, check=True, timeout=20)
    file = open_audio_file(str(mp3))
    blocks = []
    with pytest.raises(SourceError, match=r"goes on after \d+\.\d\d s, but .* bit rate varies"):
        drain(file, 9000, blocks)
    assert 0 < sum(map(len, blocks)) < 25 * RATE
    file.close()


def test_a_picture_behind_the_sound_of_an_mp3_is_no_sound(tmp_path, samples, rng):
    path = tmp_path / "a.mp3"
    soundfile.write(path, samples, RATE)
    whole = read_all(path)
    path.write_bytes(path.read_bytes() + b"APETAGEX" + rng.bytes(200_000))
    assert np.array_equal(read_all(path)[: len(whole)], whole)


def test_a_refused_file_is_not_left_open(tmp_path):
    path = tmp_path / "x.wav"
    for data in (b"RIFF\x24\0\0\0WAVE", b"ID3" + bytes(100), header(65, RATE, bytes(999))):
        path.write_bytes(data)
        before = os.listdir("/proc/self/fd")
        for _ in range(3):
            refused(path, "is not audio|outside 1 to 64")
        assert len(os.listdir("/proc/self/fd")) == len(before)


def test_a_file_damaged_in_the_middle_plays_up_to_there_and_then_says_so(tmp_path, samples, rng):
    path = tmp_path / "a.flac"
    soundfile.write(path, np.tile(samples, (4, 1)), RATE)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4000] = rng.bytes(4000)
    path.write_bytes(data)
    file = open_audio_file(str(path))
    with pytest.raises(SourceError, match=r"is damaged after [01]\.\d\d s.*copy it again"):
        drain(file)
    file.close()


def test_a_file_that_shrinks_while_it_plays_ends_with_a_sentence(tmp_path, samples):
    path = tmp_path / "a.wav"
    soundfile.write(path, np.tile(samples, (4, 1)), RATE)
    file = open_audio_file(str(path))
    file.read(100)
    os.truncate(path, 100_000)
    with pytest.raises(SourceError, match="ends after"):
        drain(file)
    file.close()


@pytest.fixture(scope="module")
def small_files() -> dict[str, bytes]:
    rng = np.random.default_rng(5)
    noise = 0.1 * rng.standard_normal((3000, 1))
    made = {}
    for kind in KINDS:
        path = Path(f"/proc/self/fd/{os.memfd_create(kind)}")
        soundfile.write(path, noise, RATE, format=kind.upper())
        made[kind] = path.read_bytes()
    return made


@pytest.mark.parametrize("kind", KINDS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_damage_to_a_file_gives_anything_but_samples_or_a_sentence(
    tmp_path, small_files, kind, data
):
    damaged = bytearray(small_files[kind])
    head = st.integers(0, 100)
    place = st.one_of(head, st.integers(0, len(damaged) - 1))
    for at, value in data.draw(
        st.lists(st.tuples(place, st.integers(0, 255)), min_size=1, max_size=8)
    ):
        damaged[at] = value
    del damaged[data.draw(st.one_of(st.just(len(damaged)), st.integers(0, len(damaged)))) :]
    path = tmp_path / "damaged"
    path.write_bytes(damaged)
    try:
        file = open_audio_file(str(path))
    except SourceError:
        return
    try:
        for _ in range(1000):
            block = file.read(4096)
            assert np.isfinite(block).all()
            assert block.shape[1] == file.n_channels
            if not len(block):
                break
    except SourceError:
        pass
    finally:
        file.close()
