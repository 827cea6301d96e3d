"""`realtime doctor`: PortAudio, sound servers, devices, shared memory, and how late blocks are."""

from __future__ import annotations

import glob
import os
import statistics
import sys
import time
from collections.abc import Iterator, Mapping, Sequence

from realtime.audio.devices import Device
from realtime.audio.portaudio import USUAL_RATE
from realtime.audio.shared import free_shared_bytes
from realtime.audio.sources import parse_source
from realtime.commands.checks import Check, install_line
from realtime.commands.sound_probe import probed_devices
from realtime.config import RING_SECONDS, AudioSettings
from realtime.engine.process import EngineProcess
from realtime.errors import MissingDependency, RealtimeError
from realtime.view.display import answers

PLUGIN = "libasound_module_pcm_pulse.so"
PLUGIN_PLACES = (
    "/usr/lib/*/alsa-lib", "/usr/lib/alsa-lib", "/usr/lib64/alsa-lib", "/usr/local/lib/alsa-lib",
)  # fmt: skip
SHARE_OF_FREE = 0.5
"""The part of the free shared memory that a ring takes at most."""
FIRST_BLOCK_SECONDS = 5.0
"""A device that sleeps takes this long at most to its first block; the measurement begins then."""
POLL_SECONDS = 0.0005
"""Between two looks at the block counter: a tenth of a block of 256 samples."""


def checks(audio: AudioSettings, seconds: float) -> Iterator[Check]:
    yield memory(audio, free_shared_bytes())
    try:
        version, found = probed_devices(rates=False)
    except MissingDependency as error:
        fix = install_line(["libportaudio.so.2"])
        yield Check("PortAudio", "missing", str(error).split(":")[0], fix)
        return
    except RealtimeError as error:
        text, _, fix = str(error).partition(": ")
        yield Check("PortAudio", "missing", text, fix)
        return
    yield Check("PortAudio", "ok", version)
    if sys.platform.startswith("linux"):
        yield servers(os.environ)
    yield inputs(found)
    if any(device.inputs for device in found):
        yield microphone(audio, seconds)


def memory(audio: AudioSettings, free: float) -> Check:
    """Whether the capture ring fits in shared memory."""
    bytes_a_second = 4 * (audio.sample_rate or USUAL_RATE) * (audio.channels or 1)
    wanted, fitting = audio.ring_seconds or RING_SECONDS, free * SHARE_OF_FREE / bytes_a_second
    if fitting >= wanted:
        return Check("shared memory", "ok", f"room for {wanted:g} s of sound")
    text = f"{free / 1e6:.0f} MB free: {int(fitting)} s of sound can be kept instead of {wanted:g}"
    fix = "in a container start it with --shm-size=512m; else make room in /dev/shm"
    return Check("shared memory", "note" if fitting >= 1 else "missing", text, fix)


def servers(environment: Mapping[str, str]) -> Check:
    """Sound servers that run, and ALSA's way to them."""
    runtime = environment.get("XDG_RUNTIME_DIR", "/nowhere")
    places = {
        "PipeWire": [f"{runtime}/pipewire-0"],
        "PulseAudio": [
            environment.get("PULSE_SERVER", "").removeprefix("unix:") or f"{runtime}/pulse/native"
        ],
        "JACK": glob.glob(f"/dev/shm/jack_*_{os.getuid()}_0"),
    }
    running = [name for name, paths in places.items() if answers(*paths)]
    if not running:
        return Check("sound server", "note", "none runs for this user: devices are used directly")
    if {"PulseAudio", "PipeWire"} & set(running) and not any(
        glob.glob(f"{place}/{PLUGIN}") for place in PLUGIN_PLACES
    ):
        text = f"{', '.join(running)} runs, but ALSA's plug-in for it is not installed"
        return Check("sound server", "note", text, install_line([PLUGIN]))
    return Check("sound server", "ok", ", ".join(running))


def inputs(devices: Sequence[Device]) -> Check:
    microphones = [device for device in devices if device.inputs]
    if not microphones:
        text = f"{len(devices)} sound devices, none of them records: 'realtime live' plays the demo"
        fix = "plug a microphone in, or see whether the sound server runs for this user"
        return Check("microphone", "note", text, fix)
    default = next((d for d in microphones if d.is_default_input), microphones[0])
    text = f"'{default.full_name}' of {len(microphones)} that record ('realtime devices' has all)"
    return Check("microphone", "ok", text)


def microphone(audio: AudioSettings, seconds: float) -> Check:
    """Listens for a moment, through the engine as `live` does."""
    engine = EngineProcess(parse_source("mic"), audio)
    try:
        engine.start()
        arrivals, late = _listen(engine, seconds)
        lost, rate = engine.status.read().lost, engine.info.sample_rate
        # Samples of a muted microphone, or of one we may not hear, are all exactly zero.
        written = engine.ring.written
        heard = bool(engine.ring.read(max(engine.ring.oldest, written - rate), written).any())
    except RealtimeError as error:
        return Check("capture", "note", str(error), "see 'realtime devices' for another input")
    finally:
        engine.stop()
    if len(arrivals) < 2:
        return Check("capture", "note", "no block came", "is the device suspended or in use?")
    text = capture_text(arrivals, late, lost, rate)
    if not heard:
        fix = "unmute it, and let this program use the microphone (privacy settings)"
        return Check("capture", "note", f"only exact zeros; {text}", fix)
    return Check("capture", "ok", text)


def capture_text(arrivals: Sequence[float], late: Sequence[float], lost: int, rate: int) -> str:
    """intervals and lateness of blocks, seconds, as people read them."""
    every, late_ms = (sorted(1e3 * value for value in values) for values in (arrivals, late))
    return (
        f"{rate} Hz, blocks come every {statistics.median(every):.1f} ms "
        f"(99 %: {percentile(every, 99):.1f} ms), late by {statistics.median(late_ms):.1f} ms "
        f"(99 %: {percentile(late_ms, 99):.1f} ms), {lost} samples lost"
    )


def percentile(ordered: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of them do not exceed."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]


def _listen(engine: EngineProcess, seconds: float) -> tuple[list[float], list[float]]:
    """Intervals between deliveries, of a block or of several at once, and how much later each came
    than the promptest; seconds."""
    intervals: list[float] = []
    delays: list[float] = []
    before = engine.status.read()
    until = time.perf_counter() + FIRST_BLOCK_SECONDS
    while time.perf_counter() < until:
        engine.poll(time.perf_counter_ns())
        now = engine.status.read()
        if now.blocks and not before.blocks:
            until = time.perf_counter() + seconds
        if now.blocks > before.blocks and before.blocks:
            intervals.append((now.last_block_ns - before.last_block_ns) / 1e9)
        if now.blocks > before.blocks:
            delays.append(now.last_block_ns / 1e9 - now.samples / engine.info.sample_rate)
        before = now
        time.sleep(POLL_SECONDS)
    return intervals, [delay - min(delays) for delay in delays]
