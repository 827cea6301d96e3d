"""Is there a display for a window? Looks without Qt, which aborts where there is none."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping

TIMEOUT_SECONDS = 1.0
X_PORT = 6000
"""TCP port of display 0 (X11 over a network, as `ssh -X` makes it)."""


def find_display(environment: Mapping[str, str], platform: str) -> str:
    """Why no window can be opened, or empty text where one can.

    On Linux and the like the server that $WAYLAND_DISPLAY or $DISPLAY names is knocked at: these
    variables often outlive it, in tmux or after `ssh -X`.
    """
    if platform in ("win32", "darwin"):
        return ""
    wayland, x11 = environment.get("WAYLAND_DISPLAY"), environment.get("DISPLAY")
    if not wayland and not x11:
        return "neither $DISPLAY nor $WAYLAND_DISPLAY is set"
    if wayland and answers(f"{environment.get('XDG_RUNTIME_DIR', '')}/{wayland}", wayland):
        return ""
    if not x11:
        return f"nothing answers at $WAYLAND_DISPLAY = {wayland!r}"
    place = re.fullmatch(r"(?:unix|(.*?)):(\d+)(?:\.\d+)?", x11)
    if place is None:
        return f"$DISPLAY = {x11!r} is no display"
    host, number = place[1], int(place[2])
    path = f"/tmp/.X11-unix/X{number}"
    found = _answers_tcp(host, X_PORT + number) if host else answers(path, f"\0{path}")
    return "" if found else f"nothing answers at $DISPLAY = {x11!r}"


def answers(*paths: str) -> bool:
    """Whether anyone is at one of these Unix sockets; a leading NUL means the abstract ones."""
    return any(_connects(socket.AF_UNIX, path) for path in paths)


def _answers_tcp(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), TIMEOUT_SECONDS):
            return True
    except OSError:
        return False


def _connects(family: int, address: str) -> bool:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as door:
            door.settimeout(TIMEOUT_SECONDS)
            door.connect(address)
            return True
    except (OSError, ValueError):
        return False
