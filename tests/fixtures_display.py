"""An X server with OpenGL in software, and Qt on it, for the tests of the window."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from children import end, start

if TYPE_CHECKING:
    from PySide6.QtWidgets import QApplication

SCREEN = "2000x1200x24"


@pytest.fixture(scope="session")
def x_server() -> Iterator[str]:
    """The name of a display that nobody else uses, as in ":3"."""
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", SCREEN, "+extension", "GLX",
               "-nolisten", "tcp"]  # fmt: skip
    server = start(command, os.environ, stdout=subprocess.PIPE)
    try:
        assert server.stdout is not None
        number = server.stdout.readline().decode().strip()
        assert number, "Xvfb did not start"
        yield f":{number}"
    finally:
        end(server)


@pytest.fixture(scope="session")
def application(x_server: str) -> QApplication:
    """The one QApplication of the test process, on that display."""
    from PySide6.QtWidgets import QApplication

    from realtime.view import theme

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DISPLAY", x_server)
        patch.setenv("QT_QPA_PLATFORM", "xcb")
        made = QApplication.instance() or QApplication(["tests"])
    assert isinstance(made, QApplication)
    theme.apply(made)
    return made


@pytest.fixture
def on_display(x_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """This test and the programs it starts see the display."""
    monkeypatch.setenv("DISPLAY", x_server)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("QT_QPA_PLATFORM", raising=False)
