"""The mask: what is drawn on the picture is heard, now or again and again, without a click."""

from __future__ import annotations

import numpy as np
import pytest
from clicks import (
    LAYOUTS,
    SAMPLE_RATE,
    Captured,
    analysed,
    assert_no_clicks,
    effects,
    frame_format,
    greatest_jump,
    heard,
    noise,
    splatter,
    tone,
)

from realtime.dsp.processors import mask as mask_module
from realtime.dsp.processors.base import Processor
from realtime.dsp.processors.chain import Chain
from realtime.dsp.processors.registry import find_processor, parse_effect
from realtime.errors import RequestError

FORMAT = frame_format()


def make(text: str, capture: Captured | None = None) -> Processor:
    return parse_effect(text).create(FORMAT, capture)


def test_no_box_changes_nothing():
    frames = analysed(FORMAT, noise(9000))
    for mode in ("keep", "remove"):
        processor = find_processor("mask")(FORMAT, {"mode": mode})
        assert processor.process(frames) is frames


def test_boxes_without_a_time_are_bands_of_what_is_heard_now():
    frames = analysed(FORMAT, noise(9000))
    for mode, same in (("keep", "pass"), ("remove", "stop")):
        masked = make(f"mask:boxes=300-900+5000-6000,mode={mode}").process(frames)
        band = make(f"band:bands=300-900+5000-6000,edge=0,mode={same}").process(frames)
        assert np.array_equal(masked, band)


START, STOP = 9600, 33600
"""Of what goes round in the tests: half a second."""
ROUND = STOP - START - int(mask_module.SEAM_SECONDS * SAMPLE_RATE)
WHOLE = f"mask:boxes=0-24000@{START}-{STOP}"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_box_with_a_time_plays_what_was_captured_again_and_again(layout: str):
    captured = noise(48000, 2)
    format = frame_format(layout, 2)
    out = heard(WHOLE, np.zeros((96000, 2), np.float32), format, Captured(captured))
    late, seam = format.n_fft - format.hop, STOP - START - ROUND
    played = captured[START + late + seam : STOP - seam]
    for turn in range(3):
        begin = turn * ROUND + seam
        assert np.abs(out[begin : begin + len(played)] - played).max() < 1e-6


def test_keep_and_remove_together_are_all_that_was_captured():
    silence, captured = np.zeros((60000, 1), np.float32), Captured(noise(48000))
    boxes = "500-2000@9600-20000+4000-5000@18000-33600"
    kept = heard(f"mask:boxes={boxes}", silence, FORMAT, captured)
    removed = heard(f"mask:boxes={boxes},mode=remove", silence, FORMAT, captured)
    assert np.abs(kept + removed - heard(WHOLE, silence, FORMAT, captured)).max() < 1e-6
    assert kept.any()
    assert removed.any()


def test_only_what_is_in_the_boxes_is_heard_in_time_and_frequency():
    """Four tones, one after the other in two pitches; the box is about one of them."""
    captured = np.zeros((48000, 1), np.float32)
    hz = {9600: 500, 15600: 3000, 21600: 500, 27600: 3000}
    for start, pitch in hz.items():
        captured[start + 1500 : start + 4500] = tone(pitch, 3000) * np.hanning(3000)[:, None]
    silence = np.zeros((24000, 1), np.float32)
    box = "mask:boxes=2500-3500@15600-21600+100-200@9600-33600"
    late = FORMAT.n_fft - FORMAT.hop
    for mode, inside in (("keep", True), ("remove", False)):
        out = heard(f"{box},mode={mode}", silence, FORMAT, Captured(captured))
        for start in hz:
            piece = slice(start - 9600 + 1500 - late, start - 9600 + 4500 - late)
            rms = out[max(0, piece.start) : piece.stop].std() / captured.std()
            assert (rms > 0.5) == (inside == (start == 15600)), start
            assert rms > 0.5 or 20 * np.log10(rms) < -50


def test_the_strokes_of_a_brush_are_one_box():
    silence, captured = np.zeros((48000, 1), np.float32), Captured(noise(48000))
    step = (STOP - START) // 40
    strokes = [
        f"{400 + 100 * k}-{500 + 100 * k}@{START + step * i}-{START + step * (i + 1)}"
        for i in range(40)
        for k in range(5)
    ]
    painted = heard(f"mask:boxes={'+'.join(strokes)}", silence, FORMAT, captured)
    one = heard(f"mask:boxes=400-900@{START}-{STOP}", silence, FORMAT, captured)
    assert np.abs(painted - one).max() < 1e-6


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("length", [700, 4800, 24000, 24013])
def test_the_seam_of_a_round_does_not_click(layout: str, length: int):
    captured = tone(1000, 48000)
    text = f"mask:boxes=0-24000@{START}-{START + length}"
    out = heard(text, np.zeros((96000, 1), np.float32), frame_format(layout), Captured(captured))
    assert greatest_jump(out) <= greatest_jump(captured) + 1e-3
    assert splatter(out) <= 1e-3
    assert np.abs(out).max() > 0.5


