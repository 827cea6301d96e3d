"""Work on files that are complete, a little at each step: a FLAC, a part that a crash left behind.

What the disk refuses is told once and begun again later, while other work goes on; what cannot be
done is told and dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from realtime.errors import RealtimeError, RecordingError
from realtime.recording import durable
from realtime.wording import shown_path

RETRY_SECONDS = 10.0
"""After the disk has refused something."""

Chore = Iterator[None]
"""Does about as much between two values as may delay the writing of sound: some megabytes."""


BaseChore = Callable[[Path], Chore]
"""Made for the recording of that path, without suffix. Doing it again does no harm."""


@dataclass(eq=False)
class _Work:
    """All chores of one recording."""

    base: Path
    chores: Sequence[BaseChore]
    running: Chore | None = None
    due_ns: int = 0
    told: bool = False
    """That the disk refused it."""


class Chores:
    """First come, first done. Owner: the recorder's thread."""

    def __init__(self) -> None:
        self._waiting: list[_Work] = []
        self.faults: list[str] = []
        """Sentences about what could not be done; whoever tells them empties the list."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, base: Path, chores: Sequence[BaseChore]) -> None:
        """Have them done, one after the other, for the recording at `base`."""
        self._waiting.append(_Work(base, chores))

    def step(self, now_ns: int) -> bool:
        """Do a little. False where there is nothing to be done by now. Raises nothing: no file,
        however odd, may end a recording."""
        work = next((work for work in self._waiting if work.due_ns <= now_ns), None)
        if work is None:
            return False
        try:
            if work.running is None:
                work.running = _in_turn(work.base, work.chores)
            next(work.running)
        except StopIteration:
            self._waiting.remove(work)
        except RecordingError as fault:
            self.faults.append(str(fault))
            self._waiting.remove(work)
        except OSError as fault:
            self._put_off(work, fault, now_ns)
        return True

    def try_again(self) -> None:
        """Do at the next steps what the disk has refused."""
        for work in self._waiting:
            work.due_ns = 0

    def _put_off(self, work: _Work, fault: OSError, now_ns: int) -> None:
        work.running, work.due_ns = None, now_ns + int(RETRY_SECONDS * 1e9)
        if not work.told:
            work.told = True
            self.faults.append(
                f"the disk refuses work on {shown_path(str(work.base))} ({durable.reason(fault)}): "
                f"it is tried again every {RETRY_SECONDS:g} s"
            )


def _in_turn(base: Path, chores: Sequence[BaseChore]) -> Chore:
    """One after the other, whatever became of those before: retention has to hear of a recording
    that could not be made into a FLAC, too.

    Raises at the end: OSError where the disk refused one, and all is to be done again; otherwise
    RecordingError with what could not be done.
    """
    refusal: OSError | None = None
    faults: list[str] = []
    for chore in chores:
        try:
            yield from chore(base)
        except OSError as fault:
            refusal = fault
        except RealtimeError as fault:
            faults.append(str(fault))
        except Exception as fault:
            faults.append(f"{shown_path(str(base))} stays as it is: {fault!r}")
    if refusal is not None:
        raise refusal
    if faults:
        raise RecordingError("; ".join(faults))
