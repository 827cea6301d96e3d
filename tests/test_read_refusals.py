"""What is no spectrogram with axes is refused in one sentence, never read, never a traceback."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest
import soundfile
from PIL import Image
from styles import Style, draw, matrix, tutorial

import realtime
from realtime.cli import main
from realtime.errors import RequestError, SourceError
from realtime.picture.read.reader import read_foreign
from realtime.picture.read.report import Report

SMALL = Style(size=(6.4, 4.8), seconds=3.0)


def _png(width: int, height: int, body: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        code = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", code)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")
    )


def _photograph(path: Path, rng: np.random.Generator) -> None:
    Image.fromarray(rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)).save(path)


def _plain(path: Path, rng: np.random.Generator) -> None:
    Image.new("RGB", (400, 300), "white").save(path)


def _one_pixel(path: Path, rng: np.random.Generator) -> None:
    Image.new("RGB", (1, 1)).save(path)


def _text(path: Path, rng: np.random.Generator) -> None:
    path.write_text("no picture")


def _empty(path: Path, rng: np.random.Generator) -> None:
    path.write_bytes(b"")


def _cut(path: Path, rng: np.random.Generator) -> None:
    draw(SMALL, path)
    path.write_bytes(path.read_bytes()[:5000])


def _bomb(path: Path, rng: np.random.Generator) -> None:
    path.write_bytes(_png(60_000, 60_000, zlib.compress(bytes(1000))))


def _lying(path: Path, rng: np.random.Generator) -> None:
    path.write_bytes(_png(4000, 4000, zlib.compress(bytes(1000))))


def _without_bar(path: Path, rng: np.random.Generator) -> None:
    figure, axes = plt.subplots()
    axes.pcolormesh(np.arange(130) * 512 / 22050, np.linspace(0, 11025, 128), matrix(SMALL).db.T)
    figure.savefig(path)
    plt.close(figure)


def _curve(path: Path, rng: np.random.Generator) -> None:
    figure, axes = plt.subplots()
    axes.plot(rng.standard_normal(500))
    figure.savefig(path)
    plt.close(figure)


def _solid(path: Path, rng: np.random.Generator) -> None:
    figure, axes = plt.subplots(subplot_kw={"projection": "3d"})
    x, y = np.meshgrid(np.arange(40), np.arange(40))
    shown = axes.plot_surface(x, y, -80 * rng.random((40, 40)), cmap="magma")
    figure.colorbar(shown)
    figure.savefig(path)
    plt.close(figure)


def _two_plots(path: Path, rng: np.random.Generator) -> None:
    figure, both = plt.subplots(2)
    for axes in both:
        figure.colorbar(
            axes.imshow(-80 * rng.random((65, 200)), extent=(0, 2, 0, 8000), aspect="auto")
        )
    figure.savefig(path)
    plt.close(figure)


def _no_decibels(path: Path, rng: np.random.Generator) -> None:
    figure, axes = plt.subplots()
    shown = axes.imshow(rng.random((65, 200)), extent=(0, 2, 0, 8000), aspect="auto")
    figure.colorbar(shown)
    figure.savefig(path)
    plt.close(figure)


def _bare_numbers(path: Path, rng: np.random.Generator) -> None:
    """Axes that count rows and frames."""
    figure, axes = plt.subplots(figsize=(10, 6))
    figure.colorbar(axes.imshow(matrix(SMALL).db.T, origin="lower", aspect="auto"))
    figure.savefig(path)
    plt.close(figure)


def _mel_on_a_false_axis(path: Path, rng: np.random.Generator) -> None:
    figure, axes = plt.subplots(figsize=(10, 6))
    db = matrix(SMALL).db.T
    shown = axes.pcolormesh(np.arange(db.shape[1]) * 512 / 22050, np.linspace(0, 11025, 128), db)
    figure.colorbar(shown)
    figure.savefig(path)
    plt.close(figure)


def _click_in_a_tone(path: Path, rng: np.random.Generator) -> None:
    """Of 431 frames five differ from the one before."""
    samples = 0.5 * np.sin(2 * np.pi * 22050 / 64 * np.arange(220500) / 22050)
    samples[66150] += 0.3
    soundfile.write(path.with_suffix(".wav"), samples, 22050)
    tutorial(path.with_suffix(".wav"), path)


@pytest.mark.filterwarnings("ignore:'(aifc|audioop|sunau)' is deprecated")  # librosa.load
@pytest.mark.parametrize(
    ("make", "why"),
    [
        (_photograph, "no axes"),
        (_plain, "no axes"),
        (_one_pixel, "too few"),
        (_text, "no picture"),
        (_empty, "no picture"),
        (_cut, "cannot be decoded"),
        (_bomb, "more than"),
        (_lying, "cannot be decoded"),
        (_without_bar, "no colour bar"),
        (_curve, "no colour bar"),
        (_solid, "no axes"),
        (_two_plots, "2 plots"),
        (_no_decibels, "no dB"),
        (_bare_numbers, "counts 128 rows"),
        (_mel_on_a_false_axis, "give --kind"),
        (_click_in_a_tone, "so little changes that frames may be"),
    ],
)
def test_what_cannot_be_read_is_refused_in_one_sentence(
    make: Callable[[Path, np.random.Generator], None],
    why: str,
    tmp_path: Path,
    rng: np.random.Generator,
) -> None:
    path = tmp_path / "picture.png"
    make(path, rng)
    with pytest.raises(SourceError, match=why) as refusal:
        read_foreign(path)
    assert "\n" not in str(refusal.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"gone\.png does not exist"):
        read_foreign(tmp_path / "gone.png")


def test_a_folder_is_called_one(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"is a folder: give the path of a picture"):
        read_foreign(tmp_path)


def test_an_unknown_override_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"'hops' is unknown: use .*hop"):
        read_foreign(tmp_path / "any.png", {"hops": 512})


@pytest.mark.parametrize("mode", ["P", "RGBA", "I;16", "CMYK", "1"])
def test_every_mode_of_pixels_is_read_or_refused(mode: str, tmp_path: Path) -> None:
    path = tmp_path / "gray.png"
    draw(Style(colormap="gray", size=(6.4, 4.8), n_mels=64, seconds=2.0), path)
    plain = Image.open(path).convert("RGB")
    if mode == "I;16":
        changed = Image.fromarray(np.asarray(plain.convert("L")).astype(np.uint16) * 257)
    elif mode == "P":
        changed = plain.quantize(256, dither=Image.Dither.NONE)
    else:
        changed = plain.convert(mode)
    other = tmp_path / ("other.jpg" if mode == "CMYK" else "other.png")
    changed.save(other)
    if mode == "1":
        with pytest.raises(SourceError):
            read_foreign(other)
    elif mode == "CMYK":
        assert read_foreign(other).certainty < 0.75
    else:
        assert read_foreign(other).format.n_rows == 64


@pytest.mark.parametrize("box", [(0, 0, 5, 5), (0, 0, 9000, 9000), (1, 2, 3), (-4, 0, 200, 200)])
def test_a_box_that_the_picture_does_not_hold_is_refused(
    box: tuple[int, ...], tmp_path: Path
) -> None:
    Image.new("RGB", (400, 300), "white").save(tmp_path / "plain.png")
    with pytest.raises(RequestError, match="within the 400x300 there are"):
        read_foreign(tmp_path / "plain.png", {"axes_box": box})


@pytest.mark.filterwarnings("ignore:Empty filters")
def test_a_range_of_mel_with_empty_bands_is_not_guessed(tmp_path: Path) -> None:
    """From 20 Hz, and from 27.5 Hz its rows would lie nearly as well."""
    draw(
        Style(
            dpi=72, size=(12, 6), dark=True, bar=None, top_db=100.0, sample_rate=44100, hop=256,
            seconds=3.08, fmax=4000.0, fmin=20.0,
        ),
        tmp_path / "mel.png",
    )  # fmt: skip
    with pytest.raises(SourceError, match="give --n-mels, --fmin and --fmax"):
        read_foreign(tmp_path / "mel.png")
    given = {"n_rows": 128, "fmin": 20, "fmax": 4000, "sample_rate": 44100}
    assert read_foreign(tmp_path / "mel.png", given).format.hop == 256


@pytest.mark.parametrize(("kind", "flag"), [("mel", "--n-mels"), ("stft", "--n-fft")])
def test_the_flag_that_helps_is_one_that_there_is(kind: str, flag: str) -> None:
    report = Report("a.png", {})
    report.add("kind", kind, "seen", 1.0)
    report.add("n_rows", 126, "seen", 0.4)
    with pytest.raises(SourceError, match=f"40% certain, 50% are needed: give {flag}$"):
        report.check()


def test_sentences_name_no_flag_that_there_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    def flags(text: str) -> set[str]:
        return set(re.findall(r"--[a-z][a-z-]*[a-z]", text))

    folder = Path(realtime.__file__).parent / "picture" / "read"
    named = flags("".join(path.read_text(encoding="utf-8") for path in folder.glob("*.py")))
    with pytest.raises(SystemExit):
        main(["invert", "--help"])
    assert named and named <= flags(capsys.readouterr().out)
