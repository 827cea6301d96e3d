"""Where layers of settings come from: shipped presets, TOML files, `--set` texts.

Each reader gives `{"section.key": value}` and adds what is wrong to `faults`; which keys exist
and which values they take is the business of `config`.
"""

from __future__ import annotations

import datetime
import re
import stat
import tomllib
from collections.abc import Collection, Iterable
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from realtime.errors import SettingsError
from realtime.wording import unknown

EFFECT = "effect"
"""The one key that is no `section.key`: a list of texts as after `--effect`, of tables, or of
`Effect`s."""
LARGEST_FILE = 1 << 20
"""Bytes; a thousand times the longest preset. More than that is another kind of file."""


def preset_names() -> list[str]:
    """Names for `--preset`, default first."""
    names = (Path(entry.name) for entry in _folder().iterdir() if entry.is_file())
    return sorted((n.stem for n in names if n.suffix == ".toml"), key=lambda n: (n != "default", n))


def read_preset(name: str, faults: list[str]) -> dict[str, Any]:
    names = preset_names()
    if name not in names:
        faults.append(unknown("preset", name, names))
        return {}
    return _flat(tomllib.loads((_folder() / f"{name}.toml").read_text(encoding="utf-8")))


def read_file(path: Path, faults: list[str]) -> dict[str, Any]:
    """The settings in a TOML file of people's own. Never hangs on a pipe, never reads a flood."""
    name = f"settings file {str(path)!r}"
    try:
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            raise SettingsError([f"{name} is a folder; name a .toml file in it"])
        if not stat.S_ISREG(info.st_mode):
            raise SettingsError([f"{name} is not a regular file; save the settings to a file"])
        if info.st_size > LARGEST_FILE:
            size = f"{info.st_size / 1e6:.0f} MB"
            raise SettingsError([f"{name} has {size}, at most 1 MB is read; is it the right file?"])
        return _flat(tomllib.loads(path.read_bytes()[:LARGEST_FILE].decode("utf-8-sig")))
    except SettingsError as error:
        faults += error.faults
    except FileNotFoundError:
        faults.append(f"{name} does not exist; check the path or leave --config out")
    except UnicodeDecodeError as error:
        faults.append(f"{name} is not UTF-8 text (byte {error.start}); save it as UTF-8")
    except RecursionError:
        faults.append(f"{name} is nested too deeply; it has sections and keys, nothing below")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        faults.append(f"{name} cannot be read ({reason}); check its name and permissions")
    except ValueError as error:  # TOMLDecodeError, and numbers too long for int()
        faults.append(_syntax_fault(name, str(error)))
    return {}


def parse_sets(texts: Iterable[str], known: Collection[str], faults: list[str]) -> dict[str, Any]:
    """`stft.n_fft=8192`: the value is TOML (numbers, true, "text"), else plain text."""
    layer: dict[str, Any] = {}
    for text in texts:
        key, equals, value = (part.strip() for part in text.partition("="))
        if not equals or not key:
            example = f"{key}=..." if key in known else "stft.n_fft=4096"
            faults.append(f"--set {text!r} must be section.key=value (try {example})")
            continue
        layer[key] = _value(value)
    return layer


def _value(text: str) -> Any:
    try:
        parsed = tomllib.loads(f"value = {text}")
    except (ValueError, RecursionError):
        return text
    value = parsed["value"] if len(parsed) == 1 else text
    return text if isinstance(value, datetime.date | datetime.time) else value


def _flat(tables: dict[str, Any]) -> dict[str, Any]:
    layer: dict[str, Any] = {}
    for section, table in tables.items():
        if isinstance(table, dict) and section != EFFECT:
            layer |= {f"{section}.{key}": value for key, value in table.items()}
        else:
            layer[section] = table
    return layer


def _syntax_fault(name: str, message: str) -> str:
    place = re.search(r"\(at line (\d+), column (\d+)\)", message)
    what = re.sub(r"\s*\(at .*\)$", "", message.splitlines()[0])
    what = what[:1].lower() + what[1:].rstrip(".")
    where = f" line {place[1]}, column {place[2]}" if place else ""
    return f"{name}{where} is not TOML: {what}; write key = value, text in quotes"


def _folder() -> Traversable:
    """`realtime/configs` in an installed wheel, `configs` beside the package in a checkout."""
    shipped = resources.files("realtime") / "configs"
    return shipped if shipped.is_dir() else Path(__file__).parent.parent / "configs"
