"""Which sound devices there are, and which of them a few words mean.

`list_devices` asks PortAudio; `find_input` and `find_output` are pure functions on its answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from realtime.errors import DeviceError
from realtime.wording import shown

COMMON_RATES = (8000, 16000, 22050, 32000, 44100, 48000, 88200, 96000, 176400, 192000)
"""Hz, the rates that are tried on a device: PortAudio can answer only yes or no to one of them."""

NO_INPUTS = (
    "no microphone was found: plug one in, look whether the sound server runs, or listen to "
    "'demo', 'tone:440' or an audio file"
)

NO_OUTPUTS = (
    "no playback device was found: plug one in, look whether the sound server runs, or use "
    "'realtime live', which plays nothing"
)


@dataclass(frozen=True)
class Device:
    id: int
    """PortAudio's number; another device may have it after something was plugged in."""
    name: str
    host_api: str
    """Through which system PortAudio reaches it: ALSA, JACK, Core Audio, Windows WASAPI, ..."""
    inputs: int
    outputs: int
    default_sample_rate: float
    """Hz, as the device says, which is not always what it runs at."""
    rates: tuple[int, ...] = ()
    """Of COMMON_RATES those that it accepts; empty when they were not tried."""
    is_default_input: bool = False
    is_default_output: bool = False

    @property
    def full_name(self) -> str:
        return f"{self.name}, {self.host_api}"


def list_devices(probe_rates: bool = True) -> list[Device]:
    """All devices in PortAudio's order.

    probe_rates : also try COMMON_RATES on each; opens every device ten times, which takes seconds
        on some systems

    Raises `MissingDependency` where the PortAudio library is not installed.
    """
    from realtime.audio.portaudio import portaudio, quiet_stderr

    sounddevice = portaudio()
    with quiet_stderr():
        host_apis = [api["name"] for api in sounddevice.query_hostapis()]
        default_input, default_output = _defaults(sounddevice)
        return [
            Device(
                id=about["index"],
                name=about["name"],
                host_api=host_apis[about["hostapi"]],
                inputs=about["max_input_channels"],
                outputs=about["max_output_channels"],
                default_sample_rate=about["default_samplerate"],
                rates=_accepted_rates(sounddevice, about) if probe_rates else (),
                is_default_input=about["index"] == default_input,
                is_default_output=about["index"] == default_output,
            )
            for about in sounddevice.query_devices()
        ]


def _defaults(sounddevice: Any) -> tuple[int, int]:
    """Ids of the default devices, -1 where there is none."""
    ids = []
    for direction in ("input", "output"):
        try:
            ids.append(sounddevice.query_devices(kind=direction)["index"])
        except (sounddevice.PortAudioError, ValueError):
            ids.append(-1)
    return ids[0], ids[1]


def _accepted_rates(sounddevice: Any, about: Any) -> tuple[int, ...]:
    if about["max_input_channels"]:
        check, channels = sounddevice.check_input_settings, about["max_input_channels"]
    else:
        check, channels = sounddevice.check_output_settings, about["max_output_channels"]
    accepted = []
    for rate in COMMON_RATES:
        try:
            check(about["index"], min(channels, 2), "float32", None, rate)
            accepted.append(rate)
        except sounddevice.PortAudioError:
            continue
    return tuple(accepted)


@dataclass(frozen=True)
class _Way:
    """One of the two directions, with its words."""

    noun: str
    only: str
    example: str
    none: str

    def channels(self, device: Device) -> int:
        return device.inputs if self is _CAPTURE else device.outputs

    def is_default(self, device: Device) -> bool:
        return device.is_default_input if self is _CAPTURE else device.is_default_output


_CAPTURE = _Way("microphone", "can only play, not record", "mic:", NO_INPUTS)
_PLAYBACK = _Way("playback device", "can only record, not play", "--output ", NO_OUTPUTS)


def find_input(argument: str, devices: Sequence[Device]) -> Device:
    """The capture device that `argument` means.

    A number is an id; otherwise it is part of a name, in any case, an exact name before all
    others; "NAME, HOST API" tells apart what two systems offer. Empty means the default device.
    Raises `DeviceError` naming the candidates where there are several, the inputs where none fits.
    """
    return _find(argument, devices, _CAPTURE)


def find_microphone(argument: str) -> Device:
    """`find_input` among the devices there are. Raises `DeviceError`, `MissingDependency`."""
    return find_input(argument, list_devices(probe_rates=False))


def find_speaker(argument: str) -> Device:
    """`find_output` among the devices there are. Raises `DeviceError`, `MissingDependency`."""
    return find_output(argument, list_devices(probe_rates=False))


def find_output(argument: str, devices: Sequence[Device]) -> Device:
    """The playback device that `argument` means, by the same rules."""
    return _find(argument, devices, _PLAYBACK)


def _find(argument: str, devices: Sequence[Device], way: _Way) -> Device:
    able = [device for device in devices if way.channels(device) > 0]
    if not able:
        raise DeviceError(way.none)
    argument = argument.strip()
    if not argument:
        return next((device for device in able if way.is_default(device)), able[0])
    if argument.isdecimal():
        return _by_id(argument, able, devices, way)
    wanted = argument.casefold()
    exact = [d for d in able if wanted in (d.name.casefold(), d.full_name.casefold())]
    candidates = exact or [d for d in able if wanted in d.full_name.casefold()]
    if len(candidates) == 1:
        return candidates[0]
    if candidates:
        raise DeviceError(
            f"{way.noun} {shown(argument)} could be {_listed(candidates)}: give more of the name, "
            f"or the number, as in {way.example}{candidates[0].id}"
        )
    if any(wanted in device.full_name.casefold() for device in devices):
        raise DeviceError(f"{shown(argument)} {way.only}: take {_listed(able)}")
    raise DeviceError(f"there is no {way.noun} {shown(argument)}: take {_listed(able)}")


def _by_id(number: str, able: list[Device], devices: Sequence[Device], way: _Way) -> Device:
    for device in able:
        if str(device.id) == number:
            return device
    for device in devices:
        if str(device.id) == number:
            raise DeviceError(f"device {number} ('{device.name}') {way.only}: take {_listed(able)}")
    raise DeviceError(f"there is no device {shown(number)}: take {_listed(able)}")


def _listed(devices: Iterable[Device]) -> str:
    words = [f"{device.id} ({device.full_name})" for device in devices]
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
