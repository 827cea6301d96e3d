"""Real windows over a real engine, and the patience to wait for what they do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QKeySequence, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from realtime.audio.sources import parse_source
from realtime.config import Settings, load
from realtime.engine.process import EngineProcess
from realtime.view.main_window import MainWindow
from realtime.view.model import LiveModel


@contextmanager
def open_window(
    source: str, flags: Mapping[str, Any], persistent: bool = False
) -> Iterator[MainWindow]:
    """A window that is on the screen and has the keyboard. flags : settings by their keys."""
    settings = load(flags={"audio.ring_seconds": 60.0, **flags})
    engine = EngineProcess(parse_source(source), settings.audio)
    with opened(engine, settings, persistent) as window:
        yield window


@contextmanager
def opened(
    engine: EngineProcess, settings: Settings, persistent: bool = False
) -> Iterator[MainWindow]:
    """The window over an engine, which it starts and stops."""
    engine.start()
    window = MainWindow(LiveModel(settings, engine), persistent=persistent)
    try:
        window.show()
        window.frames.start()
        activate(window)
        yield window
    finally:
        window.close()
        window.dispose()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def activate(window: MainWindow) -> None:
    """There is no window manager to give it the keyboard."""
    window.activateWindow()
    assert QTest.qWaitForWindowActive(window, 5000)


def run_until(true: Callable[[], object], what: str, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds:g} s"
        QApplication.processEvents()
        time.sleep(0.001)


def run_for(seconds: float) -> None:
    end = time.monotonic() + seconds
    run_until(lambda: time.monotonic() > end, "time", seconds + 10)


def press(window: MainWindow, key: str) -> None:
    """Press a key as the table names it, through Qt's own event path."""
    combination = QKeySequence(key)[0]  # type: ignore[index]
    QTest.keyClick(window, combination.key(), combination.keyboardModifiers())


def turn_wheel(
    window: MainWindow,
    at: QPoint,
    steps: int,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    wheel_over(window.plot.surface, steps, at, modifiers)


def wheel_over(
    widget: QWidget,
    steps: int,
    at: QPoint | None = None,
    modifiers: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier,
) -> None:
    at = widget.rect().center() if at is None else at
    event = QWheelEvent(
        QPointF(at), QPointF(widget.mapToGlobal(at)), QPoint(), QPoint(0, 120 * steps),
        Qt.MouseButton.NoButton, modifiers, Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(widget, event)
