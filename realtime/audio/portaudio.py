"""The one door to PortAudio: nothing else in the package imports sounddevice."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from realtime.errors import DeviceError, EngineError, MissingDependency

if TYPE_CHECKING:
    from realtime.audio.devices import Device

USUAL_RATE = 48000
"""Hz, asked for where the user names none: the rate devices and servers run at today. What a
device calls its default is not to be trusted (a 48000 Hz server was seen to say 44100)."""

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
                f"PortAudio does not start ({reason_of(fault)}): is ~/.asoundrc, or another sound "
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


def takes(check: Any, device: Device, n_channels: int, rate: int) -> bool:
    try:
        with quiet_stderr():
            check(device.id, n_channels, "float32", None, rate)
    except portaudio().PortAudioError:
        return False
    return True


class DeviceStream:
    """One stream of PortAudio's, open or not: what microphone and loudspeaker have in common."""

    def __init__(self, device: Device, sample_rate: int, block: int):
        self.name, self.device = device.name, device
        self.sample_rate, self.block = sample_rate, block
        self._stream: Any = None

    @property
    def active(self) -> bool:
        return self._stream is not None and self._stream.active

    @property
    def latency_seconds(self) -> float:
        """What the devices say of themselves, at most `MOST_TOLD_SECONDS`; 0 without a stream.

        It is seldom true (a server was seen to say 89478 s): shown as their word, never reckoned
        with.
        """
        if self._stream is None:
            return 0.0
        told = self._stream.latency
        total = float(sum(told)) if isinstance(told, tuple) else float(told)
        return total if 0 <= total <= MOST_TOLD_SECONDS else 0.0

    def _open(
        self,
        kind: str,
        on_end: Callable[[str | None], None],
        purpose: str = "",
        latency: float | None = None,
        **options: Any,
    ) -> None:
        """Open and start. kind : sounddevice's class. purpose : for people, where it fails.
        latency : seconds that may be held back; None for as little as the device can.

        Raises `DeviceError`.
        """
        sounddevice = portaudio()

        def finished() -> None:
            if self._stream is not None:
                on_end(f"'{self.name}' stopped: is it unplugged, or the sound server gone?")

        try:
            with quiet_stderr():
                self._stream = getattr(sounddevice, kind)(
                    samplerate=self.sample_rate,
                    blocksize=self.block,
                    dtype="float32",
                    latency="low" if latency is None else latency,
                    finished_callback=finished,
                    **options,
                )
                self._stream.start()
        except sounddevice.PortAudioError as fault:
            self.stop()
            raise DeviceError(
                f"'{self.name}' could not be opened{purpose} ({reason_of(fault)}): is another "
                "program holding it? 'realtime devices' shows the others"
            ) from fault

    def stop(self) -> None:
        """Stop and close; safe twice and from any state."""
        stream, self._stream = self._stream, None
        if stream is not None:
            with quiet_stderr(), contextlib.suppress(Exception):
                stream.abort()
                stream.close()


def reason_of(fault: Exception) -> str:
    """PortAudio's own words, without its number and the call that met it."""
    text = str(fault.args[0]) if fault.args else str(fault)
    return text.split("[")[0].rpartition(": ")[2].strip() or text
