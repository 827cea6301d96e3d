"""The loudspeaker: a playback stream, and which playback device shares a microphone's clock.

The callback copies and counts, as the microphone's does; it always fills its output.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime.audio.devices import Device
from realtime.audio.portaudio import (
    USUAL_RATE,
    close,
    portaudio,
    quiet_stderr,
    reason_of,
    takes,
    told_latency,
)
from realtime.errors import DeviceError

if TYPE_CHECKING:
    from realtime.audio.sources import OnEnd

Fill = Callable[[np.ndarray], None]
"""fill(out): writes all of out, float32 (n_samples, n_channels), full scale ±1."""

LONGEST_BLOCK = 16384
"""Samples in one callback, whatever a server makes of the block that was asked for."""


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
            if takes(sounddevice.check_output_settings, device, self._outputs, rate):
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
                f"'{self.name}' could not be opened for playing ({reason_of(fault)}): is another "
                "program holding it? 'realtime devices' shows the others"
            ) from fault

    def stop(self) -> None:
        """Stop and close; safe twice and from any state."""
        stream, self._stream = self._stream, None
        close(stream)


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
