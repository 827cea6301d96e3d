"""Pictures painted over: what was not touched stays, what was erased is gone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from test_invert import made_format, seen

from realtime.errors import RequestError
from realtime.picture.edited import edited
from realtime.picture.format import PictureFormat

RATE = 16000
KINDS = [
    ("stft", {}),
    ("stft", {"center": False, "power": 1.0, "window": "blackman"}),
    ("mel", {"n_rows": 60}),
    ("bark", {"n_rows": 40}),
    ("erb", {"n_rows": 40}),
    ("cqt", {"fmin": 110.0, "n_rows": 60}),
]


def sound(rng: np.random.Generator, n_channels: int = 1) -> np.ndarray:
    """Partials in noise: float32 (n_samples, n_channels)."""
    t = np.arange(RATE)[:, None] / RATE
    partials = sum(np.sin(2 * np.pi * 210 * k * t + k) / k for k in range(1, 30))
    return (0.1 * partials + 0.02 * rng.standard_normal((RATE, n_channels))).astype(np.float32)


def pictured(samples: np.ndarray, kind: str, bits: int = 8, **settings):
    """A picture of so many bits, and its format."""
    picture = made_format(kind, samples, db_low=-70.0, db_high=50.0, **settings)
    step = 120 / (2**bits - 1)
    return np.round((seen(samples, picture) + 70) / step) * step - 70, picture


def power(samples: np.ndarray, picture: PictureFormat, box) -> float:
    deep = replace(picture, db_low=-250.0)
    return float(np.mean(10 ** (seen(samples, deep)[box].astype(float) / 10)))


@pytest.mark.parametrize(("kind", "settings"), KINDS)
def test_a_picture_not_touched_is_the_sound_to_the_bit(rng, kind: str, settings: dict):
    samples = sound(rng, 2)
    for original in (samples, samples.astype(np.float64), np.int16(samples * 30000)):
        whole = original / 32768 if original.dtype == np.int16 else original
        db, picture = pictured(whole, kind, **settings)
        made = edited(db, picture, original)
        assert made.dtype == original.dtype and np.array_equal(made, original)
        assert made is not original


@pytest.mark.parametrize(
    "box", [np.s_[0, 40:70, 60:90], np.s_[0, 40:60, :], np.s_[0, :, 60:90]], ids=str
)
@pytest.mark.parametrize("bits", [8, 16])
def test_what_is_erased_is_60_db_down_and_the_rest_as_it_was(rng, box, bits: int):
    samples = sound(rng)
    db, picture = pictured(samples, "stft", bits)
    db[box] = picture.db_low
    made = edited(db, picture, samples, step_db=120 / (2**bits - 1))
    assert power(made, picture, box) < 1e-6 * power(samples, picture, box)
    if box[1].start is not None:  # out of reach in time: every bit
        reach = slice(box[1].start * 128 - 256, box[1].stop * 128 + 128)
        assert np.array_equal(np.delete(made, reach, axis=0), np.delete(samples, reach, axis=0))
    if box[2].start is not None:  # and in frequency: 100 dB below the sound, but at its ends
        fade = np.hanning(RATE)[:, None] ** 4
        change, heard = (
            np.abs(np.fft.rfft(fade * each.astype(float), axis=0)[:400])
            for each in (made - samples, samples)
        )
        assert np.sum(change**2) < 1e-10 * np.sum(heard**2)


def test_silence_stays_silent_beside_what_is_erased(rng: np.random.Generator):
    """The change must not ring on into it, as a filter would."""
    samples = sound(rng)
    samples[: RATE // 3] = samples[-RATE // 3 :] = 0
    db, picture = pictured(samples, "stft")
    band, silent = np.s_[0, :, 60:90], np.s_[0, : RATE // 3 // 128 - 2, :]
    db[band] = picture.db_low
    made = edited(db, picture, samples)
    assert power(made, picture, band) < 1e-6 * power(samples, picture, band)
    assert seen(made, picture)[silent].max() == picture.db_low


@pytest.mark.parametrize(("kind", "settings"), KINDS[2:5])
def test_erased_bands_are_50_db_down(rng, kind: str, settings: dict):
    samples = sound(rng)
    db, picture = pictured(samples, kind, **settings)
    box = np.s_[0, 40:80, 20:30]
    db[box] = picture.db_low
    made = edited(db, picture, samples)
    assert power(made, picture, box) < 1e-5 * power(samples, picture, box)


@pytest.mark.parametrize(("kind", "settings"), KINDS)
def test_what_is_made_quieter_or_louder_is_so_by_as_much(rng, kind: str, settings: dict):
    samples = sound(rng)
    for gain in (-12.0, 9.0):
        db, picture = pictured(samples, kind, **settings)
        db[0, :, 20:40] += gain
        made = edited(db, picture, samples)
        inner = np.s_[0, 10:-10, 24:36]
        found = seen(made, picture)[inner] - seen(samples, picture)[inner]
        assert np.median(found) == pytest.approx(gain, abs=0.5)


def test_a_tone_moved_is_heard_where_it_was_put(rng: np.random.Generator):
    t = np.arange(RATE) / RATE
    samples = (0.3 * np.sin(2 * np.pi * 1000 * t) * (t > 0.2) * (t < 0.5))[:, None]
    samples = (samples + 1e-4 * rng.standard_normal(samples.shape)).astype(np.float32)
    db, picture = pictured(samples, "stft")
    moved = db.copy()
    moved[:, :, 64:129] = db[:, :, :65]  # 2000 Hz up
    moved[:, :, :64] = -60.0
    told: list[float] = []
    made = edited(moved, picture, samples, progress=told.append)
    again = seen(made, picture)
    assert np.median(np.abs(again - moved)[moved > moved.max() - 30]) < 0.5
    middle = np.abs(np.fft.rfft(made[4000:7000, 0] * np.hanning(3000)))
    assert np.argmax(middle) * RATE / 3000 == pytest.approx(3000, abs=RATE / 3000)
    assert told == sorted(told) and told[-1] == 1.0


def test_full_scale_holds_for_int16(rng: np.random.Generator):
    samples = np.int16(np.clip(sound(rng) * 60000, -32768, 32767))
    db, picture = pictured(samples / 32768, "stft")
    db[0, 30:60, 5:20] += 20
    made = edited(db, picture, samples)
    assert made.dtype == np.int16 and made.max() == 32767
    assert np.array_equal(np.sign(made[made == 32767]), np.ones((made == 32767).sum()))


def test_channels_are_edited_apart(rng: np.random.Generator):
    samples = sound(rng, 2)
    db, picture = pictured(samples, "stft")
    db[1, 20:30] = picture.db_low
    made = edited(db, picture, samples)
    assert np.array_equal(made[:, 0], samples[:, 0])
    assert not np.array_equal(made[:, 1], samples[:, 1])


def test_another_sound_or_an_unknown_reference_is_refused(rng: np.random.Generator):
    samples = sound(rng)
    db, picture = pictured(samples, "stft")
    for wrong in (samples[:-1], samples[:, 0], samples.astype(np.int32)):
        with pytest.raises(RequestError, match="give the sound that the picture was made of"):
            edited(db, picture, wrong)
    with pytest.raises(RequestError, match="ref=None"):
        edited(db, replace(picture, ref=None), samples)
    with pytest.raises(RequestError, match="n_columns=60"):
        edited(db[:, :60], replace(picture, n_columns=60), samples)
