"""When to record: spans of samples, found by triggers, or one without end.

The recorder asks at each step what is wanted by now, and says of each span when it is on the disk:
what failed there is wanted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from realtime.audio.ring import AudioRing
from realtime.errors import Overrun
from realtime.recording.clock import UtcClock
from realtime.recording.triggers import Trigger, Triggers

LOOK_SECONDS = 0.5
"""Heard by the triggers at a time."""

LEAD_SECONDS = 0.25
"""Where the ring has come round, this much more is left out: it moves on while one reads."""


@dataclass(eq=False)
class Span:
    """Samples [start, stop); stop is None while it goes on."""

    start: int
    stop: int | None = None


class Watch:
    """triggers : any one suffices; none for nothing but what is asked for. Owner: one thread."""

    def __init__(self, triggers: Sequence[Trigger], sample_rate: int, n_channels: int):
        """Raises RequestError where a trigger does not fit the sample rate."""
        self.until = 0
        """A span that goes on is wanted up to this sample, for all that is known by now."""
        self._triggers = Triggers(triggers, sample_rate, n_channels) if triggers else None
        self._spans: list[Span] = []
        if self._triggers is not None and self._triggers.continuous:
            self._spans, self._triggers = [Span(0)], None
        self._heard = 0

    def look(self, ring: AudioRing, clock: UtcClock) -> list[Span]:
        """What is wanted by now, oldest first."""
        self.until = ring.written
        if self._triggers is not None:
            self._hear(self._triggers, ring, clock)
            self.until = min(self.until, self._triggers.decided)
        return list(self._spans)

    def done(self, span: Span) -> None:
        """It is on the disk, and nothing of it is wanted any more."""
        self._spans.remove(span)

    def _hear(self, triggers: Triggers, ring: AudioRing, clock: UtcClock) -> None:
        written, n = ring.written, int(LOOK_SECONDS * ring.sample_rate)
        while self._heard < written:
            stop = min(self._heard + n, written)
            try:
                block = ring.read(self._heard, stop)
            except Overrun:
                lead = int(LEAD_SECONDS * ring.sample_rate)
                self._heard = min(ring.oldest + lead, written)
                continue
            for decision in triggers.push(self._heard, block, clock.utc_ns, ring.oldest):
                if decision.kind == "start":
                    self._spans.append(Span(decision.index))
                else:
                    self._spans[-1].stop = decision.index
            self._heard = stop
