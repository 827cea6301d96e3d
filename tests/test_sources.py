from __future__ import annotations

import pickle
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from realtime.audio.sources import (
    STOP_SECONDS,
    PacedSource,
    SourceSpec,
    open_source,
    parse_source,
)
from realtime.audio.synth import Demo, Noise, Tone
from realtime.config import AudioSettings
from realtime.errors import SourceError

RATE = 48000
BLOCK = 256
PATIENCE = 20.0
"""Seconds a test waits for what should take a fraction of one."""


class Listener:
    """Keeps what a source delivers, and when."""

    def __init__(self) -> None:
        self.blocks: list[np.ndarray] = []
        self.times: list[float] = []
        self.overflows: list[bool] = []
        self.reasons: list[str | None] = []
        self.ended = threading.Event()

    def deliver(self, block: np.ndarray, overflow: bool) -> None:
        self.times.append(time.monotonic())
        self.blocks.append(block)
        self.overflows.append(overflow)

    def on_end(self, reason: str | None) -> None:
        self.reasons.append(reason)
        self.ended.set()

    @property
    def samples(self) -> np.ndarray:
        return np.concatenate(self.blocks)


def wait_for(condition) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.001)


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def samples(rng) -> np.ndarray:
    """A fifth of a second and a bit, three channels, on the grid of 16 bits."""
    return (rng.integers(-8000, 8000, (RATE // 5 + 77, 3)) / 32768).astype(np.float32)


@pytest.fixture
def path(tmp_path, samples) -> Path:
    path = tmp_path / "sound.flac"
    soundfile.write(path, samples, RATE, subtype="PCM_16")
    return path


# What a SOURCE means


@pytest.mark.parametrize(
    ("text", "kind", "argument"),
    [
        ("mic", "mic", ""),
        ("mic:3", "mic", "3"),
        ("mic: USB Audio: pro ", "mic", "USB Audio: pro"),
        ("Demo", "demo", ""),
        (" noise ", "noise", ""),
        ("tone:440", "tone", "440"),
        ("tone: 440.50", "tone", "440.5"),
        ("TONE:1e3", "tone", "1000"),
    ],
)
def test_words_are_understood(text, kind, argument):
    assert parse_source(text) == SourceSpec(kind, argument, named=True)


def test_no_source_is_the_default_microphone_which_nobody_named():
    assert parse_source() == SourceSpec("mic", "", named=False)
    assert parse_source("mic").named


def test_a_file_is_understood_and_the_words_win_over_files(tmp_path, path, monkeypatch):
    assert parse_source(str(path)) == SourceSpec("file", str(path))
    monkeypatch.chdir(tmp_path)
    path.rename("demo")
    assert parse_source("demo").kind == "demo"
    assert parse_source("./demo") == SourceSpec("file", "./demo")


@pytest.mark.parametrize("text", ["mic", "mic:USB Audio", "demo", "noise", "tone:440", "tone:0.1"])
def test_a_spec_says_its_text_and_crosses_to_another_process(text):
    spec = parse_source(text)
    assert spec.text == text
    assert parse_source(spec.text) == spec
    assert pickle.loads(pickle.dumps(spec)) == spec


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the source is empty: give mic, mic:NAME, demo, tone:440, noise, or an audio file"),
        ("  ", "the source is empty"),
        ("mic:", "names no microphone: write mic for the default one, or mic:NAME-or-ID"),
        ("tone", "'tone' has no frequency: write it in Hz, as in tone:440"),
        ("tone:", "has no frequency"),
        ("tone:a4", "must be a number of Hz above 0, as in tone:440"),
        ("tone:0", "must be a number of Hz above 0"),
        ("tone:-440", "must be a number of Hz above 0"),
        ("tone:nan", "must be a number of Hz above 0"),
        ("tone:inf", "must be a number of Hz above 0"),
        ("demo:5", "'demo:5' takes nothing after the word: write demo"),
        ("noise:pink", "takes nothing after the word"),
        ("deno", "unknown source 'deno', did you mean 'demo'?"),
        ("noize", "did you mean 'noise'?"),
        ("ton:440", "did you mean 'tone'?"),
        ("440", "unknown source '440', did you mean 'tone:440'?"),
        ("xyzzy", "unknown source 'xyzzy', and there is no such file: give mic"),
        ("nowhere/sound.wav", "there is no file 'nowhere/sound.wav': check the path"),
        ("sound.wav", "there is no file 'sound.wav'"),
        ("a\0b", "unknown source"),
        ("x" * 5000, "unknown source"),
    ],
)
def test_what_cannot_be_understood_gets_a_sentence(text, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError) as caught:
        parse_source(text)
    assert sentence in str(caught.value)
    assert len(str(caught.value)) < 250


# Opening it


@pytest.mark.parametrize("text", ["demo", "noise", "tone:440"])
def test_synthesised_sources_take_the_rate_and_channels_asked_for(text):
    source = open_source(parse_source(text), AudioSettings())
    assert (source.sample_rate, source.n_channels) == (48000, 1)
    assert not source.active
    source = open_source(parse_source(text), AudioSettings(sample_rate=96000, channels=4))
    assert (source.sample_rate, source.n_channels) == (96000, 4)
    assert text.split(":")[0] in source.name


def test_a_tone_above_half_the_sample_rate_is_refused_when_opened():
    spec = parse_source("tone:30000")
    with pytest.raises(SourceError, match=r"less than 24000 Hz, or raise audio\.sample_rate"):
        open_source(spec, AudioSettings())
    open_source(spec, AudioSettings(sample_rate=96000))


def test_a_file_comes_at_its_own_rate_and_with_its_own_channels(path):
    source = open_source(parse_source(str(path)), AudioSettings())
    assert (source.name, source.sample_rate, source.n_channels) == ("sound.flac", RATE, 3)
    source.stop()
    source = open_source(parse_source(str(path)), AudioSettings(sample_rate=RATE, channels=2))
    assert source.n_channels == 2
    source.stop()


@pytest.mark.parametrize(
    ("audio", "sentence"),
    [
        (AudioSettings(sample_rate=44100), "has 48000 Hz and files play at their own rate"),
        (AudioSettings(channels=4), "audio.channels = 4 is more than the 3 of"),
    ],
)
def test_a_file_that_cannot_give_what_is_asked_is_refused(path, audio, sentence):
    with pytest.raises(SourceError, match=sentence) as caught:
        open_source(parse_source(str(path)), audio)
    assert "leave the setting out" in str(caught.value)


def test_a_file_that_went_away_is_refused_when_opened(path):
    spec = parse_source(str(path))
    path.unlink()
    with pytest.raises(SourceError, match="there is no file"):
        open_source(spec, AudioSettings())


# Delivering it


@pytest.mark.parametrize("channels", [None, 1, 2])
def test_a_file_arrives_whole_in_blocks_and_then_ends(path, samples, listener, channels):
    source = open_source(parse_source(str(path)), AudioSettings(block=BLOCK, channels=channels))
    source.start(listener.deliver, listener.on_end)
    assert listener.ended.wait(PATIENCE)
    source.stop()
    assert listener.reasons == [None]
    assert [len(block) for block in listener.blocks[:-1]] == [BLOCK] * (len(samples) // BLOCK)
    assert all(block.flags.c_contiguous for block in listener.blocks)
    assert not any(listener.overflows)
    assert np.array_equal(listener.samples, samples[:, :channels])
    assert not source.active


def test_no_block_is_delivered_before_its_last_sample_is_due(path, listener):
    source = open_source(parse_source(str(path)), AudioSettings(block=BLOCK))
    before = time.monotonic()
    source.start(listener.deliver, listener.on_end)
    assert listener.ended.wait(PATIENCE)
    source.stop()
    due = before + np.cumsum([len(block) for block in listener.blocks]) / RATE
    assert (np.array(listener.times) >= due).all()


class CountedTone(Tone):
    """Says how often it was asked for samples."""

    reads = 0

    def read(self, n_samples: int) -> np.ndarray:
        block = super().read(n_samples)
        self.reads += 1
        return block


def test_after_a_stall_exactly_what_is_due_comes_at_once(listener):
    now = 100.0
    tone = CountedTone(440, RATE)
    source = PacedSource(tone, BLOCK, clock=lambda: now)
    source.start(listener.deliver, listener.on_end)
    wait_for(lambda: tone.reads == 1)
    time.sleep(2 * STOP_SECONDS)
    assert not listener.blocks  # the clock stands still
    now += 1.0
    due = RATE // BLOCK
    wait_for(lambda: len(listener.blocks) == due)
    time.sleep(2 * STOP_SECONDS)
    source.stop()
    assert len(listener.blocks) == due
    assert np.array_equal(listener.samples, Tone(440, RATE).read(due * BLOCK))


@pytest.mark.parametrize("samples_of", [Demo, Noise])
def test_what_is_delivered_is_what_the_generator_makes(samples_of, listener):
    source = PacedSource(samples_of(RATE, 2), BLOCK)
    source.start(listener.deliver, listener.on_end)
    assert source.active
    wait_for(lambda: len(listener.blocks) > 20)
    source.stop()
    assert np.array_equal(listener.samples, samples_of(RATE, 2).read(len(listener.samples)))


def test_stop_is_safe_twice_and_before_a_start_and_nothing_comes_after_it(listener):
    never = PacedSource(Tone(440, RATE), BLOCK)
    never.stop()
    never.stop()
    source = PacedSource(Tone(440, RATE), BLOCK)
    source.start(listener.deliver, listener.on_end)
    wait_for(lambda: listener.blocks)
    source.stop()
    count = len(listener.blocks)
    assert not source.active
    source.stop()
    time.sleep(5 * BLOCK / RATE)
    assert len(listener.blocks) == count
    assert listener.reasons == []  # it was stopped, it did not end


def test_stop_does_not_wait_for_a_block_that_is_long_in_coming(listener):
    source = PacedSource(Tone(440, 1000), 16384)  # 16 s
    source.start(listener.deliver, listener.on_end)
    source.stop()
    assert not source.active
    assert listener.blocks == []


def test_stop_may_be_called_from_within_a_delivery(listener):
    source = PacedSource(Tone(440, RATE), BLOCK)

    def deliver(block: np.ndarray, overflow: bool) -> None:
        listener.deliver(block, overflow)
        source.stop()

    source.start(deliver, listener.on_end)
    wait_for(lambda: listener.blocks and not source.active)
    assert len(listener.blocks) == 1


@pytest.mark.parametrize("again", ["started", "stopped"])
def test_a_source_starts_only_once(listener, again):
    source = PacedSource(Tone(440, RATE), BLOCK)
    if again == "started":
        source.start(listener.deliver, listener.on_end)
    else:
        source.stop()
    with pytest.raises(RuntimeError, match="open it again"):
        source.start(listener.deliver, listener.on_end)
    source.stop()


def test_a_file_that_breaks_off_delivers_what_it_holds_and_ends_with_a_sentence(
    path, samples, listener
):
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    source = open_source(parse_source(str(path)), AudioSettings(block=BLOCK))
    source.start(listener.deliver, listener.on_end)
    assert listener.ended.wait(PATIENCE)
    source.stop()
    assert np.array_equal(listener.samples, samples[: len(listener.samples)])
    assert len(listener.samples) > len(samples) // 3
    (reason,) = listener.reasons
    assert reason is not None
    assert "sound.flac' is damaged after" in reason or "sound.flac' ends after" in reason


def test_a_fault_in_the_program_ends_with_a_sentence_and_not_in_the_thread(listener):
    def deliver(block: np.ndarray, overflow: bool) -> None:
        raise ZeroDivisionError("oops")

    source = PacedSource(Tone(440, RATE), BLOCK)
    source.start(deliver, listener.on_end)
    assert listener.ended.wait(PATIENCE)
    source.stop()
    assert listener.reasons == [
        "'tone 440 Hz' stopped by a fault in the program (ZeroDivisionError('oops')): "
        "start it again"
    ]
