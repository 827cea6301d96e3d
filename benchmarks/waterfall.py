"""One frame of the picture: two new columns, scrolled and drawn, against its peers.

Every contender shows `bins x columns` of history that moves by two new columns a frame. Bare gloo
has the ring texture and nothing else; an Image has no ring, so its array is shifted in place and
handed over whole. Contenders take turns in rounds within one process; medians are shown. Nothing is
rasterised where it says so (GALLIUM_NOOP=1): that is the main thread's share, which a GPU leaves.
`waterfall_egl` and `waterfall_qt` measure, in processes of their own.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from rich.table import Table

from benchmarks.contenders import DRAWING, FLOAT_IMAGE, GLOO, IMAGE, OURS, QTGRAPH, WINDOW
from benchmarks.goals import verdict

SIZES = (
    (512, 1024, 1280, 720),
    (2048, 2048, 1280, 720),
    (2048, 8192, 1920, 1080),
    (8192, 4096, 1920, 1080),
)
"""Bins, columns, width and height of the window in pixels."""
FRAME_GOAL_MS = 0.6
GLOO_GOAL = 3.0
IMAGE_GOAL = 50.0
IMAGE_GOAL_SIZE = (2048, 8192)
UPLOAD_GOAL_KIB = 48.0
TIMEOUT_SECONDS = 600
XVFB = ("xvfb-run", "-a", "-s", "-screen 0 1920x1200x24 +extension GLX")


@dataclass(frozen=True)
class Figures:
    """Of one size: milliseconds a frame and KiB uploaded a frame, for each contender."""

    ms: dict[str, float]
    kib: dict[str, float]
    kib_most: float = 0.0
    hidden_kib: float = 0.0


def tables() -> list[Table]:
    egl = [_measured("egl", size, noop=True) for size in SIZES]
    drawn = [_measured("egl", size, noop=False) for size in SIZES]
    if shutil.which(XVFB[0]) or os.environ.get("DISPLAY"):
        qt = [_measured("qt", size, noop=True) for size in SIZES]
        qt_drawn = [_measured("qt", size, noop=False) for size in SIZES]
        window = [window_table(qt), wall_table(drawn, qt_drawn)]
    else:
        window = [Table(title="No X server and no xvfb-run: pyqtgraph and window not measured")]
    return [frame_table(egl), upload_table(egl), *window]


def frame_table(figures: list[Figures]) -> Table:
    table = Table(
        title="Main thread, one frame of the picture, nothing rasterised (EGL), ms of CPU",
        caption="realtime: append with all levels, peak hold, upload, waterfall, spectrum; "
        "bare gloo: encode, upload, one quad; Image: shift the array, set_data, draw; no axes",
    )
    for name in ("size", OURS, GLOO, FLOAT_IMAGE, IMAGE, "goal", ""):
        table.add_column(name, justify="right" if name in (OURS, GLOO, FLOAT_IMAGE) else "left")
    for size, each in zip(SIZES, figures, strict=True):
        ms = each.ms
        cells = [f"{ms[name]:.3f}" for name in (OURS, GLOO, FLOAT_IMAGE, IMAGE)]
        table.add_row(_words(size), *cells, *verdict(ms[OURS], FRAME_GOAL_MS, "ms"))
        ratio = ms[OURS] / ms[GLOO]
        table.add_row("", f"{ratio:.2f} x", "1", "", "", *verdict(ratio, GLOO_GOAL, "x bare gloo"))
        cheaper = ms[FLOAT_IMAGE] / ms[OURS]
        goal = IMAGE_GOAL if size[:2] == IMAGE_GOAL_SIZE else None
        told = verdict(cheaper, goal, "x cheaper", at_least=True)
        table.add_row("", "1", "", f"{cheaper:.0f} x", f"{ms[IMAGE] / ms[OURS]:.0f} x", *told)
    return table


def upload_table(figures: list[Figures]) -> Table:
    table = Table(title="Uploaded in one frame with two new columns, KiB")
    for name in (
        "size",
        "realtime, mean",
        "most",
        "while hidden",
        "Image",
        "goal for the most",
        "",
    ):
        table.add_column(name, justify="left" if name in ("size", "") else "right")
    for size, each in zip(SIZES, figures, strict=True):
        goal = UPLOAD_GOAL_KIB if size[:2] == IMAGE_GOAL_SIZE else None
        table.add_row(
            _words(size), f"{each.kib[OURS]:.0f}", f"{each.kib_most:.0f}",
            f"{each.hidden_kib:.0f}", f"{each.kib[FLOAT_IMAGE]:,.0f}",
            *verdict(each.kib_most, goal, "KiB"),
        )  # fmt: skip
    return table


def window_table(figures: list[Figures]) -> Table:
    table = Table(
        title="Main thread, one frame of the real window under Xvfb, GL not rasterised, ms of CPU",
        caption="whole window: axes, colour bar, meters, status line, and Qt putting the picture "
        "into its window and on the X server; pyqtgraph: one 8-bit image in a plot, painted by "
        "the CPU, which is its way",
    )
    for name in ("size", DRAWING, WINDOW, QTGRAPH, "goal for the whole", ""):
        table.add_column(name, justify="left" if name in ("size", "") else "right")
    for size, each in zip(SIZES, figures, strict=True):
        cells = [f"{each.ms[name]:.2f}" for name in (DRAWING, WINDOW, QTGRAPH)]
        table.add_row(_words(size), *cells, *verdict(each.ms[WINDOW], FRAME_GOAL_MS, "ms"))
    return table


def wall_table(egl: list[Figures], qt: list[Figures]) -> Table:
    table = Table(
        title="Wall time of one frame without a GPU (software OpenGL), ms",
        caption="pyqtgraph draws a linear axis and drops peaks when zoomed out; no goal is set",
    )
    for name in ("size", OURS, GLOO, FLOAT_IMAGE, WINDOW, QTGRAPH, "window / pyqtgraph", ""):
        table.add_column(name, justify="left" if name in ("size", "") else "right")
    for size, drawn, shown in zip(SIZES, egl, qt, strict=True):
        cells = [f"{drawn.ms[name]:.1f}" for name in (OURS, GLOO, FLOAT_IMAGE)]
        cells += [f"{shown.ms[name]:.1f}" for name in (WINDOW, QTGRAPH)]
        ratio = shown.ms[WINDOW] / shown.ms[QTGRAPH]
        told = "[green]faster[/]" if ratio < 1 else "[red]pyqtgraph is faster[/]"
        table.add_row(_words(size), *cells, f"{ratio:.1f} x", told)
    return table


def _words(size: tuple[int, int, int, int]) -> str:
    return f"{size[0]} x {size[1]}, {size[3]}p"


def _measured(kind: str, size: tuple[int, int, int, int], noop: bool) -> Figures:
    """Run a child of this module and read its figures."""
    command = [sys.executable, "-m", f"benchmarks.waterfall_{kind}", *map(str, size)]
    environment = {
        **os.environ,
        "GALLIUM_NOOP": str(int(noop)),
        "MEASURE": "cpu" if noop else "wall",
    }
    if kind == "egl":
        environment["EGL_PLATFORM"] = "surfaceless"
    elif shutil.which(XVFB[0]):
        command = [*XVFB, *command]
        environment["QT_QPA_PLATFORM"] = "xcb"
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=TIMEOUT_SECONDS,
        check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} failed:\n{done.stderr}")
    return Figures(**json.loads(done.stdout.splitlines()[-1]))
