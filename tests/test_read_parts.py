"""The parts of reading a picture, each alone: words, axes, colours, cells, blending."""

from __future__ import annotations

from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from PIL import Image
from styles import Style, draw

from realtime.errors import RequestError
from realtime.picture.read.blend import blended_grid, unblend, weights
from realtime.picture.read.boxes import find_boxes
from realtime.picture.read.cells import changes_along, even_edges, even_grid, places
from realtime.picture.read.colours import NAMES, Table, map_colours, values_of
from realtime.picture.read.fits import FREQUENCY_SCALES, decades, fit_axes, fit_axis
from realtime.picture.read.ticks import Tick, number, read_side


def _ticks(places: list[float], values: list[float | None]) -> list[Tick]:
    return [Tick(p, v, str(v), "", 0.1, True) for p, v in zip(places, values, strict=True)]


@pytest.mark.parametrize("dpi", [72, 100, 200])
@pytest.mark.parametrize("minus", ["-", "−"])
def test_labels_of_a_colour_bar_are_read(dpi: int, minus: str, tmp_path: Path) -> None:
    printed = "%+2.0f dB" if minus == "-" else None
    draw(Style(bar=printed, dpi=dpi, size=(6.4, 4.8), seconds=2.0), tmp_path / "a.png")
    rgb = np.asarray(Image.open(tmp_path / "a.png").convert("RGB"))
    layout = find_boxes(rgb)
    bar = layout.bar(layout.plots[0])
    assert bar is not None
    side = read_side(rgb, bar, "right", layout.background, 0.73 * 10 * dpi / 72)
    assert [tick.value for tick in side.ticks] == [0, -10, -20, -30, -40, -50, -60, -70, -80]


def test_words_become_numbers_or_nothing() -> None:
    def of(*texts: str) -> float | None:
        from realtime.picture.read.glyphs import Word

        return number([Word(text, 0.1) for text in texts])[0]

    assert [of("-80", "dB"), of("+0dB"), of("1:30"), of("10", "^3"), of("1.5")] == [
        -80, 0, 90, 1000, 1.5,
    ]  # fmt: skip
    assert [of("05"), of("8d"), of("10", "^"), of("dB"), of()] == [None] * 5


def test_misread_labels_are_outvoted() -> None:
    axis = fit_axis(_ticks([0, 50, 100, 150, 200], [0, 1, 8, 3, None]))
    assert axis is not None
    assert (axis.agree, axis.labels) == (3, 5)
    assert axis.value_at(100) == pytest.approx(2)


def test_labels_that_were_rounded_agree_as_they_are_printed() -> None:
    ticks = _ticks([0, 150, 300, 450, 600, 750, 900, 1050], [0, 1.5, 3, 4.5, 6, 7.5, 9, 10])
    axis = fit_axis(ticks, printed=lambda value: f"{value:.2g}")
    assert axis is not None
    assert axis.agree == 8
    assert axis.value_at(1050) == pytest.approx(10.5)


def test_labels_that_grow_the_wrong_way_are_no_axis() -> None:
    assert fit_axis(_ticks([0, 50, 100, 150], [80, 60, 40, 20])) is None


def test_two_readings_of_equal_weight_are_not_trusted() -> None:
    axis = fit_axis(_ticks([0, 190, 380, 570, 760, 950], [0, None, 10, 15, 2.0, 2.5]))
    assert axis is None or axis.certainty < 0.5


def test_librosas_mel_axis_is_told_from_others_by_its_labels() -> None:
    hz = [0.0, 512, 1024, 2048, 4096, 8192]
    scale = next(scale for scale in FREQUENCY_SCALES if scale.name == "librosa mel")
    at = [300 - 50 * float(scale.forward(f)) for f in hz]
    axes = fit_axes(_ticks(at, list(hz)), FREQUENCY_SCALES, rising=False)
    assert [axis.scale.name for axis in axes] == ["librosa mel"]


def test_two_powers_of_ten_are_an_axis_where_the_marks_between_agree() -> None:
    at = [500 - 100 * np.log10(f) for f in (100, 1000)]
    marks = np.array([500 - 100 * np.log10(k * 100) for k in range(1, 11)])
    axis = decades(marks, _ticks(at, [100, 1000]))
    assert axis is not None
    assert axis.value_at(at[1]) == pytest.approx(1000)
    assert decades(np.linspace(at[1], at[0], 10), _ticks(at, [100, 1000])) is None


@pytest.mark.parametrize("name", NAMES)
def test_colour_maps_are_matplotlibs_to_one_in_255(name: str) -> None:
    theirs = np.rint(matplotlib.colormaps[name](np.arange(256))[:, :3] * 255)
    assert np.abs(map_colours(name) - theirs).max() <= 1
    assert np.array_equal(map_colours(f"{name}_r"), map_colours(name)[::-1])


def test_an_unknown_colour_map_is_refused_with_others() -> None:
    with pytest.raises(RequestError, match="'nice' is unknown: use one of magma"):
        map_colours("nice")


