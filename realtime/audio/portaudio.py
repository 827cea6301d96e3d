"""The one door to PortAudio: nothing else in the package imports sounddevice."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from realtime.errors import EngineError, MissingDependency

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


def reason_of(fault: Exception) -> str:
    """PortAudio's own words, without its number and the call that met it."""
    text = str(fault.args[0]) if fault.args else str(fault)
    return text.split("[")[0].rpartition(": ")[2].strip() or text
