"""The one door to PortAudio: nothing else in the package imports sounddevice.

The callback copies and counts: it hands the block to `deliver` and returns. No exception leaves
it, it prints nothing, and it waits for nobody.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime.config import AudioSettings
from realtime.errors import DeviceError, EngineError, MissingDependency

if TYPE_CHECKING:
    from realtime.audio.devices import Device
    from realtime.audio.sources import Deliver, OnEnd

Fill = Callable[[np.ndarray], None]
"""fill(out): writes all of out, float32 (n_samples, n_channels), full scale ±1."""

USUAL_RATE = 48000
"""Hz, asked for where the user names none: the rate devices and servers run at today. What a
device calls its default is not to be trusted (a 48000 Hz server was seen to say 44100)."""

LONGEST_BLOCK = 16384
"""Samples in one callback, whatever a server makes of the block that was asked for."""

MOST_TOLD_SECONDS = 5.0
"""A latency that a device tells beyond this is no latency."""


def portaudio() -> Any:
    """The sounddevice module, PortAudio initialised, its libraries kept from writing to stderr.

    Raises `MissingDependency` where the PortAudio library is not installed, `EngineError` where it
    does not start.
    """
    with quiet_stderr():
        try:
            import sounddevice
        except OSError as fault:
            raise MissingDependency(missing_portaudio(sys.platform)) from fault
        except ImportError as fault:
            raise MissingDependency(
                "the Python package sounddevice is missing: install it with "
                "'pip install sounddevice'"
            ) from fault
        except Exception as fault:  # its PortAudioError, which cannot be named before it is there
            raise EngineError(
                f"PortAudio does not start ({_reason(fault)}): is ~/.asoundrc, or another sound "
                "configuration, faulty? 'realtime doctor' looks for the cause"
            ) from fault
    return sounddevice


def missing_portaudio(platform: str) -> str:
    if platform.startswith("linux"):
        how = "'sudo apt install libportaudio2' (Fedora: 'sudo dnf install portaudio')"
    else:
        how = "'pip install --force-reinstall sounddevice', whose wheel carries it"
    return f"the PortAudio library is missing, no sound device can be used: install it with {how}"


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Sends file descriptor 2 to nowhere for a moment: ALSA and JACK report there at length."""
    sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)


class MicSource:
    """A capture device. `argument`: part of a name, an id, or empty for the default device.

    With `play_on` it is one stream with a playback device that runs on the same clock: `fill` is
    called right after `deliver`, in the same callback.

    Raises `DeviceError` where there is no such device or it cannot do what is asked.
    """

    def __init__(self, argument: str, audio: AudioSettings, play_on: Device | None = None):
        sounddevice = portaudio()
        device = find_microphone(argument)
        self.name = device.name
        self.n_channels = audio.channels or min(device.inputs, 1)
        if self.n_channels > device.inputs:
            raise DeviceError(
                f"audio.channels = {self.n_channels} is more than the {device.inputs} that "
                f"'{device.name}' has: ask for at most {device.inputs}"
            )
        self.device = device
        self._block = audio.block
        self.sample_rate = self._rate(sounddevice, audio.sample_rate, device.default_sample_rate)
        self._play_on = play_on
        self._stream: Any = None

    def _rate(self, sounddevice: Any, asked: int | None, default: float) -> int:
        tries = [asked] if asked else [USUAL_RATE, int(default)]
        for rate in tries:
            if _takes(sounddevice.check_input_settings, self.device, self.n_channels, rate):
                return rate
        raise DeviceError(
            f"'{self.name}' cannot capture {self.n_channels} channels at {tries[-1]} Hz: "
            "'realtime devices' shows the rates it offers; leave audio.sample_rate out to take "
            "what it prefers"
        )

    @property
    def active(self) -> bool:
        return self._stream is not None and self._stream.active

    @property
    def latency_seconds(self) -> float:
        """What the devices say of themselves; see `told_latency`."""
        return told_latency(self._stream)

    def start(self, deliver: Deliver, on_end: OnEnd, fill: Fill | None = None) -> None:
        """`fill` only, and always, with `play_on`."""
        sounddevice = portaudio()

        def callback(block: np.ndarray, n_samples: int, times: Any, flags: Any) -> None:
            deliver(block, bool(flags.input_overflow))

        def duplex(
            block: np.ndarray, out: np.ndarray, n_samples: int, times: Any, flags: Any
        ) -> None:
            deliver(block, bool(flags.input_overflow))
            fill_all(out)

        def finished() -> None:
            if self._stream is not None:
                on_end(f"'{self.name}' stopped: is it unplugged, or the sound server gone?")

        options = {
            "samplerate": self.sample_rate,
            "blocksize": self._block,
            "dtype": "float32",
            "latency": "low",
            "finished_callback": finished,
        }
        try:
            with quiet_stderr():
                if self._play_on is None:
                    self._stream = sounddevice.InputStream(
                        device=self.device.id,
                        channels=self.n_channels,
                        callback=callback,
                        **options,
                    )
                else:
                    assert fill is not None
                    outputs = played_channels(self.n_channels, self._play_on.outputs)
                    fill_all = spread(fill, self.n_channels, outputs, self._block)
                    self._stream = sounddevice.Stream(
                        device=(self.device.id, self._play_on.id),
                        channels=(self.n_channels, outputs),
                        callback=duplex,
                        **options,
                    )
                self._stream.start()
        except sounddevice.PortAudioError as fault:
            self.stop()
            raise DeviceError(
                f"'{self.name}' could not be opened ({_reason(fault)}): is another program "
                "holding it? 'realtime devices' shows the others"
            ) from fault

    def stop(self) -> None:
        """Stop and close; safe twice and from any state."""
        stream, self._stream = self._stream, None
        close(stream)


