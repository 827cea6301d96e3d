"""The loudspeaker: a playback stream, and which playback device shares a microphone's clock.

The callback copies and counts, as the microphone's does; it always fills its output.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from realtime.audio.devices import Device
from realtime.audio.portaudio import USUAL_RATE, DeviceStream, portaudio, takes
from realtime.errors import DeviceError

if TYPE_CHECKING:
    from realtime.audio.sources import OnEnd

Fill = Callable[[np.ndarray], None]
"""fill(out): writes all of out, float32 (n_samples, n_channels), full scale ±1."""

LONGEST_BLOCK = 16384
"""Samples in one callback, whatever a server makes of the block that was asked for."""


class Speaker(DeviceStream):
    """A playback device on a clock of its own.

    Takes the rate `sample_rate` where it can, otherwise what it prefers: see `sample_rate`.
    Raises `DeviceError` where there is no such device, or it cannot be used. With `waits` only
    `start` does, again and again until it can.
    """

    def __init__(
        self, device: Device, sample_rate: int, n_channels: int, block: int, waits: bool = False
    ):
        check = portaudio().check_output_settings
        self._n_channels = n_channels
        self._outputs = played_channels(n_channels, device.outputs)
        for rate in (sample_rate, USUAL_RATE, int(device.default_sample_rate)):
            if takes(check, device, self._outputs, rate):
                break
        else:
            if not waits:
                raise DeviceError(
                    f"'{device.name}' cannot play {self._outputs} channels at {sample_rate} Hz: "
                    "'realtime devices' shows the rates it offers; choose another with --output"
                )
            rate = sample_rate
        super().__init__(device, rate, block)

    def start(self, fill: Fill, on_end: OnEnd) -> None:
        """Call `fill` for each block, from the device's own thread."""
        fill_all = spread(fill, self._n_channels, self._outputs, self.block)

        def callback(out: np.ndarray, n_samples: int, times: Any, flags: Any) -> None:
            fill_all(out)

        self._open(
            "OutputStream",
            on_end,
            " for playing",
            device=self.device.id,
            channels=self._outputs,
            callback=callback,
        )


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
