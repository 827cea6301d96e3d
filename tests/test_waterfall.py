"""The picture drawn by real (software) OpenGL, pixel by pixel against the numpy reference."""

from __future__ import annotations

import os
import subprocess
import sys

os.environ.setdefault("EGL_PLATFORM", "surfaceless")

import numpy as np
import pytest
from vispy.app.backends import _egl
from vispy.ext import egl

from realtime.config import DisplaySettings
from realtime.dsp.levels import encode
from realtime.errors import MissingDependency
from realtime.view.canvas import PictureCanvas, no_opengl
from realtime.view.colormaps import lut
from realtime.view.history import ColumnHistory
from realtime.view.mapping import colour_index, render_reference, share_of_hz
from realtime.view.texture import supports_r16
from realtime.view.waterfall import BACKGROUND, STRIP_GAP, Waterfall

RATE = 48000
WIDTH, HEIGHT = 400, 240
DARK = np.round(np.array(BACKGROUND[:3]) * 255)
FLOOR_DB, PEAK_DB = -90.0, -20.0


@pytest.fixture(autouse=True, scope="module")
def _no_context_left():
    """Qt cannot make its own context current in a thread where one of EGL's still is."""
    yield
    nothing = (egl.EGL_NO_SURFACE, egl.EGL_NO_SURFACE, egl.EGL_NO_CONTEXT)
    egl.eglMakeCurrent(_egl._EGL_DISPLAY, *nothing)


@pytest.fixture
def canvas():
    canvas = PictureCanvas("egl", (WIDTH, HEIGHT))
    yield canvas
    canvas.close()