class Speaker:
    """A playback device on a clock of its own.

    Takes the rate `sample_rate` where it can, otherwise what it prefers: see `sample_rate`.
    Raises `DeviceError` where there is no such device, or it cannot be used.
    """

    def __init__(self, device: Device, sample_rate: int, n_channels: int, block: int):
        sounddevice = portaudio()
        self.name, self.device = device.name, device
        self._n_channels, self._block = n_channels, block
        self._outputs = played_channels(n_channels, device.outputs)
        for rate in (sample_rate, USUAL_RATE, int(device.default_sample_rate)):
            if _takes(sounddevice.check_output_settings, device, self._outputs, rate):
                self.sample_rate = rate
                break
        else:
            raise DeviceError(
                f"'{device.name}' cannot play {self._outputs} channels at {sample_rate} Hz: "
                "'realtime devices' shows the rates it offers; choose another with --output"
            )
        self._stream: Any = None

    @property
    def active(self) -> bool:
        return self._stream is not None and self._stream.active

    @property
    def latency_seconds(self) -> float:
        return told_latency(self._stream)

    def start(self, fill: Fill, on_end: OnEnd) -> None:
        """Call `fill` for each block, from the device's own thread."""
        sounddevice = portaudio()
        fill_all = spread(fill, self._n_channels, self._outputs, self._block)

        def callback(out: np.ndarray, n_samples: int, times: Any, flags: Any) -> None:
            fill_all(out)

        def finished() -> None:
            if self._stream is not None:
                on_end(f"'{self.name}' stopped: is it unplugged, or the sound server gone?")

        try:
            with quiet_stderr():
                self._stream = sounddevice.OutputStream(
                    samplerate=self.sample_rate,
                    blocksize=self._block,
                    device=self.device.id,
                    channels=self._outputs,
                    dtype="float32",
                    latency="low",
                    callback=callback,
                    finished_callback=finished,
                )
                self._stream.start()
        except sounddevice.PortAudioError as fault:
            self.stop()
            raise DeviceError(
                f"'{self.name}' could not be opened for playing ({_reason(fault)}): is another "
                "program holding it? 'realtime devices' shows the others"
            ) from fault

    def stop(self) -> None:
        """Stop and close; safe twice and from any state."""
        stream, self._stream = self._stream, None
        close(stream)


def find_microphone(argument: str) -> Device:
    """The capture device that `argument` means. Raises `DeviceError`, `MissingDependency`."""
    from realtime.audio.devices import find_input, list_devices

    return find_input(argument, list_devices(probe_rates=False))


def find_speaker(argument: str) -> Device:
    """The playback device that `argument` means. Raises `DeviceError`, `MissingDependency`."""
    from realtime.audio.devices import find_output, list_devices

    return find_output(argument, list_devices(probe_rates=False))


def share_clock(capture: Device, playback: Device) -> bool:
    """Whether two devices surely run on one clock, so that one stream can serve both.

    JACK has one clock for all. A sound card has one for both its directions, but what PortAudio
    sees of a sound server is a name behind which any two devices may stand.
    """
    if capture.host_api != playback.host_api:
        return False
    if "JACK" in capture.host_api:
        return True
    card = re.search(r"\(hw:(\d+),", capture.name), re.search(r"\(hw:(\d+),", playback.name)
    if capture.host_api == "ALSA":
        return all(card) and card[0][1] == card[1][1]  # type: ignore[index]
    return capture.id == playback.id and capture.host_api in ("Core Audio", "ASIO")


def played_channels(n_channels: int, outputs: int) -> int:
    """Mono goes to both ears; more channels than the device has are left out."""
    return min(max(n_channels, 2), outputs)


def spread(fill: Fill, n_channels: int, outputs: int, block: int) -> Fill:
    """`fill`, which knows `n_channels`, for blocks of `outputs` channels."""
    if n_channels == outputs:
        return fill
    room = np.empty((max(block, LONGEST_BLOCK), n_channels), np.float32)

    def fill_all(out: np.ndarray) -> None:
        part = room[: len(out)]
        fill(part)
        out[:] = part[:, :outputs] if n_channels > outputs else part[:, :1]

    return fill_all


def told_latency(stream: Any) -> float:
    """Seconds that a stream says its devices add, at most `MOST_TOLD_SECONDS`; 0 without one.

    What they say is seldom true (a server was seen to say 89478 s): it is shown as their word,
    never reckoned with.
    """
    if stream is None:
        return 0.0
    told = stream.latency
    total = float(sum(told)) if isinstance(told, tuple) else float(told)
    return total if 0 <= total <= MOST_TOLD_SECONDS else 0.0


def close(stream: Any) -> None:
    if stream is not None:
        with quiet_stderr(), contextlib.suppress(Exception):
            stream.abort()
            stream.close()


def _takes(check: Any, device: Device, n_channels: int, rate: int) -> bool:
    try:
        with quiet_stderr():
            check(device.id, n_channels, "float32", None, rate)
    except portaudio().PortAudioError:
        return False
    return True


def _reason(fault: Exception) -> str:
    """PortAudio's own words, without its number and the call that met it."""
    text = str(fault.args[0]) if fault.args else str(fault)
    return text.split("[")[0].rpartition(": ")[2].strip() or text
