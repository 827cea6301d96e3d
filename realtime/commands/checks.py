"""What a check of `realtime doctor` finds, and how to install what it misses."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "missing"]


@dataclass(frozen=True)
class Check:
    """state : "missing" means that `realtime live` cannot do its work; "note" that it does with
    less. text : what was found. fix : the next step, an exact line where there is one."""

    name: str
    state: State
    text: str
    fix: str = ""


GUI_EXTRA = "pip install 'realtime-spectrogram[gui]'"

PACKAGES = {
    "libportaudio.so.2": "libportaudio2",
    "libasound_module_pcm_pulse.so": "libasound2-plugins",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libglib-2.0.so.0": "libglib2.0-0",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libdbus-1.so.3": "libdbus-1-3",
    "libfontconfig.so.1": "libfontconfig1",
    "libfreetype.so.6": "libfreetype6",
    "libxkbcommon.so.0": "libxkbcommon0",
    "libxkbcommon-x11.so.0": "libxkbcommon-x11-0",
    "libX11-xcb.so.1": "libx11-xcb1",
    "libxcb-cursor.so.0": "libxcb-cursor0",
    "libxcb-icccm.so.4": "libxcb-icccm4",
    "libxcb-image.so.0": "libxcb-image0",
    "libxcb-keysyms.so.1": "libxcb-keysyms1",
    "libxcb-randr.so.0": "libxcb-randr0",
    "libxcb-render-util.so.0": "libxcb-render-util0",
    "libxcb-shape.so.0": "libxcb-shape0",
    "libxcb-xinerama.so.0": "libxcb-xinerama0",
    "libxcb-xkb.so.1": "libxcb-xkb1",
    "libwayland-client.so.0": "libwayland-client0",
    "libwayland-cursor.so.0": "libwayland-cursor0",
    "libwayland-egl.so.1": "libwayland-egl1",
}
"""Debian's package for each library that PortAudio, OpenGL or Qt loads from the system."""

MESA = "libegl-mesa0 libgl1-mesa-dri"
"""Debian's OpenGL drivers, software ones included."""


def install_line(libraries: Iterable[str], more: str = "") -> str:
    """The line that installs system libraries here."""
    names = sorted(set(libraries))
    if sys.platform.startswith("linux") and shutil.which("apt"):
        packages = sorted({PACKAGES.get(name, name) for name in names})
        return f"sudo apt install {' '.join([*packages, *more.split()])}"
    if sys.platform.startswith("linux"):
        wanted = names or more.split()
        return f"install what provides {', '.join(wanted)} with this system's package manager"
    return "pip install --force-reinstall 'realtime-spectrogram[gui]', whose wheels carry them"