@pytest.mark.parametrize("mode", ["keep", "remove"])
@pytest.mark.parametrize("edge", [(0, 9000), (9000, 0)])
def test_a_box_fades_in_and_out_over_some_frames_at_the_seam_too(mode: str, edge: tuple[int, int]):
    """As the level of the frames of a steady tone."""
    format = frame_format("2048/64/128")
    begin, end = START + edge[0], STOP - edge[1]
    text = f"mask:boxes=500-1500@{begin}-{end}+9000-9100@{START}-{STOP},mode={mode}"
    processor = parse_effect(text).create(format, Captured(tone(984.375, 48000)))
    frames = processor.process(np.zeros((800, 1, format.n_bins), np.complex64))
    level = np.abs(frames[:, 0, 42])
    assert level.min() < 0.01 * level.max()
    assert np.abs(np.diff(level)).max() < 0.6 * level.max()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_boxes_that_change_at_any_time_do_not_click(layout: str, rng: np.random.Generator):
    texts = [
        WHOLE,
        f"mask:boxes=0-24000@{START}-{STOP - 5000},mode=remove",
        "mask:boxes=300-3000@20000-24000+100-2000@22000-31000",
        "mask:boxes=0-2500",
        "mask",
    ]
    descriptions = [(effects(text), bypass) for text in texts for bypass in (False, True)]
    own = layout != LAYOUTS[0]
    captured = Captured(tone(440, 48000))
    assert_no_clicks(rng, frame_format(layout), 440, descriptions, capture=captured, own=own)


def test_what_is_shorter_than_a_round_may_be_is_followed_by_silence():
    captured = Captured(noise(48000))
    text = f"mask:boxes=0-24000@{START}-{START + 2400}"
    out = heard(text, np.zeros((48000, 1), np.float32), FORMAT, captured)[:, 0]
    late = FORMAT.n_fft - FORMAT.hop
    for turn in range(3):
        begin = turn * 9600 - late
        assert out[max(0, begin) : begin + 2400].any()
        assert np.abs(out[begin + 2400 + 1024 : begin + 9600 - 1024]).max() < 1e-6


def test_what_was_copied_plays_on_when_the_capture_no_longer_holds_it():
    captured = Captured(noise(48000))
    silence = np.zeros((40, 1, 513), np.complex64)
    chain = Chain(FORMAT, effects(WHOLE), capture=captured)
    captured.oldest = 40000
    chain.process(silence)
    for text in (f"{WHOLE},mode=remove", "mask:boxes=300-900@12000-20000", WHOLE):
        chain.change(effects(text))
        assert chain.process(silence).any()
    with pytest.raises(RequestError, match="mask has nothing to play: samples 9600"):
        chain.change(effects("mask:boxes=0-24000@9600-33601"))
    with pytest.raises(RequestError, match="not there yet"):
        chain.change(effects("mask:boxes=0-24000@47000-48001"))
    assert chain.process(silence).any()


def test_a_box_that_grows_goes_on_where_it_was_and_another_begins_at_its_start():
    frames = np.zeros((20, 1, 513), np.complex64)
    captured = Captured(noise(48000))
    processor = make(WHOLE, captured)
    processor.process(frames)
    on = processor.changed({"boxes": f"0-24000@{START - 960}-{STOP}"})
    assert np.array_equal(on.process(frames[:5]), processor.process(frames[:5]))
    other = processor.changed({"boxes": "0-24000@40000-48000"})
    fresh = make("mask:boxes=0-24000@40000-48000", captured)
    assert np.array_equal(other.process(frames), fresh.process(frames))


def test_samples_that_are_not_finite_are_silent():
    samples = noise(48000)
    samples[20000:20010] = np.nan
    processor = make(WHOLE, Captured(samples))
    assert np.isfinite(processor.process(np.zeros((100, 1, 513), np.complex64))).all()


def test_what_cannot_go_round_is_refused():
    effect = parse_effect("mask:boxes=300-900@0-48000")
    with pytest.raises(RequestError, match="need a capture to take the sound from"):
        effect.create(FORMAT)
    long = parse_effect(f"mask:boxes=300-900@0-9+300-900@9-{61 * SAMPLE_RATE}")
    with pytest.raises(RequestError, match=r"span 61.0 s, and at most 60 s can go round"):
        long.create(FORMAT, Captured(noise(9)))
