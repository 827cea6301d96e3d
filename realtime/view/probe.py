"""Tries the screen in a process of its own, since Qt and drivers end the process they fail in.

    python -m realtime.view.probe window       a window's OpenGL context, on the display there is
    python -m realtime.view.probe offscreen    the same without a display, through EGL

Prints one JSON object: platform, renderer, version.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def probe_window() -> dict[str, str]:
    from PySide6.QtGui import QGuiApplication, QOffscreenSurface, QOpenGLContext

    application = QGuiApplication(["realtime"])
    context, surface = QOpenGLContext(), QOffscreenSurface()
    surface.create()
    if not context.create() or not context.makeCurrent(surface):
        raise RuntimeError("no OpenGL context can be made")
    functions = context.functions()
    vendor, renderer, version = 0x1F00, 0x1F01, 0x1F02  # GL_VENDOR, GL_RENDERER, GL_VERSION
    return {
        "platform": application.platformName(),
        "vendor": str(functions.glGetString(vendor)),
        "renderer": str(functions.glGetString(renderer)),
        "version": str(functions.glGetString(version)),
    }


def probe_offscreen() -> dict[str, str]:
    os.environ["EGL_PLATFORM"] = "surfaceless"
    from vispy import app, gloo

    canvas = app.Canvas(app="egl", size=(16, 16), show=False)
    canvas.set_current()
    names = {"vendor": "GL_VENDOR", "renderer": "GL_RENDERER", "version": "GL_VERSION"}
    gl: Any = gloo.gl
    found = {key: str(gl.glGetParameter(getattr(gl, name))) for key, name in names.items()}
    return {"platform": "egl", **found}


def main() -> None:
    found = probe_window() if sys.argv[1:] == ["window"] else probe_offscreen()
    sys.stdout.write(json.dumps(found) + "\n")
    sys.stdout.flush()
    os._exit(0)  # drivers have been seen to crash at exit; all that was asked is known


if __name__ == "__main__":
    main()
