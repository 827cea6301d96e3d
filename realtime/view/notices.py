"""What people are told while sound runs: one message at a time, the most urgent one."""

from __future__ import annotations

from realtime.engine.process import EngineProcess, Event

SILENT_SECONDS = 0.5
"""Exact zeros for this long come from no microphone: it is muted or not permitted."""

NEWS_SECONDS = 6.0
"""How long good news ("is back") stay on screen; bad news stay until they are over."""

TROUBLES = frozenset({"lost", "stalled", "waiting"})


class Notices:
    """`note` is of lasting interest and shown when nothing else is ("playing the demo")."""

    def __init__(self, note: str = ""):
        self.note = note
        self._trouble = ""
        self._news = ""
        self._news_ns = 0

    def heed(self, event: Event, now_ns: int) -> None:
        if event.kind in TROUBLES:
            self._trouble = event.text
            return
        if event.kind != "notice":
            self._trouble = ""
        if event.kind != "started":
            self._news, self._news_ns = event.text, now_ns

    def message(self, engine: EngineProcess, zero_run: int, now_ns: int) -> str:
        """The message of this moment; `zero_run`: newest samples in a row that are exactly 0."""
        trouble = self._trouble or silence(engine, zero_run)
        if trouble:
            return trouble
        if self._news and now_ns - self._news_ns < NEWS_SECONDS * 1e9:
            return self._news
        return unreal(engine) or self.note


def unreal(engine: EngineProcess) -> str:
    """Says so where the source has delivered zeros in place of what is no sound."""
    if not engine.bad_samples:
        return ""
    return (
        f"'{engine.info.name}' holds values that are no sound (NaN or infinite), played as zeros: "
        "make the file anew from where it came"
    )


def silence(engine: EngineProcess, zero_run: int) -> str:
    """Says so where a microphone has delivered exact zeros for `SILENT_SECONDS`."""
    if not engine.listens or zero_run < SILENT_SECONDS * engine.info.sample_rate:
        return ""
    gaps = engine.status.read().gaps
    if gaps and gaps[-1].index + gaps[-1].length >= engine.ring.written - zero_run:
        return ""  # the marked zeros of a loss, reported as such
    return (
        f"'{engine.info.name}' delivers exact zeros: it is muted, or this program is not permitted "
        "to use the microphone; look at the system's sound and privacy settings"
    )
