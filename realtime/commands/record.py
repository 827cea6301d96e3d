"""`realtime record`: sound to disk, unattended.

Exit codes beyond 0 (all that was captured is on the disk, nothing is missing), 1 (a defect) and 2
(the request was wrong) are below; where several hold, the first of them.
"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING

from realtime.commands.record_request import RecordRequest, checked_record
from realtime.commands.record_tell import Teller, line, make_teller
from realtime.engine.process import Event
from realtime.engine.status import State
from realtime.errors import RealtimeError
from realtime.recording.health import Checkup, Health, is_well, replace_file
from realtime.recording.notify import ALIVE, READY, STOPPING, notify
from realtime.recording.recorder import Recorder
from realtime.recording.station import Station
from realtime.wording import say, shown_path

if TYPE_CHECKING:
    from realtime.recording.metrics import Metrics

LOOK_SECONDS = 0.2
"""Between two looks at engines and signals."""

LATE_SECONDS = 3.0
"""Longer than --seconds, to hear all of them: a sound server that slept takes 1.4 s to its first
sample."""

HEALTH_SECONDS = 1.0
"""Between two checkups."""

REQUESTS = {"SIGHUP": "rotate", "SIGUSR1": "save"}
ENDINGS = {"SIGINT": "end", "SIGTERM": "end", "SIGBREAK": "end"}
"""Signals, and what they ask for; the endings once there is something to end in good order."""

DISK_FAILED = 4
"""The disk failed or was full: something that was captured is not on it."""
NO_DEVICE = 3
"""The device could not be opened, or was gone at the end."""
GAPS = 5
"""It was there to the end, but samples are missing; the sidecars say which."""


def run(args: argparse.Namespace) -> int:
    request = checked_record(args)
    with ExitStack() as things:
        wishes = Wishes()
        things.enter_context(_heard(wishes, REQUESTS))
        stations = request.stations
        for station in stations:
            things.enter_context(station.disk.mine())
            things.callback(station.stop)
        metrics = _metrics(request, things)
        try:
            for station in stations:
                _start(station)
        except RealtimeError as error:
            say(str(error))
            return NO_DEVICE
        except KeyboardInterrupt:  # nobody waits for a device that does not open
            return 0
        things.enter_context(_heard(wishes, ENDINGS))
        teller = things.enter_context(make_teller(request.json))
        watch = Watch(request, teller, metrics)
        notify(READY)
        _until_the_end(request, watch, wishes)
        notify(STOPPING)
        lost = [station for station in stations if station.engine.state is State.STARTING]
        stood_still = [station for station in stations if not station.finish()]
        for station in stations:
            watch.tell(station)
        watch.look(last=True)
    return _exit_code(stations, bool(lost), bool(stood_still))


def _start(station: Station) -> None:
    station.start()
    folder = shown_path(str(station.plan.folder))
    say(f"recording '{station.engine.info.name}' into {folder}")


class Wishes:
    """What signals and keys have asked for since the last look."""

    def __init__(self) -> None:
        self.end = self.rotate = self.save = False


@contextmanager
def _heard(wishes: Wishes, words: Mapping[str, str]) -> Iterator[None]:
    """Signals, where there are such, become wishes."""

    def wish(word: str, *signal_and_frame: object) -> None:
        setattr(wishes, word, True)

    before = {
        name: signal.signal(getattr(signal, name), partial(wish, word))
        for name, word in words.items()
        if hasattr(signal, name)
    }
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _metrics(request: RecordRequest, things: ExitStack) -> Metrics | None:
    if request.metrics_port is None:
        return None
    from realtime.recording.metrics import Metrics

    metrics = Metrics(request.metrics_port)
    things.callback(metrics.stop)
    return metrics


def _until_the_end(request: RecordRequest, watch: Watch, wishes: Wishes) -> None:
    seconds = request.seconds or float("inf")
    until = time.perf_counter() + seconds + LATE_SECONDS
    while time.perf_counter() < until and not wishes.end:
        if all(station.heard(seconds) for station in request.stations):
            return
        for station in request.stations:
            watch.tell(station, station.poll())
        watch.look()
        for word in watch.teller.wishes(LOOK_SECONDS):
            setattr(wishes, word, True)
        if wishes.rotate:
            wishes.rotate = False
            for station in request.stations:
                station.ask(Recorder.rotate)
        if wishes.save:
            wishes.save = False
            for station in request.stations:
                station.save_last(request.last_seconds)
        if all(station.over for station in request.stations):
            return


class Watch:
    """Tells people, programs, Prometheus and systemd how things are. Owner: the main thread."""

    def __init__(self, request: RecordRequest, teller: Teller, metrics: Metrics | None):
        self.teller = teller
        self._request, self._metrics = request, metrics
        started = time.perf_counter()
        self._checkups = [Checkup(station, started) for station in request.stations]
        self._healths: list[Health] = []
        self._due = 0.0
        self._file_fault = ""

    def tell(self, station: Station, events: Sequence[Event] = ()) -> None:
        """Pass on what happened to one station, and to its engine."""
        if station.fault is not None:
            raise station.fault
        for text in (*(event.text for event in events), *station.news()):
            say(text)

    def look(self, last: bool = False) -> None:
        """Check up on everything, once a second."""
        now = time.perf_counter()
        if now < self._due and not last:
            return
        self._due = now + HEALTH_SECONDS
        healths = [checkup.look(last) for checkup in self._checkups]
        if self._healths and is_well(self._healths, healths):
            notify(ALIVE, f"STATUS={', '.join(health.state for health in healths)}")
        self._healths = healths
        self.teller.tell(healths, last)
        if self._metrics is not None:
            self._metrics.update(healths)
        if self._request.health_file is not None:
            self._put(healths)

    def _put(self, healths: Sequence[Health]) -> None:
        assert self._request.health_file is not None
        fault = ""
        try:
            replace_file(self._request.health_file, "".join(line(health) for health in healths))
        except OSError as error:
            fault = f"the health file cannot be written ({error.strerror}): is its folder there?"
        if fault and fault != self._file_fault:
            say(fault)
        self._file_fault = fault


def _exit_code(stations: Sequence[Station], lost: bool, stood_still: bool) -> int:
    reports = [station.recorder.report for station in stations]
    if stood_still or any(r.trouble or r.missed for r in reports) or _full(stations):
        return DISK_FAILED
    if lost:
        return NO_DEVICE
    return GAPS if any(report.missing for report in reports) else 0


def _full(stations: Sequence[Station]) -> bool:
    return any(station.disk.full for station in stations)
