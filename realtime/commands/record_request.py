"""A request to record, checked as far as it can be before anything opens."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

from realtime import config
from realtime.audio.sources import WORDS, SourceSpec, parse_source
from realtime.commands.request import collected, load_settings, seconds_given
from realtime.config import AudioSettings, RecordSettings, Settings
from realtime.errors import RequestError, SettingsError
from realtime.recording.chores import BaseChore
from realtime.recording.compress import as_flac
from realtime.recording.disk import Disk
from realtime.recording.excerpt import LAST_SECONDS
from realtime.recording.names import check_pattern
from realtime.recording.pcm import DEPTHS
from realtime.recording.plan import Plan
from realtime.recording.retention import Keep, MinFree, parse_keep, parse_min_free
from realtime.recording.segments import Segmentation, parse_segmentation, seconds_of
from realtime.recording.station import Station
from realtime.recording.store import load_libraries, spectrogram
from realtime.recording.triggers import Trigger, parse_triggers
from realtime.recording.watch import Watch
from realtime.wording import shown_path

T = TypeVar("T")

BLOCK = 1024
"""Samples in one callback (21 ms at 48000 Hz): nobody waits for them, and few calls cost little;
with more, gaps can no longer be timed to 5 ms."""

LATENCY = 4 * BLOCK / 48000
"""Seconds that the server may hold back: it wakes up half as often as for the least it can."""

DEFAULTS = {
    "audio.block": BLOCK,
    "audio.latency": LATENCY,
    "stft.n_fft": 1024,
    "stft.hop": 480,
}
"""Columns on disk are for looking through hours: 100 a second, of 47 Hz, at 48000 Hz."""

RING_SECONDS = 60.0
"""Kept in memory where nothing more is asked for: twice a stall of the disk of 30 s."""

LONGEST_LAST = 3600.0
"""Of --last: an hour of stereo at 48000 Hz is 1.4 GB of memory."""


@dataclass(frozen=True)
class RecordRequest:
    stations: Sequence[Station]
    seconds: float | None
    json: bool
    last_seconds: float
    health_file: Path | None
    metrics_port: int | None


@dataclass(frozen=True)
class _Rules:
    """The settings of [record] as what they mean."""

    segmentation: Segmentation
    triggers: tuple[Trigger, ...]
    last_seconds: float | None
    keep: Keep | None
    least_free: MinFree
    health_file: Path | None


def checked_record(args: argparse.Namespace) -> RecordRequest:
    """The request, or `SettingsError` with every fault of it."""
    faults: list[str] = []
    settings = collected(faults, lambda: load_settings(args, defaults=DEFAULTS), Settings())
    places = collected(faults, lambda: _places(args.places), [])
    seconds = collected(faults, lambda: seconds_given(args.seconds), None)
    rules = _rules(settings.record, faults)
    if faults or rules is None:
        raise SettingsError(faults)
    record = settings.record
    if record.spectrogram:
        load_libraries()
    ring_seconds = _ring_seconds(settings, rules)
    audio = settings.audio.model_copy(update={"ring_seconds": ring_seconds})
    stations = [
        _station(folder, source, settings, rules, audio, seconds) for folder, source in places
    ]
    last = rules.last_seconds or min(LAST_SECONDS, ring_seconds)
    return RecordRequest(stations, seconds, args.json, last, rules.health_file, record.metrics_port)


def _station(
    folder: Path,
    source: SourceSpec,
    settings: Settings,
    rules: _Rules,
    audio: AudioSettings,
    seconds: float | None,
) -> Station:
    record = settings.record
    disk = Disk(folder, rules.keep, rules.least_free, record.when_full == "drop")
    after: list[BaseChore] = [disk.note]
    if record.format == "flac":
        after.insert(0, as_flac)
    if record.spectrogram:
        after.insert(0, partial(spectrogram, stft=settings.stft, folder=folder))
    plan = Plan(
        folder,
        rules.segmentation,
        name=record.name,
        depth=record.depth,
        after=after,
        settings=_told(settings),
        seconds=seconds,
    )
    triggers = () if rules.last_seconds is not None else rules.triggers
    return Station(source, audio, plan, disk, partial(Watch, triggers))


def _rules(record: RecordSettings, faults: list[str]) -> _Rules | None:
    """What the texts mean; their faults go to `faults`."""
    found = len(faults)

    def check(read: Callable[[], T]) -> T | None:
        return collected(faults, read, None)

    if record.depth not in DEPTHS:
        choice = ", ".join(map(str, DEPTHS))
        faults.append(f"record.depth = {record.depth} must be one of {choice} (try 24)")
    if (record.depth, record.format) == (32, "flac"):
        faults.append("record.depth = 32 is float, which FLAC cannot hold (try 24, or wav)")
    check(lambda: check_pattern(record.name))
    segmentation = check(lambda: parse_segmentation(record.segment, record.align))
    triggers = check(lambda: parse_triggers(record.trigger))
    last = (
        check(lambda: seconds_of(record.last, "record.last", 1.0, LONGEST_LAST, "5m"))
        if (record.last)
        else None
    )
    keep = check(lambda: parse_keep(record.keep)) if record.keep else None
    least_free = check(lambda: parse_min_free(record.min_free))
    health_file = check(lambda: _health_file(record.health_file)) if record.health_file else None
    if len(faults) > found or segmentation is None or triggers is None or least_free is None:
        return None
    return _Rules(segmentation, triggers, last, keep, least_free, health_file)


def _places(texts: Sequence[str]) -> list[tuple[Path, SourceSpec]]:
    """Folders and what goes into them: DIR, or pairs of DIR and SOURCE."""
    for text in texts[::2]:
        if text.partition(":")[0] in WORDS and not Path(text).is_dir():
            raise RequestError(
                f"DIR {shown_path(text)} is the name of a source: name a folder before it (as in: "
                f"pond {text}, or ./{text} for a folder of that name)"
            )
    if len(texts) == 1:
        return [(Path(texts[0]), parse_source("mic"))]
    if len(texts) % 2:
        raise RequestError(
            f"{len(texts)} places: name one DIR, or a SOURCE behind each DIR (as in: north "
            "mic:USB1 south mic:USB2)"
        )
    pairs = [(Path(texts[i]), parse_source(texts[i + 1])) for i in range(0, len(texts), 2)]
    folders = [folder.resolve() for folder, _ in pairs]
    for folder in folders:
        if folders.count(folder) > 1:
            raise RequestError(
                f"DIR {shown_path(str(folder))} is named twice: a folder of its own for each device"
            )
        for other in folders:
            if other in folder.parents:
                raise RequestError(
                    f"DIR {shown_path(str(folder))} lies in DIR {shown_path(str(other))}: name "
                    "folders that lie beside each other"
                )
    return pairs


def _ring_seconds(settings: Settings, rules: _Rules) -> float:
    """What has to stay in memory. Raises SettingsError where less was asked for."""
    wanted = max([rules.last_seconds or 0.0, *(trigger.before for trigger in rules.triggers)])
    asked = settings.audio.ring_seconds
    if asked is not None and asked < wanted:
        raise SettingsError(
            [
                f"audio.ring_seconds = {asked:g} is less than the {wanted:g} s that are to be kept "
                "in memory: leave audio.ring_seconds out"
            ]
        )
    return asked or RING_SECONDS + wanted


def _health_file(text: str) -> Path:
    path = Path(text)
    if not path.parent.is_dir() or (path.exists() and not path.is_file()):
        raise RequestError(
            f"record.health_file = {shown_path(text)} must be a file in a folder that is there"
        )
    return path


def _told(settings: Settings) -> dict[str, object]:
    """Settings that a sidecar repeats."""
    values = config.values_of(settings)
    sections = ("audio.", "record.")
    return {key: value for key, value in values.items() if key.startswith(sections)}
