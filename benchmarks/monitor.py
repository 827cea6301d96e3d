"""What the monitor costs: the whole path beside the same engine without it, and each effect.

The path runs as in the engine: a tone paced in real time, its callback, a worker woken by it, and
a playback callback, all in one process of its own; what they cost is CPU time of the process.
Effects are measured in a chain, a frame a call, as they are called in a monitor.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time

import numpy as np
from rich.table import Table

from benchmarks.goals import verdict
from realtime.audio.ring import AudioRing
from realtime.audio.sources import PacedSource
from realtime.audio.synth import Demo, Tone
from realtime.config import MonitorSettings
from realtime.dsp.processors.base import FrameFormat
from realtime.dsp.processors.chain import Chain
from realtime.dsp.processors.registry import BUILTIN, Effect
from realtime.dsp.stft import StreamingIstft, StreamingStft
from realtime.engine.engine import Engine
from realtime.engine.monitor import Monitor, MonitorState
from realtime.engine.monitor_status import MonitorStatus
from realtime.engine.playback import DirectPlayback
from realtime.engine.status import Status
from realtime.engine.worker import Worker

RATE, BLOCK, N_FFT, HOP = 48000, 256, 1024, 256
GOAL_SHARE = 0.06
ROUNDS = 3
RUN_SECONDS = 10.0
"""A share of 0.1 % is 10 ms of CPU time, the kernel's own unit of counting."""

EFFECT_FRAMES = 300
EFFECT_ROUNDS = 5
VALUES: dict[str, dict[str, object]] = {
    "gain": {"db": -6},
    "mask": {"boxes": "300-3400"},
    "freeze": {"on": True},
    "pitch": {"semitones": 7},
}
"""Parameters with which an effect has work to do."""


def tables() -> list[Table]:
    return [path_table(), effect_table()]


# The whole path.


class _Voice:
    """In the engine's place for a device: plays what the monitor made, in the same callback."""

    duplex = False

    def __init__(self, ring: AudioRing, output: AudioRing, status: MonitorStatus):
        self._playback = DirectPlayback(1, RATE, BLOCK, status)
        state = MonitorState(MonitorSettings(n_fft=N_FFT, hop=HOP))
        self._monitor = Monitor(
            ring, output, status, self._playback, state, listens=True, block=BLOCK
        )
        self._worker = Worker(self._monitor, status)
        self._out = np.empty((BLOCK, 1), np.float32)

    def start(self) -> None:
        self._worker.start()

    def captured(self, block: np.ndarray, lost: int) -> None:
        self._monitor.captured(block, lost)
        self._playback.fill(self._out)
        self._worker.wake()

    def step(self, now_ns: int, told_latency: float) -> None: ...

    def stop(self) -> None:
        self._worker.stop()


def run_once(monitors: bool) -> float:
    """Share of a core of an engine with or without a monitor, by the CPU time of this process."""
    ring, output = (AudioRing.create(1, RATE, 5) for _ in range(2))
    status, monitor_status = Status.create(), MonitorStatus.create()
    voice = _Voice(ring, output, monitor_status) if monitors else None
    source = PacedSource(Tone(440, RATE, 1), BLOCK)
    engine = Engine(source, ring, status, voice=voice)  # type: ignore[arg-type]
    sys.setswitchinterval(2e-4)
    engine.start()
    time.sleep(1)
    began, cpu = time.monotonic(), time.process_time()
    while time.monotonic() - began < RUN_SECONDS:
        engine.step(time.monotonic_ns())
        time.sleep(0.05)
    share = (time.process_time() - cpu) / (time.monotonic() - began)
    engine.stop()
    for memory in (ring, output, status, monitor_status):
        memory.close()
    return share


def path_table() -> Table:
    table = Table(
        title=f"The monitor's path, {N_FFT}/{HOP} mono at {RATE} Hz, no effects",
        caption=f"shares of one core, median of {ROUNDS} interleaved runs of {RUN_SECONDS:g} s",
    )
    for column in ("what", "share", "goal", ""):
        table.add_column(column, justify="right" if column == "share" else "left")
    shares: dict[str, list[float]] = {"live": [], "monitor": []}
    for _ in range(ROUNDS):
        for mode, values in shares.items():
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.monitor", mode],
                check=True,
                capture_output=True,
                text=True,
            )
            values.append(json.loads(done.stdout))
    live, monitor = (statistics.median(values) for values in shares.values())
    table.add_row("engine without monitor", f"{live:.1%}", "", "")
    table.add_row("engine with monitor", f"{monitor:.1%}", "", "")
    more = monitor - live
    table.add_row("the monitor's path", f"{more:.1%}", *verdict(more, GOAL_SHARE, "share"))
    return table


# Effects.


def frames_of_demo() -> tuple[FrameFormat, np.ndarray]:
    """The format and frames of the demo sound, complex64 (n_frames, 1, n_bins)."""
    stft = StreamingStft(N_FFT, HOP, n_channels=1)
    istft = StreamingIstft(N_FFT, HOP, n_channels=1)
    form = FrameFormat(RATE, N_FFT, HOP, 1, stft.window, istft.synthesis_window)
    frames = stft.push(Demo(RATE, 1).read(HOP * EFFECT_FRAMES + N_FFT))
    return form, frames


class _Captured:
    """What was captured, for effects that play it."""

    written = 10 * RATE

    def __init__(self) -> None:
        self._samples = Demo(RATE, 1).read(self.written)

    def read(self, start: int, stop: int) -> np.ndarray:
        return self._samples[start:stop].copy()


def effect_table() -> Table:
    table = Table(
        title=f"Effects, a frame a call, {N_FFT}/{HOP} mono at {RATE} Hz",
        caption=f"median of {EFFECT_ROUNDS} interleaved rounds of {EFFECT_FRAMES} frames; caches "
        "are warm here, in a monitor that sleeps between frames they are not",
    )
    for column in ("effect", "µs a frame", "share of a core", "latency"):
        table.add_column(column, justify="left" if column == "effect" else "right")
    form, frames = frames_of_demo()
    capture = _Captured()
    values = {**VALUES, "stretch": {"start": 0, "stop": 5 * RATE}}
    chains = {"(empty chain)": Chain(form, [], capture=capture)}
    for name in BUILTIN:
        chains[name] = Chain(form, [Effect(name, values.get(name, {}))], capture=capture)
    times: dict[str, list[float]] = {name: [] for name in chains}
    for _ in range(EFFECT_ROUNDS):
        for name, chain in chains.items():
            began = time.thread_time()
            for i in range(len(frames)):
                chain.process(frames[i : i + 1])
            times[name].append((time.thread_time() - began) / len(frames))
    for name, taken in times.items():
        seconds = statistics.median(taken)
        latency = 1000 * chains[name].latency / RATE
        share = seconds * RATE / HOP
        table.add_row(name, f"{1e6 * seconds:.1f}", f"{share:.2%}", f"{latency:.1f} ms")
    return table


if __name__ == "__main__":
    sys.stdout.write(json.dumps(run_once(sys.argv[1] == "monitor")))
