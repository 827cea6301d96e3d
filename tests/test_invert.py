"""Pictures back to sound, of every kind."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from realtime.dsp.cqt import cqt
from realtime.dsp.spectra import stft
from realtime.errors import RequestError
from realtime.picture.format import PictureFormat, picture_format
from realtime.picture.invert import Inverted, invert
from realtime.picture.stream import filters

RATE = 16000


def voice(n_samples: int = 16_000) -> np.ndarray:
    """Two channels of gliding partials: float32 (n_samples, 2)."""
    t = np.arange(n_samples) / RATE
    glide = np.cumsum(220 + 30 * np.sin(2 * np.pi * 1.5 * t)) / RATE
    left = 0.1 * sum(np.sin(2 * np.pi * k * glide) / k for k in range(1, 20))
    right = 0.1 * np.sin(2 * np.pi * 660 * t) * (t > 0.3)
    return np.stack([left, right], axis=1).astype(np.float32)


def made_format(kind: str, samples: np.ndarray, **settings) -> PictureFormat:
    sizes = {"n_fft": 512, "hop": 128} if kind != "cqt" else {"hop": 256}
    return picture_format(
        kind,
        sample_rate=RATE,
        n_samples=len(samples),
        n_channels=samples.shape[1],
        **{**sizes, **settings},
    )


def seen(samples: np.ndarray, picture: PictureFormat) -> np.ndarray:
    """The picture, (n_channels, n_frames, n_rows), clipped to its range."""
    if picture.kind == "cqt":
        rows = np.abs(
            cqt(samples, RATE, picture.hop, picture.fmin, picture.n_rows, picture.bins_per_octave)
        )
        values = rows**picture.power
    else:
        frames = stft(samples, picture.n_fft, picture.hop, picture.window, picture.center)
        values = np.abs(frames) ** picture.power
        if picture.kind != "stft":
            values = values @ filters(picture).T
    db = 20 / picture.power * np.log10(np.maximum(values / (picture.ref or 1), 1e-20))
    return np.clip(db, picture.db_low, picture.db_high).swapaxes(0, 1).astype(np.float32)


@pytest.mark.parametrize(
    ("kind", "settings", "most_db"),
    [
        ("stft", {}, 0.3),
        ("stft", {"power": 1.0, "window": "blackman", "center": False, "ref": 30.0}, 0.3),
        ("mel", {"n_rows": 60}, 0.5),
        ("mel", {"n_rows": 40, "htk": True, "norm": None, "power": 1.0, "fmin": 50.0}, 0.5),
        ("bark", {"n_rows": 40}, 0.5),
        ("erb", {"n_rows": 40, "fmax": 7000.0}, 0.5),
    ],
)
def test_the_sound_shows_the_picture_again(kind: str, settings: dict, most_db: float):
    samples = voice()
    picture = made_format(kind, samples, db_low=-60.0, db_high=40.0, **settings)
    db = seen(samples, picture)
    made = invert(db, picture)
    assert made.samples.shape == samples.shape and made.samples.dtype == np.float32
    assert made.sample_rate == RATE and not made.normalised
    loud = db > db.max(axis=(1, 2), keepdims=True) - 40
    loud[:, :8] = loud[:, -8:] = False
    assert np.median(np.abs(seen(made.samples, picture) - db)[loud]) < most_db


def test_a_constant_q_picture_keeps_its_loudest_rows():
    """Its skirts come out broader: they are those of an STFT."""
    samples = voice()
    picture = made_format("cqt", samples, fmin=110.0, n_rows=60, db_low=-60.0, db_high=40.0)
    db = seen(samples, picture)
    made = seen(invert(db, picture).samples, picture)
    loudest = (db == db.max(axis=2, keepdims=True)) & (db > db.max() - 30)
    assert np.median(np.abs(made - db)[loudest]) < 2.5
    assert np.mean(made.argmax(axis=2) == db.argmax(axis=2)) > 0.8


def test_the_darkest_value_is_silence_and_so_is_nan():
    picture = made_format("stft", voice())
    db = np.full((2, 126, 257), -80.0, np.float32)
    db[0, 60:64] = np.nan
    assert not invert(db, picture).samples.any()


def test_a_picture_that_does_not_say_how_loud_it_was_peaks_at_minus_3_dbfs():
    samples = voice()
    picture = made_format("stft", samples, ref=None)
    told: list[float] = []
    made = invert(seen(samples, picture) - 20, picture, progress=told.append)
    assert isinstance(made, Inverted) and made.normalised and told[-1] == 1.0
    assert 20 * np.log10(np.abs(made.samples).max()) == pytest.approx(-3, abs=1e-3)
    silent = invert(np.full((2, 126, 257), -80.0), picture)
    assert silent.normalised and not silent.samples.any()


def test_columns_that_hold_several_frames_last_as_long():
    samples = voice()
    picture = made_format("stft", samples, n_columns=63)
    made = invert(seen(samples, picture)[:, ::2], picture)
    assert made.samples.shape == samples.shape
    early, late = made.samples[:4000, 1], made.samples[6000:, 1]
    assert np.std(early) < 0.1 * np.std(late)


def test_a_length_that_nobody_knows_follows_from_the_frames():
    picture = replace(made_format("stft", voice()), n_samples=None)
    assert invert(np.zeros((2, 11, 257)), picture).samples.shape == (1280, 2)


@pytest.mark.parametrize(
    "shape", [(126, 257), (1, 126, 257), (2, 125, 257), (2, 126, 256), (2, 0, 257)]
)
def test_a_picture_of_another_shape_is_refused(shape: tuple[int, ...]):
    with pytest.raises(RequestError, match=r"must be \(n_channels, n_frames, n_rows\)"):
        invert(np.zeros(shape), made_format("stft", voice()))
