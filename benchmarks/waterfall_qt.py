"""The real main window, and a pyqtgraph window, on an X server. Prints JSON."""

from __future__ import annotations

import statistics
import time
from types import SimpleNamespace
from typing import Any

import numpy as np

from benchmarks.contenders import (
    CHEAP_FRAMES,
    DRAWING,
    NEW_COLUMNS,
    QTGRAPH,
    RATE,
    WINDOW,
    Frame,
    clock,
    columns,
    filled,
    print_figures,
    shift,
    take_turns,
)  # fmt: skip
from realtime.config import Settings, change
from realtime.engine.status import State
from realtime.view.hold import PeakHold


class StandInModel:
    """What the window asks of a `LiveModel`; two new columns a tick, and nothing else to do."""

    def __init__(self, bins: int, n_columns: int):
        span = n_columns * 256 / RATE
        self.settings = change(Settings(), {"stft.n_fft": max(256, bins * 2), "display.span": span})
        self.sample_rate, self.n_channels, self.paused = RATE, 1, False
        self.column_seconds = 256 / RATE
        self.columns_per_span = n_columns - 1.0
        self.changed: list[object] = []
        self.monitors = False
        self.shown = SimpleNamespace(sample_at=lambda column: 256 * column)
        self.histories = [filled(bins, n_columns)]
        self.info = SimpleNamespace(name="benchmark", sample_rate=RATE, n_channels=1)
        self.readout = SimpleNamespace(
            device="benchmark", sample_rate=RATE, n_channels=1, latency_ms=8.0, fps=60.0,
            lost_samples=0, skipped_columns=0, state=State.RUNNING, message="",
            monitor=None,
        )  # fmt: skip
        self._hold = PeakHold(self.histories)
        self._new = columns(bins + 1, 64)
        self._ticks = 0

    @property
    def meter(self) -> SimpleNamespace:
        """Moves from refresh to refresh, so that the meter is repainted as with real sound."""
        level = -20.0 - self._ticks % 20
        reading = SimpleNamespace(
            peak_db=[level], rms_db=[level - 6], hold_db=[level + 2], clipped=[False]
        )
        return SimpleNamespace(reading=reading)

    def tick(self, now_ns: int) -> None:
        self._ticks += 1
        at = NEW_COLUMNS * self._ticks % 64
        self.histories[0].append(self._new[at : at + NEW_COLUMNS])

    def update_hold(self, now_ns: int) -> None:
        self._hold.update(self.histories, now_ns)

    def right_edge(self, _now_ns: int) -> float:
        return self.histories[0].count - 0.3

    def close(self) -> None:
        """Nothing runs."""


def window_frames(bins: int, n_columns: int, size: tuple[int, int]) -> tuple[Frame, Frame]:
    """The real main window: all of a frame, and its ticking and drawing alone."""
    from PySide6.QtCore import QEventLoop

    from realtime.view.main_window import MainWindow

    window = MainWindow(StandInModel(bins, n_columns))  # type: ignore[arg-type]
    window.resize(*size)
    window.show()
    native = window.plot.canvas.native
    loop = QEventLoop()
    native.frameSwapped.disconnect()
    native.frameSwapped.connect(loop.quit)
    spent = {"drawing": 0.0}
    paint = native.paintGL

    def counted_paint() -> None:
        start = clock()
        paint()
        spent["drawing"] += clock() - start

    native.paintGL = counted_paint

    def frame(_i: int) -> None:
        start = clock()
        window._draw()
        spent["drawing"] += clock() - start
        loop.exec()

    def drawing(i: int) -> float:
        spent["drawing"] = 0.0
        frame(i)
        return spent["drawing"]

    frame.keep = window  # type: ignore[attr-defined]
    for i in range(5):
        frame(i)
    return frame, drawing


def pyqtgraph_frame(bins: int, n_columns: int, size: tuple[int, int]) -> Frame:
    import pyqtgraph

    view = pyqtgraph.GraphicsLayoutWidget()
    plot = view.addPlot()
    data = np.zeros((bins, n_columns), np.uint8)
    image = pyqtgraph.ImageItem(data, axisOrder="row-major", levels=(0, 255))
    image.setColorMap("viridis")
    plot.addItem(image)
    view.resize(*size)
    view.show()
    new = np.random.default_rng(2).integers(0, 255, (bins, NEW_COLUMNS)).astype(np.uint8)

    def frame(_i: int) -> None:
        shift(data, new)
        image.setImage(data, autoLevels=False)
        view.viewport().repaint()

    frame.keep = view  # type: ignore[attr-defined]
    return frame


def qt(bins: int, n_columns: int, size: tuple[int, int]) -> dict[str, Any]:
    from PySide6.QtWidgets import QApplication

    application = QApplication([])
    frame, drawing = window_frames(bins, n_columns, size)
    other = pyqtgraph_frame(bins, n_columns, size)
    for _ in range(20):
        application.processEvents()
        time.sleep(0.02)
    ms = take_turns({WINDOW: frame, QTGRAPH: other})
    if not frame.keep.plot.canvas.uploaded:  # type: ignore[attr-defined]
        raise RuntimeError("the window drew nothing; is the X server's GLX switched on?")
    ms[DRAWING] = 1e3 * statistics.median(drawing(i) for i in range(CHEAP_FRAMES))
    return {"ms": ms, "kib": {}}


if __name__ == "__main__":
    print_figures(qt)