@pytest.mark.parametrize("name", ["magma", "viridis", "jet", "gray_r"])
def test_colours_become_the_levels_they_stand_for(name: str) -> None:
    table = Table(name, map_colours(name), 0.0)
    levels = values_of(table.colours[1:-1], table).levels
    assert np.abs(levels - (np.arange(1, 255) + 0.5) / 256).mean() < 1e-3
    between = (table.colours[1:] + table.colours[:-1]) / 2
    assert (
        np.abs(values_of(between, table, between=True).levels * 256 - np.arange(1, 256)).mean()
        < 0.7
    )


@pytest.mark.parametrize("n", [37, 90, 173, 250])
def test_cells_are_counted_and_found(n: int, rng: np.random.Generator) -> None:
    edges = even_edges(10.2, 309.8, n, True)
    cell = np.clip(
        np.searchsorted(np.floor(edges + 0.5), np.arange(300) + 10, "right") - 1, 0, n - 1
    )
    pixels = rng.integers(0, 256, (n, 40, 3), dtype=np.uint8)[cell]
    grid = even_grid(changes_along(pixels, 10, pixels), 10, 310, 10.0)
    assert grid is not None
    assert grid.n == n
    found = places(grid, 10, 309)
    assert np.array_equal(cell[found.pixel - 10][found.own], np.arange(n)[found.own])
    assert found.own.mean() > 0.9


def test_blended_cells_are_solved_for(rng: np.random.Generator) -> None:
    cells = rng.uniform(0, 255, (120, 5))
    edges = even_edges(20.3, 220.1, 120, True)
    cell, after = weights(edges, 20, 200)
    seen = (1 - after)[:, None] * cells[cell] + after[:, None] * cells[cell + 1]
    solved, error = unblend(seen, edges, 20)
    assert error < 1e-3
    assert np.abs(solved - cells)[1:-1].max() < 0.1
    grid = blended_grid(np.round(seen)[..., None], 20, 20.0, 220.0, (80, 100, 119, 120, 121, 150))
    assert grid is not None
    assert grid.n == 120


@pytest.mark.parametrize("n", [57, 120, 170])
def test_blended_cells_on_whole_pixels_are_counted_and_no_others(
    n: int, rng: np.random.Generator
) -> None:
    """As matplotlib 3.8 blends them: the image ends a pixel behind the axes."""
    edges = even_edges(20.0, 221.0, n, True)
    cell, after = weights(edges, 22, 196)
    cells = rng.uniform(0, 255, (n, 30))
    seen = (1 - after)[:, None] * cells[cell] + after[:, None] * cells[cell + 1]
    seen = np.floor(seen)[..., None]
    grid = blended_grid(seen, 22, 20.0, 220.0, range(20, 190))
    assert grid is not None
    assert (grid.n, *grid.edges[[0, -1]].round(1)) == (n, 20, 221)
    others = [m for m in range(20, 190) if abs(m - n) > 2]  # those at the ends may hide
    assert blended_grid(seen, 22, 20.0, 220.0, others) is None


def test_blended_cells_are_counted_where_most_lines_are_silent(rng: np.random.Generator) -> None:
    edges = even_edges(20.0, 220.0, 120, True)
    cell, after = weights(edges, 22, 196)
    plane = np.zeros((196, 96, 1))
    cells = rng.uniform(0, 255, (120, 3))
    plane[:, [5, 45, 77], 0] = (1 - after)[:, None] * cells[cell] + after[:, None] * cells[cell + 1]
    grid = blended_grid(np.floor(plane), 22, 20.0, 220.0, (60, 100, 120, 150))
    assert grid is not None
    assert grid.n == 120


def test_cells_too_smooth_to_be_counted_are_not() -> None:
    """Or silent ones: any number of them explains what is seen."""
    slope = np.linspace(0, 200, 196)[:, None, None] + np.linspace(0, 50, 30)[:, None]
    for plane in (slope, np.zeros_like(slope)):
        assert blended_grid(np.floor(plane), 22, 20.0, 220.0, (40, 80, 100, 120, 150)) is None


def test_frames_of_axes_and_bar_are_found_on_light_and_dark(tmp_path: Path) -> None:
    for theme in ("default", "dark_background"):
        with plt.style.context(theme):
            figure, axes = plt.subplots()
            figure.colorbar(axes.imshow(np.arange(256.0).reshape(16, 16), aspect="auto"))
            figure.savefig(tmp_path / "a.png", dpi=100)
            plt.close(figure)
        layout = find_boxes(np.asarray(Image.open(tmp_path / "a.png").convert("RGB")))
        box = axes.get_position()
        assert layout.plots[0].left == pytest.approx(640 * box.x0, abs=1)
        assert layout.plots[0].bottom == pytest.approx(480 * (1 - box.y0), abs=1)
        assert layout.bar(layout.plots[0]) is not None
