"""Which columns are on screen: live ones, or a span of the past; and where one looks.

One `Analysis` follows the sound. When settings change, a successor is filled beside it with the
visible span and takes its place when it has caught up; a span of the past that is no longer there
is analysed again in the same way. Owner: the display's thread. Nothing in here waits but `settle`.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from realtime.audio.ring import AudioRing
from realtime.config import Settings
from realtime.view.analysis import Analysis
from realtime.view.history import ColumnHistory
from realtime.view.hold import PeakHold
from realtime.view.scroll import SmoothEdge
from realtime.view.signals import Signals

LIVE_BUDGET_SECONDS = 0.008
"""Half a frame at 60 per second; live columns take a tenth of it."""

AGAIN_BUDGET_SECONDS = 0.010
"""For analysing the visible span again: 12 s at 4096/256 is done in some ten frames."""

SETTLE_SECONDS = 5.0
"""The longest that a picture to be kept waits for its columns; those of 12 s take less than 1 s."""


class Columns:
    """heard : what is analysed, the capture `ring` or what became of it
    announce : called with what changed: "view", "histories"
    """

    def __init__(
        self,
        heard: AudioRing | Signals,
        ring: AudioRing,
        settings: Settings,
        announce: Callable[[str], None],
    ):
        self._heard, self._ring = heard, ring
        self._settings, self._announce = settings, announce
        self._live = Analysis(heard, settings.stft, settings.display, start=ring.oldest)
        self._still: Analysis | None = None
        self._pending: Analysis | None = None
        self._edge = SmoothEdge(ring.sample_rate)
        self._paused_at: float | None = None
        self._skipped_before = 0
        self.hold = PeakHold(self._live.histories)

    @property
    def live(self) -> Analysis:
        """The columns that follow the sound, on screen or not."""
        return self._live

    @property
    def shown(self) -> Analysis:
        """The columns on screen."""
        return self._still or self._live

    @property
    def histories(self) -> list[ColumnHistory]:
        return self.shown.histories

    @property
    def skipped(self) -> int:
        """Columns that a late display gave up."""
        return self._skipped_before + self._live.skipped

    # Where one looks, in samples.

    @property
    def newest(self) -> float:
        """The instant of the newest live column."""
        return self._live.sample_at(self._live.count)

    def right_sample(self, elapsed_ns: int | None) -> float:
        """The instant at the right edge, as a fractional sample index.

        elapsed_ns : since sample 0 was delivered; None before there is a time line
        """
        if self._paused_at is not None:
            return self._paused_at
        if elapsed_ns is None:
            return self.newest
        return self._edge.at(elapsed_ns, self.newest)

    @property
    def paused(self) -> bool:
        return self._paused_at is not None

    def pause(self, on: bool) -> None:
        """Hold the picture still, or follow the sound again."""
        if on == self.paused:
            return
        if on:
            self._paused_at = self.newest
        else:
            self._paused_at = None
            if self._still is not None:
                self._still = None
                self._show_others()
            if self._pending is not None and self._pending.stop is not None:
                self._pending = None
            self._see_to_settings()
        self._announce("view")

    def scroll(self, n_samples: float) -> None:
        """Look further back (negative) or forward; past the newest column it is live again."""
        here = self.newest if self._paused_at is None else self._paused_at
        at = here + n_samples
        if at >= self.newest:
            self.pause(False)
            return
        self._paused_at = max(at, min(here, self._ring.oldest + self._span))
        self._announce("view")

    @property
    def _span(self) -> float:
        return self._settings.display.span * self._ring.sample_rate

    # Settings.

    def change(self, settings: Settings, heard: AudioRing | Signals) -> None:
        """Show this from now on; what is on screen stays until its successor is ready."""
        before, self._settings, self._heard = self._settings, settings, heard
        reduce = settings.display.reduce
        if reduce != before.display.reduce:
            for analysis in {self._live, self.shown, self._pending or self.shown}:
                for history in analysis.histories:
                    history.set_reduce(reduce)
        self._see_to_settings()

    def _see_to_settings(self) -> None:
        """See that what is shown, or its successor, is what the settings ask for."""
        if self._pending is not None and not self._fits(self._pending):
            self._pending = None
        if self._pending is None and not self._fits(self.shown):
            self._analyse_again()

    def _fits(self, analysis: Analysis) -> bool:
        return analysis.fits(self._heard, self._settings.stft, self._settings.display)

    def _analyse_again(self) -> None:
        """Begin to fill a successor of what is shown with the visible span."""
        span = int(self._span) + self._settings.stft.n_fft
        stop = None if self._paused_at is None else int(self._paused_at) + span // 8
        right = self._heard.written if stop is None else stop
        start = max(self._heard.oldest, right - span - span // 8)
        self._pending = self._analysis(start, stop)

    def _analysis(self, start: int, stop: int | None = None) -> Analysis:
        return Analysis(self._heard, self._settings.stft, self._settings.display, start, stop)

    # Once a frame.

    def pull_live(self) -> bool:
        """Take in what was heard; whether there is a new column."""
        count = self._live.count
        self._live.drop_backlog()
        self._live.pull(LIVE_BUDGET_SECONDS)
        return self._live.count > count

    def pull_pending(self) -> None:
        """Go on with a successor, and show it when it has caught up."""
        pending = self._pending
        if pending is None or not pending.pull(AGAIN_BUDGET_SECONDS):
            return
        self._pending = None
        if pending.stop is None:
            self._skipped_before += self._live.skipped
            self._live = pending
            self._edge.reset()
        else:
            self._still = pending
            if not self._fits(self._live):
                # The live columns change too; what they lack is analysed when one looks there.
                self._skipped_before += self._live.skipped
                start = max(self._heard.oldest, self._heard.written - pending.stft.n_fft)
                self._live = self._analysis(start)
        self._show_others()

    def look_for_span(self) -> None:
        """See that the columns of the visible span are there, as far as the ring holds them."""
        if self._pending is not None:
            return
        right = self.newest if self._paused_at is None else self._paused_at
        first = max(right - self._span, self._ring.oldest + self._settings.stft.n_fft)
        if first < right and not self.shown.covers(first, right):
            self._analyse_again()

    def settle(self) -> None:
        """Analyse all that was heard of the visible span, also what was given up because the
        display was late: for a picture that is kept. Takes `SETTLE_SECONDS` at most."""
        until = time.perf_counter() + SETTLE_SECONDS
        self._live.drop_backlog()  # which may be much longer than the span
        self._live.pull(SETTLE_SECONDS)
        first = self.newest - self._span
        if not self.paused and self._live.whole_from > max(0, self._live.column_at(first)):
            self._analyse_again()
        while self._pending is not None and time.perf_counter() < until:
            self.pull_pending()

    def reset_hold(self) -> None:
        """Forget the peaks of the spectrum."""
        self.hold = PeakHold(self.histories)

    def _show_others(self) -> None:
        """Other histories are on screen from now on."""
        self.reset_hold()
        self._announce("histories")
