"""What the window remembers from one run to the next: its place, and the settings one changed."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QByteArray, QSettings

from realtime.config import FIELDS, Settings, change, values_of
from realtime.errors import SettingsError
from realtime.presets import parse_sets

NAME = "realtime-spectrogram"
AUTO = "auto"
"""How None is written: the program decides."""


def store() -> QSettings:
    """The file it is kept in (`~/.config/realtime-spectrogram/` on Linux)."""
    return QSettings(QSettings.Format.IniFormat, QSettings.Scope.UserScope, NAME, NAME)


def remembered_settings() -> dict[str, str]:
    """Settings keys and values as for `--set`; nothing that this version would refuse."""
    kept = store()
    kept.beginGroup("settings")
    texts = {key: str(kept.value(key)) for key in kept.childKeys() if key in FIELDS}
    faults: list[str] = []
    values = parse_sets([f"{key}={text}" for key, text in texts.items()], FIELDS, faults)
    try:
        change(Settings(), values)
    except SettingsError as error:
        faults += error.faults
    return {} if faults else texts


def remember_settings(settings: Settings, keys: Iterable[str]) -> None:
    """Keep the values that these keys have now. A run that starts muted, or loud, or into
    another device would surprise: nothing of the monitor is kept."""
    kept = store()
    kept.beginGroup("settings")
    values = values_of(settings)
    for key in keys:
        if key in FIELDS and not key.startswith(("audio.", "monitor.", "record.")):
            kept.setValue(key, AUTO if values[key] is None else str(values[key]))
    kept.endGroup()
    kept.sync()


def remember_place(geometry: QByteArray, side_panel: bool) -> None:
    kept = store()
    kept.setValue("window/geometry", geometry)
    kept.setValue("window/side_panel", side_panel)
    kept.sync()


def remembered_place() -> tuple[QByteArray | None, bool]:
    """Geometry for `QWidget.restoreGeometry`, and whether the side panel was open."""
    kept = store()
    geometry = kept.value("window/geometry")
    side_panel = kept.value("window/side_panel", True, bool)
    return (geometry if isinstance(geometry, QByteArray) else None), bool(side_panel)
