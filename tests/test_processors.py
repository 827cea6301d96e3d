"""What each simple processor does to sound, and what all of them must keep to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from clicks import (
    LAYOUTS,
    SAMPLE_RATE,
    Captured,
    analysed,
    frame_format,
    heard,
    noise,
    splatter,
    synthesised,
    tone,
)
from scipy import signal

from realtime.audio.voices import speech
from realtime.dsp.processors.band import falling
from realtime.dsp.processors.base import FrameFormat, Processor
from realtime.dsp.processors.registry import parse_effect
from realtime.dsp.windows import dual_window, window
from realtime.errors import RequestError

FORMAT = frame_format()

EVERY_ONE = [
    "gain:db=-7",
    "band",
    "band:mode=stop",
    "gate:threshold=-30",
    "gate:threshold=-30,mode=whole",
    "robot",
    "robot:pitch=700",
    "whisper",
    "mask",
    "mask:boxes=300-3400+5000-6000,mode=remove",
    "mask:boxes=300-3400@4800-24000+0-500",
    "mask:boxes=300-3400@4800-6000,mode=remove",
]
IN_PLACE = EVERY_ONE[:-2]
"""Those that change what is heard now."""


def make(text: str, format: FrameFormat = FORMAT, capture: Captured | None = None) -> Processor:
    return parse_effect(text).create(format, capture or Captured(noise(48000, format.n_channels)))


def cut(format: FrameFormat, samples: np.ndarray) -> np.ndarray:
    """The samples that `heard` gives where nothing is done to them."""
    return synthesised(format, analysed(format, samples))


def db(ratio: float) -> float:
    return 20 * np.log10(ratio)


# All of them


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("text", EVERY_ONE)
def test_any_cutting_gives_the_same_frames_and_leaves_what_it_was_given(text: str, layout: str):
    format = frame_format(layout, 2)
    frames = analysed(format, noise(20000, 2))
    untouched = frames.copy()
    whole = make(text, format).process(frames)
    one_by_one, other = make(text, format), make(text, format)
    single = np.concatenate([one_by_one.process(frames[i : i + 1]) for i in range(len(frames))])
    pieces = [other.process(frames[:7]), other.process(frames[7:7]), other.process(frames[7:])]
    assert whole.dtype == np.complex64
    assert np.array_equal(whole, single)
    assert np.array_equal(whole, np.concatenate(pieces))
    assert np.array_equal(frames, untouched)
    assert whole is frames or not np.shares_memory(whole, frames)


@pytest.mark.parametrize("text", EVERY_ONE)
def test_silence_stays_exactly_silent(text: str):
    silence = np.zeros((20000, 2), np.float32)
    format = frame_format(n_channels=2)
    assert not heard(text, silence, format, Captured(np.zeros((48000, 2), np.float32))).any()


@pytest.mark.parametrize("text", EVERY_ONE)
def test_equal_channels_stay_equal_and_as_in_mono(text: str):
    mono, twice = noise(20000), np.repeat(noise(20000), 2, axis=1)
    captured = noise(48000)
    in_mono = heard(text, mono, FORMAT, Captured(captured))
    format = frame_format(n_channels=2)
    in_stereo = heard(text, twice, format, Captured(np.repeat(captured, 2, axis=1)))
    assert np.array_equal(in_stereo[:, 0], in_stereo[:, 1])
    assert np.abs(in_stereo[:, :1] - in_mono).max() < 1e-6


@pytest.mark.parametrize("text", IN_PLACE)
def test_a_channel_that_is_silent_stays_silent(text: str):
    samples = noise(20000, 2)
    samples[:, 1] = 0
    out = heard(text, samples, frame_format(n_channels=2))
    assert out[:, 0].any()
    assert not out[:, 1].any()


@pytest.mark.parametrize("text", EVERY_ONE)
def test_reset_is_as_new_and_a_copy_goes_on_as_the_first_would(text: str):
    frames = analysed(FORMAT, noise(30000))
    processor = make(text)
    first = processor.process(frames[:40])
    twin = processor.changed({})
    assert np.array_equal(twin.process(frames[40:]), processor.process(frames[40:]))
    processor.reset()
    assert np.array_equal(processor.process(frames[:40]), first)


@pytest.mark.parametrize("text", EVERY_ONE)
@pytest.mark.parametrize("scale", [1e-30, 1e4])
def test_very_soft_and_very_loud_sound_stays_finite(text: str, scale: float):
    frames = analysed(FORMAT, noise(20000)) * np.float32(scale)
    with np.errstate(all="ignore"):
        assert np.isfinite(make(text).process(frames)).all()


@pytest.mark.parametrize("text", EVERY_ONE)
def test_none_of_the_simple_ones_makes_the_sound_later(text: str):
    assert make(text).latency == 0


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("text", ["robot", "whisper"])
def test_the_loudness_of_speech_and_noise_stays_about_the_same(text: str, layout: str):
    t = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    spoken = speech([(0, 110), (1, 140), (2, 100)], [(0, "a"), (0.7, "e"), (1.3, "i")])
    voice = spoken(t, SAMPLE_RATE)[:, None].astype(np.float32)
    format = frame_format(layout)
    for samples, tolerance in ((noise(96000), 1.1), (voice / np.abs(voice).max(), 4)):
        before = cut(format, samples)[9000:].std()
        assert abs(db(heard(text, samples, format)[9000:].std() / before)) < tolerance


# gain


@pytest.mark.parametrize("level", [-60, -6, 24])
def test_gain_is_exact(level: float):
    frames = analysed(FORMAT, noise(20000))
    out = make(f"gain:db={level}").process(frames)
    assert np.array_equal(out, frames * np.float32(10 ** (level / 20)))


def test_gain_of_0_db_changes_no_bit():
    frames = analysed(FORMAT, noise(20000))
    assert np.array_equal(make("gain").process(frames), frames)


# band


@pytest.mark.parametrize(
    ("text", "hz", "level"),
    [
        ("band", 300, 0),
        ("band", 3400, 0),
        ("band", 1000, 0),
        ("band", 50, -60),
        ("band", 3900, -60),
        ("band:mode=stop", 1000, -60),
        ("band:mode=stop", 50, 0),
        ("band:mode=stop", 3900, 0),
        ("band:bands=0-500+2000-24000", 100, 0),
        ("band:bands=0-500+2000-24000", 1000, -60),
        ("band:bands=0-500+2000-24000", 12000, 0),
        ("band:bands=990-995", 992.5, 0),
        ("band:bands=0-24000", 23990, 0),
    ],
)
def test_band_passes_what_is_in_it_and_stops_what_is_not(text: str, hz: float, level: float):
    samples = tone(hz, 40000)
    got = db(heard(text, samples)[2000:].std() / samples.std())
    if level:
        assert got < level
    else:
        assert abs(got) < 1


def test_pass_and_stop_add_up_to_what_came_in():
    samples = noise(30000)
    both = heard("band:edge=500", samples) + heard("band:edge=500,mode=stop", samples)
    assert np.abs(both - cut(FORMAT, samples)).max() < 1e-6


@pytest.mark.parametrize(("edge", "error"), [(0, -36), (500, -50)])
def test_band_is_the_filter_that_its_edges_say(edge: float, error: float):
    """The oracle is that gain over the whole of the sound at once; soft edges come nearer."""
    samples = noise(48000)
    hz = np.fft.rfftfreq(len(samples), 1 / SAMPLE_RATE)
    width = max(edge, 4 * FORMAT.bin_hz)
    gains = falling(np.maximum(1000 - hz, hz - 3000) / width)
    wanted = np.fft.irfft(np.fft.rfft(samples[:, 0]) * gains)
    got = heard(f"band:bands=1000-3000,edge={edge}", samples)[:, 0]
    late = FORMAT.n_fft - FORMAT.hop
    inner = slice(4000, 40000)
    difference = got[inner] - wanted[late:][inner]
    assert db(difference.std() / wanted.std()) < error


def test_bands_that_touch_or_overlap_are_one():
    frames = analysed(FORMAT, noise(9000))
    one = make("band:bands=300-3400").process(frames)
    for bands in ("300-1000+1000-3400", "300-2000+1500-3400", "300-3400+500-600"):
        assert np.array_equal(make(f"band:bands={bands}").process(frames), one)


def test_no_band_changes_nothing():
    frames = analysed(FORMAT, noise(9000))
    for mode in ("pass", "stop"):
        assert np.array_equal(make(f"band:bands=,mode={mode}").process(frames), frames)


def test_a_band_with_a_time_is_refused_with_the_effect_that_takes_it():
    with pytest.raises(RequestError, match=r"band:bands with a time .* use the effect mask"):
        make("band:bands=300-3400@0-48000")


# gate


@pytest.mark.parametrize("mode", ["bins", "whole"])
@pytest.mark.parametrize(("level", "expected"), [(-49.5, 0), (-57, -30), (-80, -30)])
def test_gate_turns_down_by_its_range_what_stays_under_its_threshold(
    mode: str, level: float, expected: float
):
    samples = tone(21 * FORMAT.bin_hz, 60000) * np.float32(10 ** (level / 20))
    out = heard(f"gate:threshold=-50,range=30,mode={mode}", samples)
    assert db(out[30000:].std() / samples.std()) == pytest.approx(expected, abs=0.1)


def test_a_gate_above_its_threshold_changes_no_bit():
    samples = noise(20000)
    assert np.array_equal(heard("gate:threshold=-120", samples), cut(FORMAT, samples))


def test_a_gate_for_each_bin_takes_the_hiss_from_around_a_tone_and_a_whole_one_does_not():
    hiss, line = noise(96000, rms=0.001), tone(1000, 96000) / 4
    settled = slice(48000, None)
    by_bin = heard("gate:threshold=-45,range=60", line + hiss)[settled]
    whole = heard("gate:threshold=-45,range=60,mode=whole", line + hiss)[settled]
    before = splatter(cut(FORMAT, line + hiss)[settled])
    assert db(splatter(by_bin) / before) < -50
    assert db(splatter(whole) / before) == pytest.approx(0, abs=0.1)
    assert by_bin.std() == pytest.approx(line.std(), rel=0.01)


def test_a_gate_opens_in_its_attack_and_shuts_in_its_release():
    """Levels of one bin of frames that are loud between two instants."""
    frames = np.full((600, 1, 513), 1e-6, np.complex64)
    frames[200:400] = 1000
    out = make("gate:threshold=-40,range=40,attack=100,release=400").process(frames)
    gains = 20 * np.log10(np.abs(out[:, 0, 100] / frames[:, 0, 100]))
    hop_ms = 1000 * FORMAT.hop / SAMPLE_RATE
    assert gains[199] == pytest.approx(-40, abs=1e-3)
    rising = np.count_nonzero(gains[200:400] < -1e-3) + 1
    falling = np.count_nonzero(gains[400:] > -40 + 1e-3) + 1
    assert rising * hop_ms == pytest.approx(100, abs=hop_ms)
    assert falling * hop_ms == pytest.approx(400, abs=hop_ms)


@pytest.mark.parametrize("mode", ["bins", "whole"])
@pytest.mark.parametrize("soft", [0, 1])
def test_the_channels_of_a_gate_open_together(mode: str, soft: int):
    samples = tone(1000, 40000, 2)
    samples[:, soft] *= 0.0001
    out = heard(f"gate:threshold=-30,mode={mode}", samples, frame_format(n_channels=2))
    assert db(out[20000:, soft].std() / samples[:, soft].std()) == pytest.approx(0, abs=0.01)


# robot and whisper


@pytest.mark.parametrize("pitch", [70, 110, 333, 900])
def test_robot_sounds_at_its_pitch_and_nothing_between_its_harmonics(pitch: float):
    samples = noise(4 * SAMPLE_RATE)
    out = heard(f"robot:pitch={pitch}", samples)[4000:, 0]
    hz, power = signal.welch(out, SAMPLE_RATE, nperseg=32768)
    nearest = np.round(hz / pitch) * pitch
    on_line, low = np.abs(hz - nearest) < 8, (hz > pitch / 2) & (hz < 8000)
    share = power[low & on_line].sum() / power[low].sum()
    assert share > 3 * 16 / pitch  # of the band they lie in, were it all alike
    strongest = hz[low][np.argmax(power[low])]
    assert abs(strongest - round(strongest / pitch) * pitch) < 2


def test_robot_at_the_rate_of_the_hops_sets_every_phase_to_zero_in_the_middle_of_a_frame():
    frames = analysed(FORMAT, noise(20000))
    processor = make(f"robot:pitch={SAMPLE_RATE / FORMAT.hop}")
    processor.process(frames[:1])
    out = processor.process(frames)
    turns = np.exp(-2j * np.pi * np.arange(513) * 384 / 1024)
    level = np.abs(out[0, 0, 100] / frames[0, 0, 100])
    assert np.abs(out - level * np.abs(frames) * turns).max() < 1e-4 * np.abs(out).max()


def test_the_pulses_of_a_robot_go_on_evenly_when_its_pitch_changes():
    frames = np.ones((40, 1, 513), np.complex64)
    processor = make("robot:pitch=100")
    before = processor.process(frames)
    processor = processor.changed({"pitch": 200})
    out = synthesised(FORMAT, np.concatenate([before, processor.process(frames)]))[:, 0]
    peaks, _ = signal.find_peaks(out, height=out.max() / 3, distance=100)
    spacing = np.diff(peaks)
    assert set(spacing[:15]) <= {479, 480, 481}
    assert set(spacing[-30:]) <= {239, 240, 241}
    assert set(spacing) <= {239, 240, 241, 479, 480, 481}


def test_whisper_keeps_every_magnitude_and_what_lies_between_the_channels():
    format = frame_format(n_channels=2)
    frames = analysed(format, noise(20000, 2))
    out = make("whisper", format).process(frames)
    ratio = out / frames
    assert np.abs(ratio) == pytest.approx(np.abs(ratio[0, 0, 0]), rel=1e-4)
    assert ratio[:, 0] == pytest.approx(ratio[:, 1], rel=1e-3)
    turns = ratio[:, 0] / np.abs(ratio[:, 0])
    assert abs(turns.mean()) < 4 / np.sqrt(turns.size)
    assert abs((turns[1:] * turns[:-1].conj()).mean()) < 4 / np.sqrt(turns.size)


@pytest.mark.parametrize("name", ["hann", "blackmanharris"])
@pytest.mark.parametrize("hop", [128, 256, 512])
def test_whisper_is_as_loud_with_any_window_and_hop(name: str, hop: int):
    analysis = window(name, 1024)
    if name == "blackmanharris" and hop == 512:
        hop = 300
    format = replace(FORMAT, hop=hop, window=analysis, synthesis_window=dual_window(analysis, hop))
    samples = noise(96000)
    ratio = heard("whisper", samples, format).std() / samples.std()
    assert db(ratio) == pytest.approx(0, abs=0.2)
