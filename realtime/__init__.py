"""Real-time spectrogram: microphone to picture, and back.

The names in `__all__` are the pure core. Each is imported when it is first used, so that
`import realtime` is quick and works without PortAudio, GUI or display.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from realtime.audio.ring import AudioRing
    from realtime.dsp.cqt import cqt
    from realtime.dsp.inversion import griffin_lim, invert_bands, pghi
    from realtime.dsp.levels import LevelMeter, column_db
    from realtime.dsp.processors.base import FrameFormat, Processor
    from realtime.dsp.processors.parameters import Box, Boxes, Choice, Number, Switch
    from realtime.dsp.processors.registry import Effect, parse_effect, register
    from realtime.dsp.scales import SCALES, FrequencyScale, note_hz, note_name
    from realtime.dsp.spectra import (
        amplitude_to_db,
        istft,
        melspectrogram,
        power_to_db,
        stft,
    )
    from realtime.dsp.stft import StreamingIstft, StreamingStft
    from realtime.dsp.windows import WINDOWS, asymmetric_windows, dual_window, window
    from realtime.errors import (
        DeviceError,
        EngineError,
        MissingDependency,
        Overrun,
        RealtimeError,
        RequestError,
        SettingsError,
        SourceError,
    )
    from realtime.picture.analysis import analyse
    from realtime.picture.drawn import drawn
    from realtime.picture.edited import edited
    from realtime.picture.format import PictureFormat, picture_format
    from realtime.picture.invert import Inverted, invert
    from realtime.picture.load import Sound, load, open_sound
    from realtime.picture.own import OwnPicture, kept_sound, read_picture
    from realtime.picture.render import Rendered, render

__version__ = "0.1.0"

DISTRIBUTION = "realtime-spectrogram"
"""The project's name on the package index, where another one installs a package `realtime` too:
`cli` looks for this to see that the files of the two do not lie mixed."""

_HOMES = {
    "AudioRing": "realtime.audio.ring",
    "LevelMeter": "realtime.dsp.levels",
    "column_db": "realtime.dsp.levels",
    "FrameFormat": "realtime.dsp.processors.base",
    "Processor": "realtime.dsp.processors.base",
    "Box": "realtime.dsp.processors.parameters",
    "Boxes": "realtime.dsp.processors.parameters",
    "Choice": "realtime.dsp.processors.parameters",
    "Number": "realtime.dsp.processors.parameters",
    "Switch": "realtime.dsp.processors.parameters",
    "Effect": "realtime.dsp.processors.registry",
    "parse_effect": "realtime.dsp.processors.registry",
    "register": "realtime.dsp.processors.registry",
    "SCALES": "realtime.dsp.scales",
    "FrequencyScale": "realtime.dsp.scales",
    "note_hz": "realtime.dsp.scales",
    "note_name": "realtime.dsp.scales",
    "amplitude_to_db": "realtime.dsp.spectra",
    "istft": "realtime.dsp.spectra",
    "melspectrogram": "realtime.dsp.spectra",
    "power_to_db": "realtime.dsp.spectra",
    "stft": "realtime.dsp.spectra",
    "cqt": "realtime.dsp.cqt",
    "griffin_lim": "realtime.dsp.inversion",
    "invert_bands": "realtime.dsp.inversion",
    "pghi": "realtime.dsp.inversion",
    "StreamingIstft": "realtime.dsp.stft",
    "StreamingStft": "realtime.dsp.stft",
    "WINDOWS": "realtime.dsp.windows",
    "asymmetric_windows": "realtime.dsp.windows",
    "dual_window": "realtime.dsp.windows",
    "window": "realtime.dsp.windows",
    "DeviceError": "realtime.errors",
    "EngineError": "realtime.errors",
    "MissingDependency": "realtime.errors",
    "Overrun": "realtime.errors",
    "RealtimeError": "realtime.errors",
    "RequestError": "realtime.errors",
    "SettingsError": "realtime.errors",
    "SourceError": "realtime.errors",
    "analyse": "realtime.picture.analysis",
    "drawn": "realtime.picture.drawn",
    "edited": "realtime.picture.edited",
    "Inverted": "realtime.picture.invert",
    "invert": "realtime.picture.invert",
    "open_sound": "realtime.picture.load",
    "load": "realtime.picture.load",
    "Sound": "realtime.picture.load",
    "OwnPicture": "realtime.picture.own",
    "kept_sound": "realtime.picture.own",
    "read_picture": "realtime.picture.own",
    "Rendered": "realtime.picture.render",
    "render": "realtime.picture.render",
    "picture_format": "realtime.picture.format",
    "PictureFormat": "realtime.picture.format",
}

# Spelled out, for type checkers and editors read this list and import nothing.
__all__ = [
    "SCALES",
    "WINDOWS",
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
    "SettingsError",
    "Sound",
    "SourceError",
    "StreamingIstft",
    "StreamingStft",
    "Switch",
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


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
