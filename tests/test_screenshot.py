"""What the window looks like, pixel by pixel: on an X server, and without any display."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from windows import open_window, run_until

from realtime.view import analysis, theme
from realtime.view.axes import frequency_ticks
from realtime.view.keys import BY_NAME
from realtime.view.main_window import WINDOW_SIZE
from realtime.view.panels import OVERHANG

pytestmark = [pytest.mark.display, pytest.mark.usefixtures("application")]

SCALES = ("linear", "log", "mel", "bark", "erb", "notes")
FINE = {"stft.n_fft": 8192, "stft.zero_pad": 3, "stft.hop": 256}
"""Bins of 2.0 Hz, their number no power of two: the line of a tone is thinner than a row of
pixels."""


def pixels(path: Path) -> np.ndarray:
    """RGB int16 (height, width, 3) of a PNG."""
    image = QImage(str(path)).convertToFormat(QImage.Format.Format_RGB888)
    assert not image.isNull(), f"{path} is no picture"
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), -1)
    return rows[:, : 3 * image.width()].reshape(image.height(), image.width(), 3).astype(np.int16)


def tick_rows(picture: np.ndarray, x: int, top: int, bottom: int) -> list[int]:
    """Rows, from the bottom up, where a long tick stands just left of the picture."""
    colour = QColor(theme.DIM)
    wanted = np.array([colour.red(), colour.green(), colour.blue()])
    tick = np.abs(picture[top:bottom, x - 6 : x - 1] - wanted).max(axis=(1, 2)) < 12
    return [top + int(row) for row in np.flatnonzero(tick)][::-1]


def brightest_row(picture: np.ndarray, left: int, right: int, top: int, bottom: int) -> float:
    """The middle of the rows that are brightest."""
    brightness = picture[top:bottom, left:right].sum(axis=2).mean(axis=1)
    return top + float(np.flatnonzero(brightness >= brightness.max() - 1).mean())


@pytest.fixture(scope="module")
def tone(application):
    with open_window("tone:1000", {"display.span": 1.0, **FINE}) as window:
        run_until(lambda: window.model.shown.count > 400, "a full picture")
        yield window


def where(window) -> tuple[int, int, int, int]:
    """left, top, width, height of the waterfall in the window, logical pixels."""
    surface = window.plot.surface
    corner = surface.mapTo(window, surface.rect().topLeft())
    width = int(window.plot.canvas.view().n_cols / surface.scale)
    return corner.x(), corner.y(), width, surface.height()


@pytest.mark.parametrize("scale", SCALES)
def test_the_line_of_1_khz_is_at_the_tick_of_1_khz(tone, tmp_path, scale):
    f_high = 8000.0 if scale == "linear" else None  # else 1 kHz has no room for a tick
    tone.requests.change({"display.scale": scale, "display.f_low": 20.0, "display.f_high": f_high})
    tone.save_picture(tmp_path / "window.png")
    picture = pixels(tmp_path / "window.png")
    assert picture.shape[:2] == WINDOW_SIZE[::-1]
    left, top, width, height = where(tone)
    rows = tick_rows(picture, left, top - OVERHANG, top + height + OVERHANG)
    display = tone.model.settings.display
    names = [t.label for t in frequency_ticks(display, 48000, height) if t.major]
    assert len(rows) == len(names), "every tick is drawn, none twice"
    line = brightest_row(picture, left + 20, left + width - 20, top, top + height)
    if scale == "notes":
        low, high = (rows[names.index(name)] for name in ("C5", "C6"))
        share = np.log2(1000 / 523.251)
        assert line == pytest.approx(low + share * (high - low), abs=1.5)
    else:
        assert line == pytest.approx(rows[names.index("1k")], abs=1)


def test_the_level_of_the_tone_has_the_colour_of_its_level_on_the_bar(tone, tmp_path):
    tone.requests.change({"display.scale": "log", "display.f_low": 20.0, "display.gamma": 1.6})
    tone.save_picture(tmp_path / "window.png")
    picture = pixels(tmp_path / "window.png")
    left, top, width, height = where(tone)
    line = picture[top : top + height, left + width // 2].sum(axis=1).argmax()
    tone_colour = picture[top + line, left + width // 2]
    bar = tone.plot.colour_bar
    corner = bar.mapTo(tone, bar.rect().topLeft())
    at = round(OVERHANG + (bar.height() - 2 * OVERHANG) * 6.02 / 100)
    bar_colour = picture[corner.y() + at, corner.x() + 5]
    assert np.abs(tone_colour - bar_colour).max() <= 8
    tone.requests.change({"display.gamma": 1.0})


def test_the_page_of_keys_and_the_banner_lie_over_the_picture_on_a_screenshot(tone, tmp_path):
    tone.requests.change({"display.scale": "log", "display.f_low": 20.0})
    tone.save_picture(tmp_path / "before.png")
    tone.requests.act(BY_NAME["help"])
    tone.requests.change({"display.db_low": -3.0})
    tone.save_picture(tmp_path / "after.png")
    tone.requests.act(BY_NAME["escape"])
    before, after = pixels(tmp_path / "before.png"), pixels(tmp_path / "after.png")
    left, top, width, height = where(tone)
    line = int(brightest_row(before, left + 20, left + width - 20, top, top + height))
    assert before[line, left + 20].max() > 200
    assert after[line, left + 20].max() < 60, "dimmed by the page above it"


def test_a_picture_saved_after_the_program_stood_still_is_complete(tone, tmp_path, monkeypatch):
    monkeypatch.setattr(analysis, "BACKLOG_SECONDS", 0.3)
    tone.requests.change({"display.scale": "log", "display.f_low": 20.0})
    time.sleep(1.5)  # more than the picture spans
    tone.save_picture(tmp_path / "late.png")
    left, top, width, height = where(tone)
    waterfall = pixels(tmp_path / "late.png")[top : top + height, left : left + width - 2]
    lit = waterfall.max(axis=2) > 200
    assert lit.any(axis=0).all(), "the tone is in every column"


# ---------------------------------------------------------------------- without a display


def shoot(path: Path, **environment: str) -> subprocess.Popen[str]:
    """`realtime live --screenshot` as a program of its own."""
    env = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "WAYLAND_DISPLAY")}
    sets = [f"--set={key}={value}" for key, value in FINE.items()]
    command = [
        *(sys.executable, "-m", "realtime", "live", "tone:1000", "--view", "window"),
        *("--seconds", "3", "--screenshot", str(path), "--set", "display.span=1", *sets),
    ]
    return subprocess.Popen(
        command, env={**env, **environment}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def shots(x_server, tmp_path_factory):
    """Screenshots: on the X server, without display, and without display at factor 2."""
    folder = tmp_path_factory.mktemp("shots")
    programs = {
        "x": shoot(folder / "x.png", DISPLAY=x_server),
        "none": shoot(folder / "none.png"),
        "double": shoot(folder / "double.png", QT_SCALE_FACTOR="2"),
    }
    for name, program in programs.items():
        out, err = program.communicate(timeout=60)
        assert (program.returncode, out, err) == (0, "", ""), name
    return {name: pixels(folder / f"{name}.png") for name in programs}


def test_without_a_display_the_same_picture_is_drawn_through_egl(tone, shots):
    on_x, without = shots["x"], shots["none"]
    assert on_x.shape == without.shape == (*WINDOW_SIZE[::-1], 3)
    left, top, width, height = where(tone)
    both = [shot[top : top + height, left : left + width] for shot in (on_x, without)]
    assert both[0].max() > 200
    assert np.mean(np.abs(both[0] - both[1]).max(axis=2) <= 3) > 0.98
    around = np.abs(on_x - without).max(axis=2)[: top + height]
    assert np.mean(around <= 24) > 0.98, "axes, colour bar and panel are alike too"


def test_on_a_dense_screen_everything_is_twice_as_fine_and_in_its_place(tone, shots):
    double = shots["double"]
    assert double.shape == (2 * WINDOW_SIZE[1], 2 * WINDOW_SIZE[0], 3)
    left, top, width, height = (2 * value for value in where(tone))
    line = brightest_row(double, left + 40, left + width - 40, top, top + height)
    single = brightest_row(shots["none"], left // 2 + 20, (left + width) // 2 - 20,
                           top // 2, (top + height) // 2)  # fmt: skip
    assert line == pytest.approx(2 * single + 0.5, abs=2)
    rows = double[top : top + height, left + width // 2].astype(int)
    assert np.abs(rows[0::2] - rows[1::2]).max() > 10, "each row of pixels is computed"
    sharp = double[top : top + height, left // 2 : left]
    assert np.abs(np.diff(sharp.astype(int), axis=0)).max() > 100, "text is drawn, not blown up"
