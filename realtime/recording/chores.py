"""Work on files that are complete, a little at each step: a FLAC, a part that a crash left behind.

A chore that the disk refuses is begun again later; one that cannot be done is told and dropped.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from realtime.errors import RealtimeError, RecordingError
from realtime.wording import shown_path

RETRY_SECONDS = 10.0
"""After the disk has refused a chore."""

Chore = Iterator[None]
"""Does about as much between two values as may delay the writing of sound: some megabytes."""


BaseChore = Callable[[Path], Chore]
"""Made for the recording of that path, without suffix. Doing it again does no harm."""


def in_turn(base: Path, chores: Sequence[BaseChore]) -> Chore:
    """One after the other, for one recording, whatever became of those before: retention has to
    hear of a recording that could not be made into a FLAC, too.

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


class Chores:
    """First come, first done. Owner: the recorder's thread."""

    def __init__(self) -> None:
        self._waiting: deque[Callable[[], Chore]] = deque()
        self._running: Chore | None = None
        self._retry_ns = 0
        self.faults: list[str] = []
        """Sentences about what could not be done; whoever tells them empties the list."""

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, chore: Callable[[], Chore]) -> None:
        self._waiting.append(chore)

    def step(self, now_ns: int) -> bool:
        """Do a little. False where there was nothing to do, or the disk has refused it. Raises
        nothing: no file, however odd, may end a recording."""
        if not self._waiting or now_ns < self._retry_ns:
            return False
        try:
            if self._running is None:
                self._running = self._waiting[0]()
            next(self._running)
        except StopIteration:
            self._next()
        except RealtimeError as fault:
            self.faults.append(str(fault))
            self._next()
        except OSError:
            self._running = None
            self._retry_ns = now_ns + int(RETRY_SECONDS * 1e9)
            return False
        except Exception as fault:
            self.faults.append(f"a recording that is complete stays as it is: {fault!r}")
            self._next()
        return True

    def try_again(self) -> None:
        """Do at the next step what the disk has refused."""
        self._retry_ns = 0

    def _next(self) -> None:
        self._waiting.popleft()
        self._running = None
