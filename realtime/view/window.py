"""Open the window and run it: on a display, or without one to save what it would show.

    run_window(model)                                              # until it is closed
    run_window(model, seconds=5, screenshot=Path("picture.png"))   # also without a display

Wayland: Qt uses it where $WAYLAND_DISPLAY is set; should the picture stay blank there, start
with QT_QPA_PLATFORM=xcb.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import ceil
from pathlib import Path
from types import FrameType

from PySide6.QtCore import QMessageLogContext, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtWidgets import QApplication

from realtime.errors import MissingDependency, RealtimeError
from realtime.view import remember, theme
from realtime.view.display import find_display
from realtime.view.main_window import MainWindow
from realtime.view.model import LiveModel

XCB_LIBRARIES = ("libxcb-cursor.so.0", "libxkbcommon-x11.so.0", "libxcb-icccm.so.4")
"""What Qt needs of an X system and minimal ones lack; without it Qt ends the whole process."""
INSTALL_XCB = (
    "sudo apt install libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 "
    "libxcb-shape0 libxcb-xinerama0 libxcb-randr0 libxcb-render-util0 libdbus-1-3 libegl1 libgl1"
)
LONGEST_TIMER_MS = 2**31 - 1
"""24.8 days; a longer one overflows in Qt."""
END_SIGNALS = ("SIGINT", "SIGTERM", "SIGHUP")


def run_window(
    model: LiveModel,
    *,
    seconds: float | None = None,
    screenshot: Path | None = None,
    fullscreen: bool = False,
) -> int:
    """Show the model until the window is closed, or for `seconds`; returns 0.

    screenshot : PNG of the whole window, saved at the end of `seconds`. Where there is no
        display it is drawn by Qt's offscreen platform and EGL; the layout is the same.

    Raises MissingDependency where OpenGL or the X libraries of Qt are missing, RealtimeError
    where the screenshot cannot be written.
    """
    offscreen = _offscreen(screenshot is not None)
    application = _application()
    failures: list[RealtimeError] = []
    window = MainWindow(model, offscreen, persistent=screenshot is None and not offscreen)
    geometry = remember.remembered_place()[0] if screenshot is None else None
    if geometry is not None:
        window.restoreGeometry(geometry)
    if fullscreen:
        window.set_fullscreen(True)
    window.show()
    window.frames.start()

    def finish() -> None:
        try:
            if screenshot is not None:
                window.save_picture(screenshot)
        except RealtimeError as error:
            failures.append(error)
        finally:
            window.close()

    if seconds is not None:
        call_after(seconds, finish)
    with _closed_by_signals(window):
        application.exec()
    window.dispose()
    if failures:
        raise failures[0]
    return 0


def call_after(seconds: float, finish: Callable[[], object]) -> None:
    """Call `finish` from the event loop, however late that is."""
    until = time.perf_counter() + seconds

    def look() -> None:
        rest_ms = ceil((until - time.perf_counter()) * 1000)
        if rest_ms <= 0:
            finish()
        else:
            QTimer.singleShot(min(rest_ms, LONGEST_TIMER_MS), look)

    look()


def _offscreen(for_screenshot: bool) -> bool:
    """Prepare the process for its platform; True where nobody will see the window."""
    why_not = find_display(os.environ, sys.platform)
    chosen = os.environ.get("QT_QPA_PLATFORM", "")
    if chosen == "offscreen" or (why_not and for_screenshot):
        os.environ["QT_QPA_PLATFORM"] = "offscreen"
        os.environ["EGL_PLATFORM"] = "surfaceless"
        qInstallMessageHandler(_qt_says)
        return True
    if why_not:
        raise MissingDependency(f"no window can be opened: {why_not}; use --view terminal")
    if sys.platform.startswith("linux") and chosen in ("", "xcb"):
        _check_xcb()
    return False


def _qt_says(_kind: QtMsgType, _context: QMessageLogContext, text: str) -> None:
    """What Qt prints by itself; offscreen it regrets that nobody can resize the window."""
    if "propagateSizeHints" not in text:
        sys.stderr.write(f"{text}\n")


def _check_xcb() -> None:
    if os.environ.get("WAYLAND_DISPLAY") and not os.environ.get("QT_QPA_PLATFORM"):
        return
    for name in XCB_LIBRARIES:
        try:
            ctypes.CDLL(name)
        except OSError:
            raise MissingDependency(
                f"the window needs {name}, which is not installed: {INSTALL_XCB}; "
                "or use --view terminal"
            ) from None


def _application() -> QApplication:
    application = QApplication.instance()
    if not isinstance(application, QApplication):
        application = QApplication([remember.NAME])
        application.setApplicationDisplayName("realtime")
    theme.apply(application)
    return application


@contextmanager
def _closed_by_signals(window: MainWindow) -> Iterator[None]:
    """Ctrl-C and the like close the window as a click does."""

    def close(_number: int, _frame: FrameType | None) -> None:
        # Python runs this in the middle of any call from Qt, painting among them; close after it.
        QTimer.singleShot(0, window.close)

    numbers = [getattr(signal, name) for name in END_SIGNALS if hasattr(signal, name)]
    before = {number: signal.signal(number, close) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
