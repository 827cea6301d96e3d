"""One recording while it grows, and how it gets its name.

On the disk lie `NAME.part.wav`, which any program reads at any moment, and `NAME.part.json`, what
is known so far. When it is complete the sidecar `NAME.json` comes first, then the sound takes its
name: a recording with a name has a sidecar, whatever happens between.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from realtime.engine.status import Gap
from realtime.recording import durable, sidecar
from realtime.recording.clock import UtcClock
from realtime.recording.levels import SegmentLevels
from realtime.recording.metadata import Metadata
from realtime.recording.stream import Stream, joined
from realtime.recording.wav import WavWriter

PART_WAV, PART_JSON = ".part.wav", ".part.json"


def beside(base: Path, suffix: str) -> Path:
    """`base` is the path of a recording without a suffix; its name may hold dots."""
    return base.with_name(base.name + suffix)


def taken(base: Path) -> bool:
    """Whether anything of a recording of this name lies there."""
    return any(
        beside(base, suffix).exists() for suffix in (".wav", ".flac", ".json", PART_WAV, PART_JSON)
    )


class Segment:
    """Samples [start, stop) of a stream in a file. Owner: the recorder's thread.

    Every method raises OSError where the disk fails; then only `give_up` is left.
    utc_ns : of sample `start`
    settings : for the sidecar
    before : gaps that end at `start` and are in no file
    """

    def __init__(
        self,
        base: Path,
        stream: Stream,
        start: int,
        utc_ns: int,
        depth: int,
        settings: Mapping[str, Any],
        before: Sequence[Gap] = (),
    ):
        self.base, self.start, self.stop = base, start, start
        self.synced = start
        """Samples before this one are on the disk for sure."""
        self.gaps: list[Gap] = []
        self._stream, self._depth = stream, depth
        self._known = {
            "stream": stream.id,
            "device": stream.device,
            "source": stream.source,
            "sample_rate": stream.sample_rate,
            "channels": stream.n_channels,
            "depth": depth,
            "start": start,
            "utc_start": sidecar.utc_text(utc_ns),
            "gaps_before": sidecar.gap_entries(before),
            "settings": dict(settings),
        }
        self.levels = SegmentLevels(stream.n_channels)
        durable.make_folder(base.parent)
        self._note()
        try:
            self._writer = WavWriter(
                beside(base, PART_WAV),
                stream.sample_rate,
                stream.n_channels,
                depth,
                self._metadata(utc_ns),
            )
        except OSError:
            with contextlib.suppress(OSError):
                beside(base, PART_JSON).unlink()
            raise

    def _metadata(self, utc_ns: int) -> Metadata:
        return Metadata(utc_ns, self._stream.device, f"{self._stream.id[:16]}-{self.start}")

    def _note(self) -> None:
        entries = {"complete": False, **self._known, "gaps": sidecar.gap_entries(self.gaps)}
        durable.write_text(beside(self.base, PART_JSON), sidecar.text_of(entries))

    def append(self, block: np.ndarray, gaps: Sequence[Gap] = ()) -> None:
        """Take the next samples, float32 (n_samples, n_channels), and the gaps among them, which
        are zeros in `block`."""
        if gaps:  # told before the zeros that they explain
            self.gaps = joined(self.gaps, gaps)
            self._note()
        self._writer.write(block)
        self.stop += len(block)
        self.levels.push(block)

    def sync(self) -> None:
        """What was appended survives a power cut after this."""
        self._writer.sync()
        self.synced = self.stop

    def seal(self, ended: str, clock: UtcClock) -> dict[str, Any]:
        """Complete it; returns its sidecar.

        ended : why the file ends here
        clock : says when samples `start` and `stop` were, as far as it is known by now
        """
        utc_start_ns = clock.utc_ns(self.start)
        self._writer.close(self._metadata(utc_start_ns))
        self.synced = self.stop
        values = {
            **self._known,
            "stop": self.stop,
            "utc_start": sidecar.utc_text(utc_start_ns),
            "utc_end": sidecar.utc_text(clock.utc_ns(self.stop)),
            "ended": ended,
            "clock": sidecar.clock_entry(clock, self.start, self.stop),
            "levels": self.levels.summary(),
            "gaps": sidecar.gap_entries(self.gaps),
            "sha256": self._writer.digest,
        }
        return publish(self.base, values)

    def give_up(self) -> None:
        """After a failure: let go, keeping on the disk what was synced, as far as that works. The
        part is finished when the disk works again (`recovery`)."""
        self._writer.abandon()


def publish(base: Path, values: Mapping[str, Any]) -> dict[str, Any]:
    """Give a sealed part its name; returns the sidecar's values. Safe to do again after a crash."""
    part, whole = beside(base, PART_WAV), beside(base, ".wav")
    size = (part if part.exists() else whole).stat().st_size
    complete = {**values, "complete": True, "files": [whole.name], "bytes": {whole.name: size}}
    durable.write_text(beside(base, ".json"), sidecar.text_of(complete))
    if part.exists():
        durable.replace(part, whole)
    beside(base, PART_JSON).unlink(missing_ok=True)
    return complete