def noisy(rng, n, n_bins):
    db = rng.uniform(-100, -60, (n, n_bins)).astype(np.float32)
    db[:, n_bins // 20] = PEAK_DB
    db[::37] = -40
    return db


def filled(rng, n_bins=513, n_columns=1024, n=1500, **options):
    history = ColumnHistory(n_bins, n_columns, **options)
    history.append(noisy(rng, n, n_bins))
    return history


def show(canvas, *histories, right_edge=None, span=900.0, **display):
    canvas.set_histories(histories)
    canvas.set_display(DisplaySettings(**display), RATE)
    canvas.set_scroll(histories[0].count if right_edge is None else right_edge, span)


def steps_wrong(canvas, history, pane=0):
    """Distance of each pixel of the waterfall from the reference, in steps of the colour map."""
    view = canvas.view(pane)
    want = render_reference(history, view)
    table = lut(view.display.colormap)[:, :3].astype(int)
    left, top, _, _ = canvas.rects()[pane]
    image = canvas.grab()[top : top + view.n_rows, left : left + view.n_cols, :3].astype(int)
    known = ~np.isnan(want)
    assert (image[~known] == DARK).all()
    index = colour_index(want, view.display).astype(int)
    near = np.clip(index[..., None] + np.arange(-4, 5), 0, 255)
    match = (np.abs(table[near] - image[:, :, None]).max(axis=3) == 0) * 1
    found = np.where(
        match.any(axis=2),
        np.abs(near - index[..., None])[
            np.arange(len(index))[:, None], np.arange(index.shape[1]), match.argmax(axis=2)
        ],
        99,
    )
    exact = (table[index] == image).all(axis=2)
    return np.where(exact, 0, found)[known]


def assert_is_the_reference(canvas, history, pane=0):
    wrong = steps_wrong(canvas, history, pane)
    assert not wrong.size or (wrong <= 1).mean() >= 0.999


@pytest.mark.parametrize("scale", ["linear", "log", "mel", "bark", "erb", "notes"])
def test_every_frequency_axis_is_drawn_as_the_reference_says(canvas, rng, scale):
    history = filled(rng)
    show(canvas, history, scale=scale, f_low=50, gamma=1.3, tilt=3, colormap="viridis")
    assert_is_the_reference(canvas, history)


@pytest.mark.parametrize("span", [7.3, 60.0, 320.0, 328.0, 500.0, 700.7, 1000.0, 2600.0, 20_000.0])
@pytest.mark.parametrize("edge", [1500.0, 1490.37, 1700.9, 40.5])
def test_every_zoom_in_time_is_drawn_as_the_reference_says(canvas, rng, span, edge):
    history = filled(rng)
    show(canvas, history, right_edge=edge, span=span)
    assert_is_the_reference(canvas, history)


@pytest.mark.parametrize(("low", "high"), [(0, 24000), (900, 1100), (23000, 24000), (20, 60)])
def test_every_zoom_in_frequency_is_drawn_as_the_reference_says(canvas, rng, low, high):
    history = filled(rng, n_bins=4097, n_columns=256, n=300)
    show(canvas, history, span=200.0, scale="linear", f_low=low, f_high=high)
    assert_is_the_reference(canvas, history)


def test_means_of_power_are_drawn_as_the_reference_says(canvas, rng):
    history = filled(rng, reduce="mean")
    history.skip(10)
    history.append(noisy(rng, 30, 513))
    show(canvas, history, span=1000.0)
    assert_is_the_reference(canvas, history)


def test_choosing_the_mean_redraws_what_is_there(canvas, rng):
    history = filled(rng)
    show(canvas, history)
    canvas.grab()
    history.set_reduce("mean")
    assert_is_the_reference(canvas, history)


@pytest.mark.parametrize("n_bins", [385, 641, 1793])
def test_bins_that_are_no_power_of_two_are_drawn_as_the_reference_says(canvas, rng, n_bins):
    history = filled(rng, n_bins=n_bins, n_columns=64, n=90)
    for scale in ("linear", "log"):
        show(canvas, history, span=60.0, f_low=20, scale=scale)
        assert_is_the_reference(canvas, history)


@pytest.mark.parametrize("n_bins", [16385, 131073, 114_689])
def test_rows_wider_than_a_texture_are_folded(canvas, rng, n_bins):
    history = filled(rng, n_bins=n_bins, n_columns=64, n=90)
    assert history.fold == 2
    show(canvas, history, span=60.0, f_low=20)
    assert_is_the_reference(canvas, history)


def test_gaps_what_is_gone_and_what_is_to_come_are_background(canvas, rng):
    history = ColumnHistory(65, 64)
    history.append(noisy(rng, 40, 65))
    history.skip(20)
    history.append(noisy(rng, 40, 65))
    show(canvas, history, right_edge=110.0, span=100.0, scale="linear", f_low=0)
    assert_is_the_reference(canvas, history)
    n_cols = canvas.view().n_cols
    row = canvas.grab()[120, :n_cols, :3]
    dark = (row == DARK).all(axis=1)
    column = 10 + (np.arange(n_cols) + 0.5) / n_cols * 100
    assert dark[(column < 34) | (column > 102)].all()
    assert dark[(column > 42) & (column < 58)].all()
    assert not dark[(column > 62) & (column < 98)].any()


def test_frame_by_frame_around_the_ring_the_picture_stays_the_reference(canvas, rng):
    history = ColumnHistory(129, 2048)
    history.append(noisy(rng, 1950, 129))
    show(canvas, history)
    for frame in range(260):
        history.append(noisy(rng, int(rng.integers(0, 5)), 129))
        span = (100.0, 500.0, 1400.0, 3000.0)[frame // 65]
        canvas.set_scroll(history.count + 0.7 * np.sin(frame), span)
        canvas.set_current()
        canvas.events.draw()
        if frame % 20 == 19:
            assert_is_the_reference(canvas, history)


def test_a_tone_and_a_click_keep_their_level_on_screen_at_any_zoom(canvas, rng):
    history = ColumnHistory(2049, 2048)
    db = np.full((2500, 2049), FLOOR_DB, np.float32)
    db[1900] = PEAK_DB - 10
    db[:, 700] = PEAK_DB
    history.append(db)
    hz = 700 * RATE / 4096
    for scale in ("linear", "log", "mel", "notes"):
        for span in (30.0, 700.0, 1999.0):
            for low, high in ((30, 24000), (7000, 9000)):
                edge = min(2500.0, 1900 + span / 2)
                show(canvas, history, right_edge=edge, span=span, scale=scale, f_low=low,
                     f_high=high, colormap="gray")  # fmt: skip
                view = canvas.view()
                image = canvas.grab()[:, : view.n_cols, 0].astype(float)
                step_db = 100 / 255
                row = int((1 - share_of_hz(hz, view.display, RATE)) * view.n_rows)
                x = int((1900.5 - edge + span) / span * view.n_cols)
                tone = image[max(0, row - 2) : row + 3, :].max(axis=0) * step_db - 100
                click = image[:, max(0, x - 1) : x + 2].max(axis=1) * step_db - 100
                assert np.abs(tone - PEAK_DB).max() < 0.5
                assert click.min() > PEAK_DB - 10 - 0.5


def test_the_newest_column_is_seen_half_a_pixel_later_though_its_cell_is_not_complete(canvas):
    history = ColumnHistory(65, 2048)
    history.append(np.full((1600, 65), FLOOR_DB))
    show(canvas, history, colormap="gray", scale="linear", f_low=0)
    columns_per_pixel = 5.0
    span = canvas.view().n_cols * columns_per_pixel
    for _ in range(40):
        history.append(np.full((1, 65), PEAK_DB))
        canvas.set_scroll(history.count + columns_per_pixel / 2, span)
        n_cols = canvas.view().n_cols
        newest = canvas.grab()[:, n_cols - 2 : n_cols, 0].max(axis=1).astype(float)
        assert (newest * 100 / 255 - 100 > PEAK_DB - 0.5).all()
        history.append(np.full((17, 65), FLOOR_DB))


def test_a_hidden_picture_uploads_nothing_and_is_right_when_it_is_seen_again(canvas, rng):
    history = filled(rng)
    show(canvas, history)
    canvas.grab()
    before, queued = canvas.uploaded, len(canvas.context.glir._shared._commands)
    for _ in range(2000):
        history.append(noisy(rng, 2, 513))
        canvas.set_scroll(history.count, 900.0)
    assert canvas.uploaded == before
    assert len(canvas.context.glir._shared._commands) == queued
    canvas.grab()
    assert canvas.uploaded - before <= history.cells.nbytes
    assert_is_the_reference(canvas, history)


def test_two_new_columns_of_2048_bins_upload_at_most_48_kib_in_every_frame(canvas, rng):
    history = ColumnHistory(2049, 1024)
    history.append(noisy(rng, 1024, 2049))
    two = noisy(rng, 2, 2049)
    for span in (200.0, 500.0, 1020.0):
        show(canvas, history, span=span)
        canvas.grab()
        canvas.grab()
        for _ in range(200):
            before = canvas.uploaded
            history.append(two)
            canvas.set_scroll(history.count, span)
            canvas.set_current()
            canvas.events.draw()
            assert canvas.uploaded - before <= 48 * 1024


def test_how_it_looks_changes_in_the_next_frame_and_uploads_no_sound(canvas, rng):
    history = filled(rng)
    show(canvas, history)
    before = canvas.grab()
    uploaded = canvas.uploaded
    for display in (
        DisplaySettings(colormap="viridis"),
        DisplaySettings(gamma=2.0),
        DisplaySettings(db_low=-120, db_high=-20),
        DisplaySettings(tilt=6.0),
        DisplaySettings(scale="mel"),
        DisplaySettings(f_low=400, f_high=4000),
    ):
        canvas.set_display(display, RATE)
        assert not np.array_equal(canvas.grab(), before)
        assert_is_the_reference(canvas, history)
    assert canvas.uploaded == uploaded


def test_eight_bits_where_the_driver_has_no_more_stay_within_half_a_db(rng):
    canvas = PictureCanvas("egl", (WIDTH, HEIGHT), deep=False)
    history = filled(rng)
    show(canvas, history, colormap="gray")
    assert (steps_wrong(canvas, history) <= 2).all()  # 0.31 dB, a step is 0.39 dB
    assert canvas.uploaded < history.cells.nbytes / 2 + 1
    canvas.close()


def test_es_2_draws_the_same_shader():
    code = """
import os; os.environ["EGL_PLATFORM"] = "surfaceless"
import vispy; vispy.use(gl="es2"); vispy.config["gl_backend"] = "es2"
import sys; sys.path.insert(0, "tests")
import numpy as np, test_waterfall as t
rng = np.random.default_rng(1)
canvas = t.PictureCanvas("egl", (t.WIDTH, t.HEIGHT)); history = t.filled(rng)
t.show(canvas, history, colormap="gray")
assert (t.steps_wrong(canvas, history) <= 2).all()
assert "OpenGL ES" in canvas.context.capabilities["gl_version"]
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_this_driver_has_16_bits(canvas):
    canvas.set_current()
    canvas.context.flush_commands()
    assert supports_r16()


def test_panes_are_stacked_one_for_each_history(canvas, rng):
    histories = [filled(rng) for _ in range(3)]
    show(canvas, *histories)
    rects = canvas.rects()
    assert [rect[1] for rect in rects] == [0, 81, 161]
    assert rects[-1][1] + rects[-1][3] == HEIGHT
    for pane, history in enumerate(histories):
        assert_is_the_reference(canvas, history, pane)
    show(canvas, histories[1])
    assert len(canvas.rects()) == 1
    assert_is_the_reference(canvas, histories[1])


def test_another_history_takes_the_place_of_the_first_whatever_its_size(canvas, rng):
    for n_bins, n_columns in ((513, 1024), (513, 1024), (129, 64), (1025, 128)):
        history = filled(rng, n_bins=n_bins, n_columns=n_columns)
        show(canvas, history, span=60.0)
        assert_is_the_reference(canvas, history)


def test_a_resized_canvas_is_filled_to_its_new_edges(canvas, rng):
    history = filled(rng)
    show(canvas, history, colormap="gray")
    canvas.grab()
    canvas.size = (611, 433)
    image = canvas.grab()
    assert image.shape == (433, 611, 4)
    assert_is_the_reference(canvas, history)


def test_the_spectrum_reaches_as_far_as_its_level_and_the_hold_line_lies_at_its_own(canvas):
    history = ColumnHistory(64, 64)
    db = np.full((64, 64), FLOOR_DB, np.float32)
    db[:, 32:] = -50.0
    history.append(db)
    history.set_hold(encode(np.full(64, -25.0)))
    canvas.strip_share = 0.5
    show(canvas, history, scale="linear", f_low=0, colormap="gray", span=60.0)
    image = canvas.grab().astype(int)
    start = canvas.view().n_cols + STRIP_GAP
    width = WIDTH - start
    for row, share in ((40, 0.5), (200, 0.1)):
        strip = image[row, start:, 0]
        filled_to = int(np.flatnonzero(strip[: int(0.7 * width)] != DARK[0])[-1]) + 1
        assert abs(filled_to - share * width) <= 1.5
        line = np.flatnonzero(strip[int(0.7 * width) :] > 200) + int(0.7 * width)
        assert abs(line.mean() - 0.75 * width) <= 1.5
    history.set_hold(None)
    assert (canvas.grab()[40, start + int(0.7 * width) :, 0] == DARK[0]).all()


def test_the_spectrum_is_that_of_the_column_asked_for(canvas):
    history = ColumnHistory(64, 64)
    history.append(np.repeat(np.linspace(-80, -20, 60)[:, None], 64, axis=1))
    canvas.strip_share = 0.5
    show(canvas, history, scale="linear", f_low=0, colormap="gray", span=60.0)
    start = canvas.view().n_cols + STRIP_GAP

    def reach():
        strip = canvas.grab()[HEIGHT // 2, start:, 0]
        return (np.flatnonzero(strip != DARK[0])[-1] + 1) / len(strip)

    assert reach() == pytest.approx(0.8, abs=0.02)
    canvas.set_spectrum_column(0)
    assert reach() == pytest.approx(0.2, abs=0.02)
    canvas.set_spectrum_column(None)
    canvas.set_scroll(31.0, 30.0)
    assert reach() == pytest.approx(0.2 + 0.6 * 30 / 59, abs=0.02)


def test_the_crosshair_crosses_all_panes_at_the_pixel(canvas):
    histories = [ColumnHistory(64, 64) for _ in range(2)]
    show(canvas, *histories)
    canvas.set_crosshair((100, 30))
    image = canvas.grab()[:, :, 0].astype(int)
    (_, second, _, _) = canvas.rects()[1]
    bright = image > 100
    assert bright[60, 100]
    assert bright[second + 60, 100]
    assert bright[30, 5]
    assert bright[second + 30, 5]
    assert not bright[60, 99]
    canvas.set_crosshair(None)
    assert (canvas.grab()[60, :100, 0] < 100).all()


def test_a_pixel_tells_its_pane_its_frequency_and_its_column(canvas, rng):
    histories = [filled(rng), filled(rng)]
    show(canvas, *histories, right_edge=1000.0, span=500.0, scale="linear", f_low=0)
    n_cols = canvas.view().n_cols
    place = canvas.place(n_cols - 1, HEIGHT - 1)
    assert (place.pane, place.db) == (1, None)
    assert place.hz == pytest.approx(0.5 / 119 * 24000, rel=1e-6)
    assert place.column == pytest.approx(1000 - 0.5 * 500 / n_cols)
    strip = canvas.place(n_cols + STRIP_GAP + canvas.strip_width / 2 - 0.5, 10)
    assert strip.column is None
    assert strip.db == pytest.approx(-50, abs=0.1)
    assert canvas.place(10, -1) is None


def test_a_texture_the_driver_cannot_hold_is_told_in_one_sentence(canvas, monkeypatch):
    history = ColumnHistory(64, 64)
    monkeypatch.setattr("realtime.view.texture.gl.glGetParameter", lambda _name: 32)
    show(canvas, history)
    with pytest.raises(MissingDependency, match=r"at most 32.*--view terminal"):
        canvas.grab()


def test_without_opengl_the_sentence_names_the_packages_and_the_terminal():
    sentence = str(no_opengl(RuntimeError("no such library")))
    assert "libgl1 libegl1 libgl1-mesa-dri" in sentence
    assert "realtime live --view terminal" in sentence


def test_a_driver_without_any_context_raises_missing_dependency():
    code = """
import os; os.environ["EGL_PLATFORM"] = "device"; os.environ["__EGL_VENDOR_LIBRARY_DIRS"] = "/none"
from realtime.errors import MissingDependency
from realtime.view.canvas import PictureCanvas
try:
    PictureCanvas("egl")
except MissingDependency as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "OpenGL does not work here" in done.stdout, done.stderr


def test_a_visual_without_a_history_draws_nothing():
    assert Waterfall().draw() is None
