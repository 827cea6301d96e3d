"""`realtime doctor`: Python, the libraries of the package, and namesakes of it."""

from __future__ import annotations

import importlib
import importlib.metadata
import platform
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path

import realtime
from realtime import DISTRIBUTION
from realtime.commands.checks import GUI_EXTRA, Check

FALLBACK = (
    "numpy", "scipy", "sounddevice", "soundfile", "samplerate", "soxr",
    "pydantic", "rich", "blessed", "cmap", "pillow", "filelock",
)  # fmt: skip
"""What the base needs where no metadata says so: a checkout that is not installed."""

MODULES = {"pillow": "PIL"}
"""Names to import of distributions that are called otherwise."""


def checks() -> Iterator[Check]:
    version = platform.python_version()
    yield Check("Python", "ok", f"{version} ({sys.platform}), realtime {realtime.__version__}")
    yield libraries()
    yield window_libraries()
    yield namesakes(importlib.metadata.packages_distributions(), Path(realtime.__file__).parent)


def libraries() -> Check:
    """Whether each library of the base can be imported, not only whether it is there."""
    found, broken = _imported(_required(gui=False))
    if broken:
        names = " ".join(name for name, _ in broken)
        why = "; ".join(f"{name}: {error}" for name, error in broken)
        return Check("libraries", "missing", why, f"pip install --force-reinstall {names}")
    return Check("libraries", "ok", ", ".join(found))


def window_libraries() -> Check:
    missing = [name for name in _required(gui=True) if not _version(name)]
    if missing:
        text = f"{' and '.join(missing)} not installed: no window, the terminal works without"
        return Check("window libraries", "note", text, GUI_EXTRA)
    found = ", ".join(f"{name} {_version(name)}" for name in _required(gui=True))
    if lost_reference(_version("PySide6-Essentials"), sys.version_info):
        text = f"{found}: this pair ends the program after a minute (references to None are lost)"
        return Check("window libraries", "missing", text, "pip install 'PySide6-Essentials<6.12'")
    return Check("window libraries", "ok", found)


def lost_reference(version: str, python: Sequence[object]) -> bool:
    """6.12.0 on Python 3.11 loses a reference to None in every call that returns nothing."""
    return version == "6.12.0" and tuple(python[:2]) == (3, 11)


def namesakes(owners: Mapping[str, Sequence[str]], folder: Path) -> Check:
    """Another project on the package index installs a package `realtime` as well.

    owners : top-level package -> distributions that install it.
    """
    others = sorted({name for name in owners.get("realtime", ()) if name != DISTRIBUTION})
    if not others:
        return Check("name", "ok", f"'realtime' is only this package ({folder})")
    text = f"'{others[0]}' installs a package named 'realtime' too: one of them hides the other"
    fix = f"pip uninstall {others[0]}; pip install --force-reinstall {DISTRIBUTION}"
    return Check("name", "missing", text, fix)


def _required(gui: bool) -> list[str]:
    """Distributions the package asks for on this Python, in its own order."""
    try:
        lines = importlib.metadata.requires(DISTRIBUTION) or []
    except importlib.metadata.PackageNotFoundError:
        return ["vispy", "PySide6-Essentials"] if gui else list(FALLBACK)
    extra = re.compile(r"extra\s*==\s*['\"](\w+)['\"]")
    wanted = "gui" if gui else None
    names = []
    for line in lines:
        match = extra.search(line)
        if (match[1] if match else None) == wanted:
            names.append(re.match(r"[\w.-]+", line)[0])  # type: ignore[index]
    return list(dict.fromkeys(names))


def _imported(names: Sequence[str]) -> tuple[list[str], list[tuple[str, str]]]:
    found, broken = [], []
    for name in names:
        try:
            if name == "sounddevice":  # it starts PortAudio, which has a check of its own
                if find_spec(name) is None:
                    raise ImportError(f"No module named {name!r}")
            else:
                importlib.import_module(MODULES.get(name, name))
        except (ImportError, OSError) as error:
            broken.append((name, str(error).splitlines()[0]))
        else:
            found.append(f"{name} {_version(name)}")
    return found, broken


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
