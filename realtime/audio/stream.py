"""The microphone: a capture stream, or one stream in both directions on a single clock.

The callback copies and counts: it hands the block to `deliver` and returns. No exception leaves
it, it prints nothing, and it waits for nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from realtime.audio.devices import Device, find_microphone
from realtime.audio.portaudio import USUAL_RATE, DeviceStream, portaudio, takes
from realtime.audio.speaker import Fill, played_channels, spread
from realtime.config import AudioSettings
from realtime.errors import DeviceError

if TYPE_CHECKING:
    from realtime.audio.sources import Deliver, OnEnd


class MicSource(DeviceStream):
    """A capture device. `argument`: part of a name, an id, or empty for the default device.

    With `play_on` it is one stream with a playback device that runs on the same clock: `fill` is
    called right after `deliver`, in the same callback.

    Raises `DeviceError` where there is no such device or it cannot do what is asked.
    """

    def __init__(self, argument: str, audio: AudioSettings, play_on: Device | None = None):
        device = find_microphone(argument)
        self.n_channels = audio.channels or min(device.inputs, 1)
        if self.n_channels > device.inputs:
            raise DeviceError(
                f"audio.channels = {self.n_channels} is more than the {device.inputs} that "
                f"'{device.name}' has: ask for at most {device.inputs}"
            )
        super().__init__(device, self._rate(device, audio.sample_rate), audio.block)
        self._play_on, self._latency = play_on, audio.latency

    def _rate(self, device: Device, asked: int | None) -> int:
        check = portaudio().check_input_settings
        tries = [asked] if asked else [USUAL_RATE, int(device.default_sample_rate)]
        for rate in tries:
            if takes(check, device, self.n_channels, rate):
                return rate
        raise DeviceError(
            f"'{device.name}' cannot capture {self.n_channels} channels at {tries[-1]} Hz: "
            "'realtime devices' shows the rates it offers; leave audio.sample_rate out to take "
            "what it prefers"
        )

    def start(self, deliver: Deliver, on_end: OnEnd, fill: Fill | None = None) -> None:
        """`fill` only, and always, with `play_on`."""
        if self._play_on is None:

            def callback(block: np.ndarray, n_samples: int, times: Any, flags: Any) -> None:
                deliver(block, bool(flags.input_overflow))

            self._open(
                "InputStream",
                on_end,
                latency=self._latency,
                device=self.device.id,
                channels=self.n_channels,
                callback=callback,
            )
            return
        assert fill is not None
        outputs = played_channels(self.n_channels, self._play_on.outputs)
        fill_all = spread(fill, self.n_channels, outputs, self.block)

        def duplex(
            block: np.ndarray, out: np.ndarray, n_samples: int, times: Any, flags: Any
        ) -> None:
            deliver(block, bool(flags.input_overflow))
            fill_all(out)

        self._open(
            "Stream",
            on_end,
            device=(self.device.id, self._play_on.id),
            channels=(self.n_channels, outputs),
            callback=duplex,
        )
