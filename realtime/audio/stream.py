"""The microphone: a capture stream, or one stream in both directions on a single clock.

The callback copies and counts: it hands the block to `deliver` and returns. No exception leaves
it, it prints nothing, and it waits for nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from realtime.audio.devices import Device, find_microphone
from realtime.audio.portaudio import (
    USUAL_RATE,
    close,
    portaudio,
    quiet_stderr,
    reason_of,
    takes,
    told_latency,
)
from realtime.audio.speaker import Fill, played_channels, spread
from realtime.config import AudioSettings
from realtime.errors import DeviceError

if TYPE_CHECKING:
    from realtime.audio.sources import Deliver, OnEnd


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
            if takes(sounddevice.check_input_settings, self.device, self.n_channels, rate):
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
                f"'{self.name}' could not be opened ({reason_of(fault)}): is another program "
                "holding it? 'realtime devices' shows the others"
            ) from fault

    def stop(self) -> None:
        """Stop and close; safe twice and from any state."""
        stream, self._stream = self._stream, None
        close(stream)
