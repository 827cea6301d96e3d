"""`realtime doctor`: display, Qt's platform, OpenGL, terminal. Drivers are tried in a process
of their own (`realtime.view.probe`), since some end the process they fail in."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from realtime.commands.checks import GUI_EXTRA, MESA, Check, install_line
from realtime.commands.probe import PROBE_SECONDS, probe
from realtime.view.display import find_display

SOFTWARE = re.compile(r"llvmpipe|softpipe|swrast|software|SwiftShader|GDI Generic", re.IGNORECASE)
"""Renderers that draw on the processor."""
TRUE_COLOURS = 1 << 24


def checks() -> Iterator[Check]:
    why_not = find_display(os.environ, sys.platform)
    gui = all(find_spec(name) is not None for name in ("PySide6", "vispy"))
    if gui:
        if why_not:
            text = f"{why_not}: 'realtime live' shows itself in the terminal"
            yield Check("display", "note", text)
            yield opengl("offscreen")
        else:
            yield opengl("window")
    yield terminal()


def opengl(where: str) -> Check:
    """Makes an OpenGL context as the window does, or without a display."""
    name = "window" if where == "window" else "OpenGL"
    missing = missing_libraries() if sys.platform.startswith("linux") else []
    try:
        done = probe("realtime.view.probe", where)
    except subprocess.TimeoutExpired:
        text = f"the driver did not answer within {PROBE_SECONDS:g} s: --view terminal works"
        return Check(name, "note", text, install_line([], MESA))
    if done.returncode == 0:
        found = json.loads(done.stdout.splitlines()[-1])
        soft = ", drawn in software" if SOFTWARE.search(found["renderer"]) else ""
        platform, version = found["platform"], found["version"]
        return Check(name, "ok", f"{found['renderer']}{soft}; OpenGL {version}; Qt on {platform}")
    return Check(name, "note", *failure(done.stderr, missing))


def failure(complaint: str, missing: list[str]) -> tuple[str, str]:
    """What to tell people of a probe that failed: sentence, and the line that mends it."""
    lines = [line.strip() for line in complaint.splitlines() if line.strip()]
    lost = re.findall(r"(lib[\w.+-]+\.so(?:\.\d+)*): cannot open shared object", complaint)
    libraries = sorted({*missing, *lost})
    if libraries:
        return f"{', '.join(libraries)} not found: no window", install_line(libraries)
    if "ModuleNotFoundError" in complaint:
        return f"{lines[-1]}: no window", GUI_EXTRA
    why = lines[-1] if lines else "it ended without a word"
    return f"no OpenGL ({why}): no window", install_line(["libGL.so.1", "libEGL.so.1"], MESA)


def missing_libraries() -> list[str]:
    """System libraries that Qt's own files ask for and that are not there (by ldd)."""
    place = find_spec("PySide6")
    if place is None or not place.submodule_search_locations or shutil.which("ldd") is None:
        return []
    folder = Path(place.submodule_search_locations[0])
    files = [
        *folder.glob("QtGui.abi3.so"), *folder.glob("QtOpenGLWidgets.abi3.so"),
        *folder.glob("Qt/plugins/platforms/libqxcb.so"),
    ]  # fmt: skip
    if not files:
        return []
    listing = subprocess.run(
        ["ldd", *map(str, files)], capture_output=True, text=True, stdin=subprocess.DEVNULL
    )
    return sorted(set(re.findall(r"(\S+) => not found", listing.stdout)))


def terminal() -> Check:
    """What the terminal view can draw with."""
    from realtime.view.tty import open_terminal

    if not sys.stdout.isatty():
        return Check("terminal", "note", "standard output is no terminal: live prints numbers")
    colours = open_terminal().number_of_colors
    if colours >= TRUE_COLOURS:
        return Check("terminal", "ok", "24-bit colours")
    fix = "export COLORTERM=truecolor, if the terminal can show them (most can)"
    if colours >= 256:
        return Check("terminal", "note", "256 colours of the 16 million", fix)
    return Check("terminal", "note", f"{colours} colours: the waterfall is drawn in signs", fix)
