"""What all of `live` costs: engine and analysis, memory, start-up, and the way into the picture.

Every figure is taken in processes of their own, one after the other. The CPU shares are those of
one core; the floor beside a start-up time is Python itself, or the imports nobody can avoid.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from benchmarks.goals import verdict

ROUNDS = 9
"""Starts of each program; their median is shown."""

RUN_SECONDS = 20.0
"""Long enough that a share of 0.1 % is 20 ms of CPU time, above the 10 ms of the kernel's count."""

WARM_SECONDS = 25.0
"""Until the history is full once and its memory touched: what follows is what stays."""

FRAMES_A_SECOND = 60
BLOCKS_A_SECOND = 48000 / 256

SCREEN = ["xvfb-run", "-a", "-s", "-screen 0 1920x1080x24 +extension GLX"]


@dataclass(frozen=True)
class Running:
    """What one run of the model beside its engine cost."""

    engine_share: float
    display_share: float
    engine_mb: float
    display_mb: float
    ring_mb: float
    latency_ms: float
    latency_p99_ms: float
    drawn: str
    lost: int


def tables() -> list[Table]:
    return [start_table(), running_table()]


def start_table() -> Table:
    table = Table(title="Start-up, median of interleaved starts", caption=f"{ROUNDS} starts each")
    for column in ("what", "seconds", "goal", ""):
        table.add_column(column, justify="right" if column == "seconds" else "left")
    programs = {
        "python -c pass (floor)": [sys.executable, "-c", "pass"],
        "realtime --help": [sys.executable, "-m", "realtime", "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(ROUNDS):
        for name, command in programs.items():
            began = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            times[name].append(time.perf_counter() - began)
    for name, values in times.items():
        value = statistics.median(values)
        goal = 0.25 if "help" in name else None
        table.add_row(name, f"{value:.3f}", *verdict(value, goal, "s"))
    first = _json_of([*SCREEN, sys.executable, "-m", "benchmarks.live", "first-columns"])
    table.add_row("first column drawn by `realtime live noise`", f"{statistics.median(first):.3f}")
    return table


def running_table() -> Table:
    table = Table(
        title="live, 48 kHz mono, 4096/256, 60 frames a second",
        caption="share of one core; memory is what is not shared; latency from callback to texture",
    )
    for column in ("what", "engine", "analysis", "together", "goal", "", "MB", "latency ms (p99)"):
        table.add_column(column, justify="left" if column in ("what", "goal", "") else "right")
    sleeper = [sys.executable, "-m", "benchmarks.live", "asleep"]
    blocks, frames = (
        _json_of([*sleeper, f"{rate:g}"]) for rate in (BLOCKS_A_SECOND, FRAMES_A_SECOND)
    )
    table.add_row(
        "floor: wake up as often, do nothing",
        f"{blocks:.2%}",
        f"{frames:.2%}",
        f"{blocks + frames:.2%}",
        *[""] * 4,
    )
    for name, mode in (
        ("no picture (model only)", "model"),
        ("window, nothing rasterised", "noop"),
    ):
        environment = {"GALLIUM_NOOP": "1"} if mode == "noop" else {}
        command = [sys.executable, "-m", "benchmarks.live", "running", mode]
        run = Running(**_json_of(command, **environment))
        together = run.engine_share + run.display_share
        goal = 0.03 if mode == "model" else None
        table.add_row(
            name,
            f"{run.engine_share:.2%}",
            f"{run.display_share:.2%}",
            f"{together:.2%}",
            *verdict(together, goal, "share"),
            f"{run.engine_mb:.0f} + {run.display_mb:.0f}, ring {run.ring_mb:.0f}",
            f"{run.latency_ms:.1f} ({run.latency_p99_ms:.1f})",
        )
    return table


def _json_of(command: list[str], **environment: str) -> Any:
    """The last line a process of ours printed."""
    result = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, env=os.environ | environment, text=True
    )
    return json.loads(result.stdout.splitlines()[-1])


def measure_running(mode: str) -> Running:
    from realtime.audio.sources import parse_source
    from realtime.config import load
    from realtime.engine.process import EngineProcess
    from realtime.view.model import LiveModel

    settings = load(flags={"stft.n_fft": 4096, "stft.hop": 256})
    engine = EngineProcess(parse_source("noise"), settings.audio)
    engine.start()
    model = LiveModel(settings, engine)
    step = _window_step(model) if mode == "noop" else (lambda: model.tick(time.monotonic_ns()))
    _run_frames(step, WARM_SECONDS)
    assert engine.pid is not None
    other = psutil.Process(engine.pid)
    engine_before, display_before = sum(other.cpu_times()[:2]), time.process_time()
    model.latencies_ms.clear()
    began = time.perf_counter()
    frames = _run_frames(step, RUN_SECONDS)
    took = time.perf_counter() - began
    engine_share = (sum(other.cpu_times()[:2]) - engine_before) / took
    display_share = (time.process_time() - display_before) / took
    latencies = sorted(model.latencies_ms)
    run = Running(
        engine_share=engine_share,
        display_share=display_share,
        engine_mb=_private_mb(other),
        display_mb=_private_mb(psutil.Process()),
        ring_mb=engine.ring.capacity * engine.ring.n_channels * 4 / 1e6,
        latency_ms=statistics.median(latencies),
        latency_p99_ms=latencies[int(0.99 * len(latencies))],
        drawn=f"{frames / took:.0f} frames a second",
        lost=engine.status.read().lost,
    )
    model.close()
    return run


def asleep(rate: float) -> float:
    """Share of a core that it takes to wake `rate` times a second and do nothing."""
    before, began = time.process_time(), time.perf_counter()
    while time.perf_counter() - began < RUN_SECONDS / 4:
        time.sleep(1 / rate)
    return (time.process_time() - before) / (time.perf_counter() - began)


def _run_frames(step, seconds: float) -> int:
    """Calls `step` 60 times a second, as a screen would; returns the frames."""
    began = time.perf_counter()
    frames = 0
    while (now := time.perf_counter()) - began < seconds:
        step()
        frames += 1
        due = began + frames / FRAMES_A_SECOND
        time.sleep(max(0.0, due - now - (time.perf_counter() - now)))
    return frames


def _window_step(model):
    """Draws the model's picture as the window does, on an offscreen surface."""
    os.environ.setdefault("EGL_PLATFORM", "surfaceless")
    from realtime.view.canvas import PictureCanvas

    canvas = PictureCanvas("egl", size=(1280, 720))
    canvas.set_current()
    canvas.set_display(model.settings.display, model.sample_rate)
    canvas.set_histories(model.histories)

    def step() -> None:
        now = time.monotonic_ns()
        model.tick(now)
        model.update_hold(now)
        canvas.set_scroll(model.right_edge(now), model.columns_per_span)
        canvas.events.draw()

    return step


def _private_mb(process: psutil.Process) -> float:
    """What no other process can share: neither the ring nor libraries."""
    memory = process.memory_info()
    return (memory.rss - memory.shared) / 1e6


def first_columns() -> list[float]:
    """Seconds from a program's start to the first frame of its window with a column in it."""
    program = [sys.executable, "-m", "benchmarks.live", "first-column"]
    return [_json_of(program, BENCHMARK_BEGAN=str(time.monotonic())) for _ in range(ROUNDS)]


def first_column() -> float:
    """Runs the program in this process and looks over the shoulder of its canvas."""
    from realtime.cli import main
    from realtime.view.canvas import PictureCanvas

    began, seconds = float(os.environ["BENCHMARK_BEGAN"]), []
    draw = PictureCanvas.on_draw

    def watched(canvas: PictureCanvas, event: object) -> None:
        draw(canvas, event)
        if not seconds and canvas.uploaded:
            seconds.append(time.monotonic() - began)

    PictureCanvas.on_draw = watched
    main(["live", "noise", "--seconds", "2", "--preset", "default"])
    return seconds[0]


def main() -> None:
    match sys.argv[1:]:
        case ["running", mode]:
            print(json.dumps(asdict(measure_running(mode))))
        case ["asleep", rate]:
            print(json.dumps(asleep(float(rate))))
        case ["first-columns"]:
            print(json.dumps(first_columns()))
        case ["first-column"]:
            print(json.dumps(first_column()))
        case _:
            for table in tables():
                Console().print(table)


if __name__ == "__main__":
    main()
