"""What faults cost a recorder: `realtime record`, arecord and ffmpeg side by side, as it happens.

All three record the same source at the same time, onto the same disk where the fault is the
disk's; a witness that no fault touches tells what they missed. Needs root and loop devices (for
disks to freeze and to cut the power of), PulseAudio, gcc, and seven minutes.

lost : seconds of sound that the witness heard and no file holds, from the program's first sample
to the end of the run. readers : of soundfile, ffmpeg and sox, how many read the files as they lie
there. before : whether all that was recorded until a second before the fault is intact.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from rich.table import Table

from benchmarks.witness import OURS, PROGRAMS, RATE, Contestant, Witness, missing

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from captures import sidecars
from disks import LoopDisk, loop_disk, tmpfs
from faulty_libc import FaultyLibc
from servers import PulseServer, pulse_server

ROUNDS = 3
"""Of kills and power cuts, whose cost depends on the moment; the worst is shown."""

BEFORE_SECONDS = 4.0
AFTER_SECONDS = 5.0
EDGE_SECONDS = 0.5
"""Before the end of a run: what is still on its way then is not counted as lost."""

STALL_SECONDS = 30.0
RING_SECONDS = 10.0
"""Of the recorder whose disk stands still for longer than that."""

AWAY_SECONDS = 3.0
"""For which a server, a source or a disk is away."""


@dataclass
class Scene:
    """Everything that a fault may be done to."""

    server: PulseServer
    witness: Witness
    contestants: list[Contestant]
    heard: np.ndarray | None = None
    """All until the fault, where that is the end of the run."""
    notes: dict[str, str] = field(default_factory=dict)
    """Of a contestant, in place of what it told."""

    @property
    def ours(self) -> Contestant:
        return next(c for c in self.contestants if c.name == OURS)


@dataclass(frozen=True)
class Outcome:
    fault: str
    program: str
    lost: float
    told: str
    readers: int
    intact: bool
    goes_on: bool | None
    """None where the fault is the end."""


Fault = Callable[[Scene], None]


def run(
    fault: str,
    disk: Path,
    act: Fault,
    programs: Sequence[str] = tuple(PROGRAMS),
    options: Sequence[str] = (),
    env: Mapping[str, str] | None = None,
) -> list[Outcome]:
    """One fault, done to all programs at once. options : of ours"""
    with plain_disk() as folder, pulse_server() as server:
        scene = Scene(server, Witness(server, folder), [])
        for name in programs:
            more = options if name == OURS else ()
            scene.contestants.append(
                Contestant(name, disk, folder, {**server.env, **(env or {})}, *more)
            )
        with ExitStack() as ends:
            for contestant in scene.contestants:
                ends.callback(contestant.end)
                contestant.wait_until_it_records()
            time.sleep(BEFORE_SECONDS)
            at = scene.witness.heard()[-1]
            act(scene)
            if scene.heard is None:
                time.sleep(AFTER_SECONDS)
                heard = scene.witness.heard()[: -int(EDGE_SECONDS * RATE)]
            else:
                heard = scene.heard
        return [_outcome(fault, c, heard, int(at), scene) for c in scene.contestants]


def _outcome(fault: str, contestant: Contestant, heard: np.ndarray, at: int, s: Scene) -> Outcome:
    holding = contestant.holds()
    gone = missing(heard, holding.names)
    return Outcome(
        fault,
        contestant.name,
        len(gone) / RATE,
        s.notes.get(contestant.name, contestant.told),
        holding.readers,
        not (gone < at - RATE).any(),
        None if s.heard is not None else not np.isin(heard[-RATE // 2 :], gone).any(),
    )


# The faults.


def kill(scene: Scene) -> None:
    for contestant in scene.contestants:
        contestant.process.kill()
    scene.heard = scene.witness.heard()
    for contestant in scene.contestants:
        contestant.process.wait()


def kill_the_engine(scene: Scene) -> None:
    scene.ours.engine.kill()


def cut_the_power(disk: LoopDisk) -> Fault:
    def act(scene: Scene) -> None:
        disk.cut_power()
        kill(scene)
        disk.restore_power()

    return act


def freeze(disk: LoopDisk, seconds: float) -> Fault:
    def act(scene: Scene) -> None:
        with disk.frozen():
            time.sleep(seconds)

    return act


def fill(disk: Path) -> Fault:
    def act(scene: Scene) -> None:
        while os.statvfs(disk).f_bavail > 4:
            time.sleep(0.1)
        time.sleep(AWAY_SECONDS)
        (disk / "filler").unlink()

    return act


def turn_read_only(disk: LoopDisk) -> Fault:
    return lambda scene: disk.go_read_only()


def fail_syncs(libc: FaultyLibc) -> Fault:
    def act(scene: Scene) -> None:
        with libc.failing_syncs():
            time.sleep(AWAY_SECONDS)

    return act


def step_the_clock(libc: FaultyLibc) -> Fault:
    def act(scene: Scene) -> None:
        libc.step_clock()
        time.sleep(AFTER_SECONDS)
        scene.ours.end()
        steps = [s for values in sidecars(scene.ours.folder) for s in values["clock"]["steps"]]
        scene.notes[OURS] = f"steps in the sidecars: {[round(s['seconds'], 2) for s in steps]} s"
        scene.heard = scene.witness.heard()[: -int((AFTER_SECONDS + EDGE_SECONDS) * RATE)]

    return act


def kill_the_server(scene: Scene) -> None:
    scene.server.kill()
    time.sleep(AWAY_SECONDS)
    scene.server.start()
    scene.witness.begin()


def suspend_the_source(scene: Scene) -> None:
    scene.server.suspend(True)
    time.sleep(AWAY_SECONDS)
    scene.server.suspend(False)


# All of them.


def outcomes() -> Iterator[list[Outcome]]:
    only = (OURS,)
    with plain_disk() as disk:
        yield worst(run(f"kill -9, worst of {ROUNDS}", disk / f"{i}", kill) for i in range(ROUNDS))
        yield run("engine killed", disk / "e", kill_the_engine, only)
        yield run(f"server killed, back after {AWAY_SECONDS:g} s", disk / "s", kill_the_server)
        yield run(f"source suspended for {AWAY_SECONDS:g} s", disk / "q", suspend_the_source)
        libc = FaultyLibc(disk / "libc")
        hour = step_the_clock(libc)
        syncs = fail_syncs(libc)
        yield run(f"syncs fail for {AWAY_SECONDS:g} s", disk / "y", syncs, only, env=libc.env)
        yield run("clock stepped by an hour", disk / "c", hour, only, env=libc.env)
    yield worst(_on_loop(f"power cut, worst of {ROUNDS}", cut_the_power) for _ in range(ROUNDS))
    stall = f"disk stands still for {STALL_SECONDS:g} s"
    yield _on_loop(stall, lambda disk: freeze(disk, STALL_SECONDS))
    ring = ("--set", f"audio.ring_seconds={RING_SECONDS:g}")
    longer = f"for {2 * RING_SECONDS:g} s, with a ring of {RING_SECONDS:g} s"
    yield _on_loop(longer, lambda disk: freeze(disk, 2 * RING_SECONDS), only, ring)
    yield _on_loop("disk turns read-only", turn_read_only)
    with plain_disk() as folder, tmpfs(folder / "small", "14m") as disk:
        (disk / "filler").write_bytes(bytes(7_000_000))
        yield run("disk full, then room again", disk, fill(disk))


def worst(rounds: Iterator[list[Outcome]]) -> list[Outcome]:
    """Of each program the round that cost most, with the fewest readers of all."""
    found = []
    for same in zip(*rounds, strict=True):
        most = max(same, key=lambda outcome: outcome.lost)
        readers = min(outcome.readers for outcome in same)
        intact = all(outcome.intact for outcome in same)
        found.append(replace(most, readers=readers, intact=intact))
    return found


@contextmanager
def plain_disk() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def _on_loop(
    fault: str,
    act: Callable[[LoopDisk], Fault],
    programs: Sequence[str] = tuple(PROGRAMS),
    options: Sequence[str] = (),
) -> list[Outcome]:
    with plain_disk() as folder, loop_disk(folder / "disk", 256) as disk:
        return run(fault, disk.folder, act(disk), programs, options)


def tables() -> Iterator[Table]:
    table = Table(
        title="Faults: 48 kHz stereo from PulseAudio, 16 bits, three programs at once",
        caption="lost of what the witness heard, who hears a suspended source too, but no killed "
        "server; the others never sync and keep no time: they cannot notice faults of either",
    )
    if os.geteuid() != 0 or not Path("/dev/loop-control").exists():
        table.add_column("not made: this needs root, and loop devices")
        yield table
        return
    for name in ("fault", "program", "lost, s", "readers", "before", "goes on", "told"):
        table.add_column(name, justify="right" if name in ("lost, s", "readers") else "left")
    for rows in outcomes():
        for i, row in enumerate(rows):
            table.add_row(
                row.fault if i == 0 else "",
                row.program,
                f"{row.lost:.2f}",
                f"{row.readers} of 3",
                "intact" if row.intact else "[red]lost[/]",
                {None: "", True: "yes", False: "[red]no[/]"}[row.goes_on],
                row.told,
                end_section=i == len(rows) - 1,
            )
    yield table
