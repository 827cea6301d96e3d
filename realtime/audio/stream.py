"""The one door to PortAudio: nothing else in the package imports sounddevice.

The callback copies and counts: it hands the block to `deliver` and returns. No exception leaves
it, it prints nothing, and it waits for nobody.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime.config import AudioSettings
from realtime.errors import DeviceError, EngineError, MissingDependency

if TYPE_CHECKING:
    from realtime.audio.sources import Deliver, OnEnd

USUAL_RATE = 48000
"""Hz, asked for where the user names none: the rate devices and servers run at today. What a
device calls its default is not to be trusted (a 48000 Hz server was seen to say 44100)."""


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

    Raises `DeviceError` where there is no such device or it cannot do what is asked.
    """

    def __init__(self, argument: str, audio: AudioSettings):
        from realtime.audio.devices import find_input, list_devices

        sounddevice = portaudio()
        device = find_input(argument, list_devices(probe_rates=False))
        self.name = device.name
        self.n_channels = audio.channels or min(device.inputs, 1)
        if self.n_channels > device.inputs:
            raise DeviceError(
                f"audio.channels = {self.n_channels} is more than the {device.inputs} that "
                f"'{device.name}' has: ask for at most {device.inputs}"
            )
        self._device = device.id
        self._block = audio.block
        self.sample_rate = self._rate(sounddevice, audio.sample_rate, device.default_sample_rate)
        self._stream: Any = None

    def _rate(self, sounddevice: Any, asked: int | None, default: float) -> int:
        tries = [asked] if asked else [USUAL_RATE, int(default)]
        for rate in tries:
            try:
                with quiet_stderr():
                    sounddevice.check_input_settings(
                        self._device, self.n_channels, "float32", None, rate
                    )
                return rate
            except sounddevice.PortAudioError:
                continue
        raise DeviceError(
            f"'{self.name}' cannot capture {self.n_channels} channels at {tries[-1]} Hz: "
            "'realtime devices' shows the rates it offers; leave audio.sample_rate out to take "
            "what it prefers"
        )

    @property
    def active(self) -> bool:
        return self._stream is not None and self._stream.active

    def start(self, deliver: Deliver, on_end: OnEnd) -> None:
        sounddevice = portaudio()

        def callback(block: np.ndarray, n_samples: int, times: Any, flags: Any) -> None:
            deliver(block, bool(flags.input_overflow))

        def finished() -> None:
            if self._stream is not None:
                on_end(f"'{self.name}' stopped: is it unplugged, or the sound server gone?")

        try:
            with quiet_stderr():
                self._stream = sounddevice.InputStream(
                    samplerate=self.sample_rate,
                    blocksize=self._block,
                    device=self._device,
                    channels=self.n_channels,
                    dtype="float32",
                    latency="low",
                    callback=callback,
                    finished_callback=finished,
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
        if stream is not None:
            with quiet_stderr(), contextlib.suppress(Exception):
                stream.abort()
                stream.close()


def _reason(fault: Exception) -> str:
    """PortAudio's own words, without its number and the call that met it."""
    text = str(fault.args[0]) if fault.args else str(fault)
    return text.split("[")[0].rpartition(": ")[2].strip() or text
