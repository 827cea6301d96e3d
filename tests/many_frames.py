"""Draws many frames of the real window and prints what that took, as JSON.

    python many_frames.py FRAMES

A program of its own, because a broken binding ends the whole process.
"""

from __future__ import annotations

import json
import sys

import psutil
from PySide6.QtWidgets import QApplication
from windows import open_window, run_until

from realtime.view import theme

SETTINGS = {"display.fps": 240, "display.span": 2.0, "stft.n_fft": 1024, "audio.ring_seconds": 10.0}
"""Short memories, so that all of it has soon been touched once."""

SIZE = (400, 300)
"""Logical pixels: few enough for software OpenGL to draw more frames a second than a screen."""


def main(n_frames: int) -> None:
    theme.apply(QApplication(["many frames"]))
    with open_window("demo", SETTINGS) as window:
        window.side.hide()
        window.resize(*SIZE)
        history = window.model.histories[0]
        run_until(lambda: history.count > history.n_columns, "a full history", 60)
        memory, nones = psutil.Process().memory_info().rss, sys.getrefcount(None)
        patience = n_frames / 20
        run_until(lambda: window.frames.drawn >= n_frames, f"{n_frames} frames", patience)
        report = {
            "frames": window.frames.drawn,
            "grown_bytes": psutil.Process().memory_info().rss - memory,
            "nones_lost": nones - sys.getrefcount(None),
            "uploaded_bytes": window.plot.canvas.uploaded,
        }
    sys.stdout.write(json.dumps(report) + "\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
