"""What a picture says of itself, read back: exactly, and never believed."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from realtime import SettingsError, Sound, SourceError, analyse, kept_sound, read_picture, render
from realtime.config import COLORMAPS
from realtime.picture.own import OwnPicture, Said, read_own
from realtime.picture.png import (
    LONGEST_TEXT,
    SIGNATURE,
    TEXT_KEY,
    read_png,
)
from realtime.picture.png_writer import write_png

RATE = 8000


@pytest.fixture
def sound(rng):
    t = np.arange(RATE) / RATE
    voices = [np.sin(2 * np.pi * (200 + 900 * t) * t), np.sin(2 * np.pi * 1500 * t)]
    return Sound(np.stack(voices, 1) * 0.3 + 0.003 * rng.standard_normal((RATE, 2)), RATE)


@pytest.fixture
def picture(sound, tmp_path):
    path = tmp_path / "p.png"
    render(sound, path, "mel", n_fft=512, hop=128, n_rows=40, keep_sound=True)
    return path


def off_by(own: OwnPicture, db) -> float:
    """In steps."""
    return float(np.abs(own.db - db).max() / own.step_db)


# ---------------------------------------------------------------------- the way back


@pytest.mark.parametrize("colormap", COLORMAPS)
@pytest.mark.parametrize("bare", [False, True])
def test_every_value_comes_back_within_half_a_step_in_every_colour_map(
    sound, tmp_path, colormap, bare
):
    render(sound, tmp_path / "p.png", n_fft=256, hop=128, bare=bare, colormap=colormap)
    own = read_own(tmp_path / "p.png")
    analysis = analyse(sound, n_fft=256, hop=128)
    assert own.format == analysis.picture and own.exact and own.off == 0
    # Maps of fewer than 256 colours show two neighbours alike, with axes.
    twins = len({tuple(c) for c in (own.placing.colours if own.placing.colours is not None else
                                    np.arange(256)[:, None]).tolist()}) < 256  # fmt: skip
    assert off_by(own, analysis.db()) <= (1.001 if twins and not bare else 0.501)


@pytest.mark.parametrize("kind", ["mel", "bark", "erb", "cqt"])
def test_every_kind_says_its_parameters(sound, tmp_path, kind):
    more = {"fmin": 60.0, "n_rows": 60} if kind == "cqt" else {"n_rows": 30}
    render(sound, tmp_path / "p.png", kind, **more)
    analysis = analyse(sound, kind, **more)
    own = read_own(tmp_path / "p.png")
    assert own.format == analysis.picture
    assert off_by(own, analysis.db()) <= 0.501


def test_sixteen_bits_are_256_times_finer(sound, tmp_path):
    render(sound, tmp_path / "p.png", bare=True, bits=16, colormap="gray", n_fft=512)
    own = read_own(tmp_path / "p.png")
    with Image.open(tmp_path / "p.png") as image:
        assert image.mode.startswith("I;16")
    assert own.step_db == pytest.approx(80 / 65535)
    assert off_by(own, analyse(sound, n_fft=512).db()) <= 0.51


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "P"])
def test_an_editor_may_save_it_anew_without_the_text(picture, tmp_path, mode):
    with Image.open(picture) as image:
        image.convert("RGB").convert(mode, colors=256).save(tmp_path / "saved.png")
    if mode != "P":
        again, own = read_own(tmp_path / "saved.png", like=picture), read_own(picture)
        np.testing.assert_array_equal(again.db, own.db)
    with pytest.raises(SourceError, match="name the picture it was before with --like"):
        read_own(tmp_path / "saved.png")


def test_what_was_painted_and_erased_changes_and_nothing_else(picture, tmp_path):
    own = read_own(picture)
    left, top, width, height = own.placing.panes[0]
    with Image.open(picture) as image:
        pixels = np.asarray(image.convert("RGBA")).copy()
    pixels[top : top + height // 2, left : left + width // 4] = (0, 0, 0, 0)
    pixels[top + height // 2 : top + height, left : left + width // 4] = (255, 255, 255, 255)
    Image.fromarray(pixels).save(tmp_path / "edited.png")
    edited = read_own(tmp_path / "edited.png", like=picture)
    changed = edited.db != own.db
    quarter = int(np.ceil(own.db.shape[1] / 4))
    assert not changed[1].any() and not changed[0, quarter:].any()
    assert (edited.db[0, : quarter - 1, 20:] == own.format.db_low).all()
    assert (edited.db[0, : quarter - 1, :20] == own.format.db_high).all()
    assert edited.off > 0


def test_a_scaled_picture_is_refused(picture, tmp_path):
    with Image.open(picture) as image:
        image.resize((300, 200)).save(tmp_path / "small.png")
    with pytest.raises(SourceError, match="must be neither scaled nor cropped"):
        read_own(tmp_path / "small.png", like=picture)


def test_rows_that_share_pixels_are_said_to(sound, tmp_path):
    render(sound, tmp_path / "p.png", n_fft=2048, scale="log")
    own = read_own(tmp_path / "p.png")
    assert not own.exact and 0 < own.rows_alone.mean() < 1
    db = analyse(sound, n_fft=2048).db()
    alone = np.abs(own.db - db)[:, :, own.rows_alone]
    assert alone.max() <= 0.501 * own.step_db
    shared = own.db[:, :, -1] - db[:, :, -1]
    assert (shared >= -own.step_db).all(), "the greatest of those that share a pixel"


# ---------------------------------------------------------------------- the sound


@pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24"])
def test_the_sound_kept_is_the_sound_bit_by_bit(rng, tmp_path, subtype):
    bits = int(subtype[-2:])
    whole = rng.integers(-(1 << bits - 1), 1 << bits - 1, (4000, 2), dtype=np.int32) << 32 - bits
    soundfile.write(tmp_path / "s.wav", whole, RATE, subtype=subtype)
    render(tmp_path / "s.wav", tmp_path / "p.png", "mel", n_rows=20, keep_sound=True)
    kept = kept_sound(read_own(tmp_path / "p.png"))
    assert kept is not None
    samples, rate = kept
    assert rate == RATE
    if bits == 16:
        assert samples.dtype == np.int16
        np.testing.assert_array_equal(samples, whole >> 16)
    else:
        np.testing.assert_array_equal(samples * 2.0**31, whole)


def test_the_sound_kept_is_flac_for_other_readers_too(picture):
    png = read_png(picture)
    assert png.sound is not None
    first, length = png.sound
    data = picture.read_bytes()[first : first + length]
    assert data[:4] == b"fLaC"
    assert soundfile.info(io.BytesIO(data)).frames == RATE


def test_sound_over_full_scale_is_cut_off_and_said_to_be(tmp_path):
    loud = Sound(np.full(2000, 1.5, np.float32), RATE)
    made = render(loud, tmp_path / "p.png", "mel", n_rows=20, keep_sound=True)
    assert made.notes == ("2000 samples beyond full scale are cut off in the sound kept",)


def test_a_picture_without_sound_has_none(sound, tmp_path):
    render(sound, tmp_path / "p.png")
    assert kept_sound(read_own(tmp_path / "p.png")) is None


# ---------------------------------------------------------------------- who else reads it


def test_pillow_reads_the_text(picture):
    with Image.open(picture) as image:
        image.load()
        held = json.loads(image.text[TEXT_KEY.decode()])
    assert held["picture"]["kind"] == "mel" and held["made_by"].startswith("realtime ")
    assert Said.from_json(json.dumps(held)).placing.panes == read_own(picture).placing.panes


def test_read_picture_takes_ours_and_leaves_others_to_the_reader(picture, tmp_path):
    assert isinstance(read_picture(picture), OwnPicture)
    Image.new("RGB", (300, 200), "white").save(tmp_path / "blank.png")
    with pytest.raises(SourceError, match=r"blank\.png"):
        read_picture(tmp_path / "blank.png")


# ---------------------------------------------------------------------- hostile files


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(*chunks: bytes, width=4, height=4) -> bytes:
    file = io.BytesIO()
    write_png(file, width, height, [np.zeros((height, width), np.uint8)])
    whole = file.getvalue()
    at = whole.index(b"IDAT") - 4
    return whole[:at] + b"".join(chunks) + whole[at:]


def text(body: bytes, flags=b"\0\0", key=TEXT_KEY) -> bytes:
    return chunk(b"iTXt", key + b"\0" + flags + b"\0\0" + body)


def refused(tmp_path, data: bytes) -> str:
    path = tmp_path / "bad.png"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        with pytest.raises(SourceError) as fault:
            read_own(path)
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()
    sentence = str(fault.value)
    assert len(sentence) < 600
    return sentence


BOMB = zlib.compress(bytes(1 << 28), 1)
"""256 MB of zeros."""


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is no PNG"),
        (b"GIF89a" + bytes(99), "is no PNG"),
        (SIGNATURE, "it ends early"),
        (SIGNATURE + b"\xff\xff\xff\xffiTXt", "a chunk claims 4294967295 bytes"),
        (SIGNATURE + b"\x7f\xff\xff\xffiTXt" + bytes(99), "more than there are"),
        (SIGNATURE + chunk(b"IEND", b""), "it has no header"),
        (SIGNATURE + chunk(b"IHDR", b"\0" * 9), "its header is of another length"),
        (SIGNATURE + chunk(b"IHDR", struct.pack(">IIBBBBB", 1 << 20, 1 << 20, 8, 2, 0, 0, 0)),
         "claims 1048576 x 1048576 pixels"),
        (png_with(), "does not say how it was made"),
        (png_with(text(BOMB, b"\1\0")), "its text of 1"),
        (png_with(text(zlib.compress(bytes(1 << 25)), b"\1\0")), "longer than 262144"),
        (png_with(text(b"x" * (LONGEST_TEXT + 1))), "is longer than 262144"),
        (png_with(text(b"no zlib", b"\1\0")), "its text cannot be unpacked"),
        (png_with(text(b"{}", b"\7\0")), "its text is of another form"),
        (png_with(text(b"\xff\xfe")), "its text is not UTF-8"),
        (png_with(text(b"{}")[:-1] + b"!"), "its text fails the check sum"),
        (png_with(text(b"{}"), text(b"{}")), "it has two texts of ours"),
        (png_with(text(b"[" * 200_000)), "is no JSON object"),
        (png_with(text(b"[1, 2]")), "is no JSON object"),
        (png_with(text(b"{}")), "is no format of a picture"),
        (png_with(text(b'{"picture": {"format": "realtime-picture", "version": 99}}')), "update"),
    ],
)  # fmt: skip
def test_a_hostile_picture_is_refused_with_a_sentence_in_little_memory(tmp_path, data, sentence):
    assert sentence in refused(tmp_path, data)


def test_text_of_other_programs_is_passed_by_whatever_its_size(picture, tmp_path):
    whole = picture.read_bytes()
    at = whole.index(b"IDAT") - 4
    other = text(BOMB, b"\1\0", key=b"Comment") + chunk(b"zTXt", b"a\0\0" + BOMB)
    (tmp_path / "p.png").write_bytes(whole[:at] + other + whole[at:])
    np.testing.assert_array_equal(read_own(tmp_path / "p.png").db, read_own(picture).db)


WRONG = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=9),
    st.lists(st.integers(-9, 2**40), max_size=5), st.just({}), st.just("00" * 768),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_whatever_the_text_says_is_read_or_refused_as_a_whole(data, said):
    held = json.loads(said)
    part = data.draw(st.sampled_from(["picture", "placing"]))
    held[part][data.draw(st.sampled_from(sorted(held[part])))] = data.draw(WRONG)
    try:
        read = Said.from_json(json.dumps(held))
    except SettingsError:
        return
    for left, top, width, height in read.placing.panes:
        assert 0 <= left < left + width <= read.placing.width
        assert 0 <= top < top + height <= read.placing.height


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whichever_bytes_are_damaged_it_is_read_or_refused(data, whole, tmp_path_factory):
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    broken = broken[: data.draw(st.sampled_from([len(broken), len(broken) // 2, 40]))]
    path = tmp_path_factory.getbasetemp() / "broken.png"
    path.write_bytes(broken)
    with contextlib.suppress(SourceError):
        kept_sound(read_own(path))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "p.png"
    samples = np.random.default_rng(5).standard_normal(2000) * 0.1
    render(Sound(samples, RATE), path, "mel", n_rows=8, n_fft=512, bare=True, keep_sound=True)
    return path.read_bytes()


@pytest.fixture(scope="module")
def said(tmp_path_factory):
    path = tmp_path_factory.mktemp("said") / "p.png"
    render(Sound(np.ones(2000), RATE), path, "mel", n_rows=8, n_fft=512)
    return read_png(path).text
