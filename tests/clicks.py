"""Sound through a chain of effects and back, and whether a change in it is heard as a click.

A click is a jump between two samples that the tone itself does not make, and energy far above
the tone's frequency; either, if it is more than -60 dBFS. The first sees no jump at the crest of
a wave, the second none that is slow, so both are looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import signal

from realtime.dsp.processors.base import Capture, FrameFormat
from realtime.dsp.processors.chain import Chain
from realtime.dsp.processors.registry import Effect, parse_effect
from realtime.dsp.stft import StreamingIstft, StreamingStft
from realtime.dsp.windows import asymmetric_windows, dual_window, window
from realtime.errors import Overrun

SAMPLE_RATE = 48000
"""Hz."""

LAYOUTS = ("1024/256", "2048/64/128")
"""Usual frames, and those of least latency (`asymmetric_windows`)."""

ALLOWED = 1e-3
"""-60 dBFS."""

CLEAN_ABOVE = 6000.0
"""Hz; from here on there is nothing of a tone below 2 kHz but what a click brings."""

Description = tuple[Sequence[Effect], bool]
"""Effects and bypass, what `Chain.change` takes."""


class Captured:
    """What was captured, (n, n_channels), and from which sample on it is still there."""

    def __init__(self, samples: np.ndarray, oldest: int = 0):
        self.samples, self.oldest = samples, oldest

    @property
    def written(self) -> int:
        return len(self.samples)

    def read(self, start: int, stop: int) -> np.ndarray:
        if not self.oldest <= start <= stop <= self.written:
            raise Overrun(start, stop, self.oldest, self.written)
        return self.samples[start:stop].copy()


def frame_format(layout: str = "1024/256", n_channels: int = 1) -> FrameFormat:
    """layout : n_fft/hop; a hop of 64 has the asymmetric windows of least latency."""
    n_fft, hop = map(int, layout.split("/")[:2])
    if hop == 64:
        analysis, synthesis = asymmetric_windows(n_fft, 2 * hop, hop)
    else:
        analysis = window("hann", n_fft)
        synthesis = dual_window(analysis, hop)
    return FrameFormat(SAMPLE_RATE, n_fft, hop, n_channels, analysis, synthesis)


def tone(hz: float, n_samples: int, n_channels: int = 1) -> np.ndarray:
    """A sine of full scale, float32 (n_samples, n_channels)."""
    wave = np.sin(2 * np.pi * hz / SAMPLE_RATE * np.arange(n_samples))
    return np.repeat(wave.astype(np.float32)[:, None], n_channels, axis=1)


def noise(n_samples: int, n_channels: int = 1, rms: float = 0.1) -> np.ndarray:
    """White, float32 (n_samples, n_channels)."""
    rng = np.random.default_rng(8)
    return (rms * rng.standard_normal((n_samples, n_channels))).astype(np.float32)


def analysed(format: FrameFormat, samples: np.ndarray) -> np.ndarray:
    """The frames of samples (n, n_channels)."""
    stft = StreamingStft(format.n_fft, format.hop, format.window, n_channels=format.n_channels)
    return stft.push(samples)


def synthesised(format: FrameFormat, frames: np.ndarray) -> np.ndarray:
    """The samples of frames, (n, n_channels), less those at the beginning that fade in."""
    istft = StreamingIstft(
        format.n_fft,
        format.hop,
        format.window,
        n_channels=format.n_channels,
        synthesis_window=format.synthesis_window,
    )
    return istft.push(frames)[istft.latency :]


def effects(*texts: str) -> list[Effect]:
    return [parse_effect(text) for text in texts]


def through(
    format: FrameFormat,
    samples: np.ndarray,
    start: Description,
    changes: Mapping[int, Description] | None = None,
    capture: Capture | None = None,
) -> np.ndarray:
    """What is heard of `samples`, float32 (n, n_channels).

    changes : the description from each of these frames on
    """
    frames = analysed(format, samples)
    chain = Chain(format, *start, capture=capture)
    heard: list[np.ndarray] = []
    done = 0
    for at, description in sorted((changes or {}).items()):
        heard.append(chain.process(frames[done:at]))
        chain.change(*description)
        done = at
    heard.append(chain.process(frames[done:]))
    assert chain.faults == 0, chain.fault
    return synthesised(format, np.concatenate(heard))


def heard(
    text: str,
    samples: np.ndarray,
    format: FrameFormat | None = None,
    capture: Capture | None = None,
) -> np.ndarray:
    """What is heard of `samples` through one effect, as `through`."""
    return through(format or frame_format(), samples, (effects(text), False), capture=capture)


def at_random(
    rng: np.random.Generator, n_frames: int, descriptions: Sequence[Description], n_changes: int
) -> dict[int, Description]:
    """Changes at random frames, so close at times that one comes while another fades."""
    frames = rng.integers(1, n_frames, n_changes)
    return {int(at): descriptions[int(rng.integers(len(descriptions)))] for at in frames}


def greatest_jump(samples: np.ndarray) -> float:
    """Between two samples of any channel."""
    return float(np.abs(np.diff(samples, axis=0)).max())


def splatter(samples: np.ndarray, above: float = CLEAN_ABOVE) -> float:
    """Greatest sample of what lies above a frequency in Hz."""
    taps = signal.firwin(511, above, window=("kaiser", 12), pass_zero=False, fs=SAMPLE_RATE)
    high = signal.fftconvolve(samples, np.asarray(taps)[:, None], mode="valid", axes=0)
    return float(np.abs(high).max())


def assert_no_clicks(
    rng: np.random.Generator,
    format: FrameFormat,
    hz: float,
    descriptions: Sequence[Description],
    *,
    seconds: float = 2.0,
    n_changes: int = 40,
    capture: Capture | None = None,
    own: bool = False,
) -> None:
    """A tone of `hz` goes through a chain that changes at random between `descriptions`.

    Nothing is heard that the tone does not have. own : or that one of the descriptions makes of
    it all the time, for effects whose sound is no tone, or louder than what went in.
    """
    samples = tone(hz, int(seconds * SAMPLE_RATE), format.n_channels)
    jump, high = greatest_jump(samples), splatter(samples)
    for description in descriptions if own else ():
        steady = through(format, samples, description, capture=capture)
        jump = max(jump, greatest_jump(steady))
        high = max(high, splatter(steady))
    n_frames = (len(samples) - format.n_fft) // format.hop + 1
    changes = at_random(rng, n_frames, descriptions, n_changes)
    heard = through(format, samples, descriptions[0], changes, capture)
    assert greatest_jump(heard) <= jump + ALLOWED
    assert splatter(heard) <= high + ALLOWED
