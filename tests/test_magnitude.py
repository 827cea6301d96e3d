"""The effects that throw phases away: what they keep, how late they are, and changes of them."""

from __future__ import annotations

import numpy as np
import pytest
from clicks import analysed, effects, frame_format, noise, synthesised

from realtime.dsp.mel import MelBands, mel_filters
from realtime.dsp.processors.base import FrameFormat, Processor
from realtime.dsp.processors.chain import Chain
from realtime.dsp.processors.registry import parse_effect
from realtime.dsp.windows import dual_window, window
from realtime.errors import RequestError

EFFECTS = ["magnitude", "magnitude:look_ahead=0,rounds=0", "magnitude:look_ahead=4,rounds=2", "mel"]


def made(text: str, format: FrameFormat) -> Processor:
    return parse_effect(text).create(format)


def kept(text: str, frames: np.ndarray) -> np.ndarray:
    """Magnitudes that an effect keeps, by another way."""
    if not text.startswith("mel"):
        return np.abs(frames)
    bands = MelBands(mel_filters(48000, 1024, 128))
    return np.sqrt(bands.power(bands.energies(np.abs(frames) ** 2)))


@pytest.mark.parametrize("text", EFFECTS)
def test_magnitudes_come_out_as_late_as_said(text: str):
    format = frame_format(n_channels=2)
    frames = analysed(format, noise(12_000, 2))
    frames.setflags(write=False)
    processor = made(text, format)
    out = processor.process(frames)
    late, rest = divmod(processor.latency, format.hop)
    assert rest == 0 and out.shape == frames.shape and out.dtype == np.complex64
    expected = kept(text, frames[: len(frames) - late])
    np.testing.assert_allclose(np.abs(out[late:]), expected, atol=1e-4 * expected.max())


def test_latencies_are_those_of_the_look_ahead():
    format = frame_format()
    frames = {text: made(text, format).latency // format.hop for text in EFFECTS}
    assert list(frames.values()) == [1, 0, 4, 1]
    assert made("magnitude:look_ahead=8,rounds=0", format).latency == format.hop


def test_phases_do_not_get_through():
    """The same magnitudes with other phases sound the same."""
    format = frame_format()
    frames = analysed(format, noise(12_000))
    turned = np.abs(frames).astype(np.complex64)
    ours, other = (made("magnitude", format).process(each) for each in (frames, turned))
    np.testing.assert_allclose(ours, other, atol=1e-3 * np.abs(ours).max())


@pytest.mark.parametrize("text", EFFECTS)
def test_silence_in_is_silence_out_and_cutting_changes_no_bit(text: str):
    format = frame_format()
    assert not made(text, format).process(np.zeros((9, 1, 513), np.complex64)).any()
    frames = analysed(format, noise(12_000))
    cut = made(text, format)
    pieces = [cut.process(frames[n : n + 3]) for n in range(0, len(frames), 3)]
    whole = made(text, format)
    assert np.array_equal(np.concatenate(pieces), whole.process(frames))
    whole.reset()
    assert np.array_equal(whole.process(frames), np.concatenate(pieces))


def test_other_bands_begin_with_the_phases_that_were():
    format = frame_format()
    frames = analysed(format, noise(12_000))
    processor = made("mel:bands=64", format)
    processor.process(frames[:20])
    same = processor.changed({}).process(frames[20:])
    other = processor.changed({"bands": 63}).process(frames[20:])
    assert np.array_equal(processor.process(frames[20:]), same)
    likeness = np.vdot(same[1], other[1]).real / np.linalg.norm(same[1]) / np.linalg.norm(other[1])
    assert likeness > 0.8


def test_changes_sound_on():
    """Another look-ahead begins anew, and is heard when it has filled."""
    format = frame_format()
    frames = analysed(format, noise(48_000))
    chain = Chain(format, effects("magnitude"))
    out = [chain.process(frames[:40])]
    for text in ("magnitude:rounds=3", "magnitude:look_ahead=8", "mel", "mel:bands=40"):
        chain.change(effects(text))
        out.append(chain.process(frames[40:100]))
    assert chain.faults == 0, chain.fault
    heard = synthesised(format, np.concatenate(out))[4096:]
    pieces = heard[: len(heard) // 1024 * 1024].reshape(-1, 1024)
    assert np.sqrt(np.mean(pieces**2, axis=1)).min() > 0.05  # of 0.1


@pytest.mark.parametrize("name", ["magnitude", "mel"])
@pytest.mark.parametrize("layout", [(512, 256), (500, 130), (301, 77)])
def test_other_frames_serve_too(name: str, layout: tuple[int, int]):
    n_fft, hop = layout
    shape = window("hann", n_fft)
    format = FrameFormat(48000, n_fft, hop, 1, shape, dual_window(shape, hop))
    out = made(name, format).process(analysed(format, noise(12_000)))
    assert np.isfinite(out).all() and np.abs(out[1:]).max() > 0


def test_values_out_of_range_are_refused():
    for text in ("magnitude:look_ahead=9", "magnitude:rounds=0.5", "mel:bands=4"):
        with pytest.raises(RequestError, match="must be a whole number from"):
            parse_effect(text)
