"""What both processes of the `waterfall` benchmark share: the sound, the clock, taking turns."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from realtime.view.history import ColumnHistory

RATE = 48000
NEW_COLUMNS = 2
ROUNDS = 7
CHEAP_FRAMES, DEAR_FRAMES = 60, 4
"""Frames a round; the dear ones upload everything, up to 128 MiB a frame."""
WALL = os.environ.get("MEASURE") == "wall"
"""Whether wall time counts, or the CPU time of this thread."""
OURS, GLOO, FLOAT_IMAGE, IMAGE = "realtime", "bare gloo", "Image r32f", "Image default"
WINDOW, DRAWING, QTGRAPH = "whole window", "of it: ticking and drawing", "pyqtgraph ImageItem"

Frame = Callable[[int], object]


def clock() -> float:
    return time.perf_counter() if WALL else time.thread_time()


def take_turns(contenders: dict[str, Frame]) -> dict[str, float]:
    """Median ms of one frame of each."""
    dear = (IMAGE, FLOAT_IMAGE)
    medians: dict[str, list[float]] = {name: [] for name in contenders}
    count = 0
    for _ in range(ROUNDS):
        for name, frame in contenders.items():
            frame(count)
            times = []
            for _ in range(DEAR_FRAMES if name in dear or WALL else CHEAP_FRAMES):
                count += 1
                start = clock()
                frame(count)
                times.append(clock() - start)
            medians[name].append(statistics.median(times))
    return {name: 1e3 * statistics.median(values) for name, values in medians.items()}


def columns(n_bins: int, n: int) -> np.ndarray:
    return np.random.default_rng(1).uniform(-100, -20, (n, n_bins)).astype(np.float32)


def filled(n_bins: int, n_columns: int) -> ColumnHistory:
    history = ColumnHistory(n_bins + 1, n_columns)
    source = columns(n_bins + 1, 64)
    for _ in range(n_columns // 64):
        history.append(source)
    return history


def shift(data: np.ndarray, new: np.ndarray) -> None:
    """How an image without a ring scrolls: in place, no new array."""
    data[:, :-NEW_COLUMNS] = data[:, NEW_COLUMNS:]
    data[:, -NEW_COLUMNS:] = new


def print_figures(measure: Callable[[int, int, tuple[int, int]], dict[str, Any]]) -> None:
    """Measure what the command line says (bins, columns, width, height) and end the process."""
    bins, n_columns, width, height = map(int, sys.argv[1:5])
    sys.stdout.write(json.dumps(measure(bins, n_columns, (width, height))) + "\n")
    sys.stdout.flush()
    os._exit(0)  # Qt and GL contexts at exit: nothing here needs their farewell
