"""What `import realtime` offers, and what it must not drag in."""

from __future__ import annotations

import subprocess
import sys

import pytest

import realtime

HEAVY = ("scipy", "numpy", "sounddevice", "soundfile", "pydantic", "rich", "vispy", "PySide6")


def modules_after(code: str) -> set[str]:
    script = f"import sys; {code}; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    return set(result.stdout.split())


def test_the_public_names_are_these():
    assert sorted(realtime.__all__) == [
        "AudioRing",
        "Box",
        "Boxes",
        "Choice",
        "DeviceError",
        "Effect",
        "EngineError",
        "FrameFormat",
        "FrequencyScale",
        "Inverted",
        "LevelMeter",
        "MissingDependency",
        "Number",
        "Overrun",
        "OwnPicture",
        "PictureFormat",
        "Processor",
        "RealtimeError",
        "Rendered",
        "RequestError",
        "SCALES",
        "SettingsError",
        "Sound",
        "SourceError",
        "StreamingIstft",
        "StreamingStft",
        "Switch",
        "WINDOWS",
        "amplitude_to_db",
        "analyse",
        "asymmetric_windows",
        "column_db",
        "cqt",
        "drawn",
        "dual_window",
        "edited",
        "griffin_lim",
        "invert",
        "invert_bands",
        "istft",
        "kept_sound",
        "load",
        "melspectrogram",
        "note_hz",
        "note_name",
        "open_sound",
        "parse_effect",
        "pghi",
        "picture_format",
        "power_to_db",
        "read_picture",
        "register",
        "render",
        "stft",
        "window",
    ]


@pytest.mark.parametrize("name", realtime.__all__)
def test_each_public_name_is_there_and_listed(name: str):
    assert getattr(realtime, name) is not None
    assert name in dir(realtime)


def test_another_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'StreamingFft'"):
        realtime.StreamingFft  # noqa: B018


def test_import_realtime_imports_nothing_heavy():
    assert not modules_after("import realtime").intersection(HEAVY)


def test_the_core_needs_neither_portaudio_nor_gui_nor_scipy_signal():
    names = ", ".join(realtime.__all__)
    loaded = modules_after(f"from realtime import {names}")
    assert "scipy.fft" in loaded
    assert not loaded.intersection({"sounddevice", "soundfile", "vispy", "PySide6", "scipy.signal"})
