"""Ring to columns: one set of STFT parameters applied to the samples from `start` on.

An `Analysis` never changes its parameters: another setting is another `Analysis`, filled from
the ring beside the one on screen, which it replaces when it has caught up. So nothing on screen
is lost meanwhile, and any span the ring still holds can be looked at again.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from realtime.audio.ring import AudioRing
from realtime.config import DisplaySettings, StftSettings
from realtime.dsp.levels import column_codes, decode, encode
from realtime.dsp.stft import StreamingStft
from realtime.errors import Overrun
from realtime.view.history import MAX_BINS, ColumnHistory
from realtime.view.signals import Signals

HISTORY_CELLS = 2**23
"""Bins times columns kept for all panes together: 64 MiB with the peak levels, and 22 s of
4096/256 at 48 kHz. What is older is analysed again from the ring."""

SPAN_SHARE = 0.9
"""Of a history that the visible span may take: the rest is for a span that is being dragged."""

COLUMNS_RANGE = (1024, 8192)
"""At least the width of a window; at most what a 16384-row texture holds with its time levels."""

CHUNK_POINTS = 2**18
"""FFT points worked on between two looks at the clock: about a millisecond."""

CHUNK_FRAMES = 256

BACKLOG_SECONDS = 2.0
"""A display later than this gives up what it missed and shows it as blank columns."""

KEPT_SECONDS = 0.25
"""What it still draws of such a backlog, so that the picture continues at once."""


class Analysis:
    """Owner: the display's thread. `histories` holds one `ColumnHistory` for each pane.

    Parameters
    ----------
    ring : an `AudioRing`, or `Signals` with one or more groups of channels.
    start : absolute index of the first sample of the first frame.
    stop : where to end; None follows the ring for ever.
    """

    def __init__(
        self,
        ring: AudioRing | Signals,
        stft: StftSettings,
        display: DisplaySettings,
        start: int,
        stop: int | None = None,
    ):
        self._ring = ring
        self.stft = stft
        self.start = self._next = start
        self.stop = stop
        self.hop = stft.hop_samples
        self._points = stft.n_fft * stft.zero_pad
        self._mean_panes = display.panes == "mean"
        self._reduce = display.reduce
        channels = ring.n_channels
        self._stft = StreamingStft(
            stft.n_fft,
            self.hop,
            stft.window,
            zero_pad=stft.zero_pad,
            n_channels=channels if channels > 1 else None,
        )
        self.signals: tuple[str, ...] = ring.names if isinstance(ring, Signals) else ("",)
        """Names of the signals that the panes belong to, in their order."""
        self._n_signals = len(self.signals)
        n_panes = self._n_signals if self._mean_panes else channels
        n_columns = history_columns(stft, n_panes)
        self.histories = [
            ColumnHistory(self._points // 2 + 1, n_columns, reduce=display.reduce)
            for _ in range(n_panes)
        ]
        self.merge = frames_in_a_column(stft, display.span, ring.sample_rate, n_columns)
        self._merger = _Merger(self.merge, display.reduce)
        self.column_samples = self.hop * self.merge
        self._chunk = self.hop * max(1, min(CHUNK_FRAMES, CHUNK_POINTS // self._points))
        self.skipped = 0
        """Columns given up because the display was late."""
        self.whole_from = 0
        """The column after the last of them."""

    @property
    def count(self) -> int:
        """Columns so far."""
        return self.histories[0].count

    @property
    def newest(self) -> int:
        """Index after the last sample that is in the picture."""
        return self.start + self.count * self.column_samples - self.hop + self.stft.n_fft

    def column_at(self, sample: float) -> float:
        """Column index, fractional, of an instant; column c is centred on c + 0.5."""
        return (sample - self.start - self._centre) / self.column_samples + 0.5

    def sample_at(self, column: float) -> float:
        """The instant, as a fractional sample index, of a column index. Inverse of `column_at`."""
        return self.start + self._centre + (column - 0.5) * self.column_samples

    @property
    def _centre(self) -> float:
        return (self.stft.n_fft + self.column_samples - self.hop) / 2

    def covers(self, first: float, last: float) -> bool:
        """Whether the columns between two instants are there, or will be."""
        history = self.histories[0]
        return self.sample_at(history.oldest) <= first + self.column_samples and (
            self.stop is None or last <= self.sample_at(history.count)
        )

    def fits(
        self, heard: AudioRing | Signals, stft: StftSettings, display: DisplaySettings
    ) -> bool:
        """Whether it makes the columns that these settings ask for, of this very sound."""
        if self._ring is not heard or self.stft != stft:
            return False
        if self._mean_panes != (display.panes == "mean"):
            return False
        n_columns = self.histories[0].n_columns
        merge = frames_in_a_column(stft, display.span, heard.sample_rate, n_columns)
        return self.merge == merge and (merge == 1 or self._reduce == display.reduce)

    @property
    def waiting(self) -> int:
        """Samples in the ring that were not taken in yet."""
        return self._ring.written - self._next

    def pull(self, budget_seconds: float, clock: Callable[[], float] = time.perf_counter) -> bool:
        """Analyse what the ring has, for about `budget_seconds`. True when nothing is left."""
        until = clock() + budget_seconds
        while True:
            end = self._ring.written if self.stop is None else min(self.stop, self._ring.written)
            if self._next >= end:
                return True
            try:
                block = self._ring.read(self._next, min(end, self._next + self._chunk))
            except Overrun as gone:
                self._jump(gone.oldest + int(KEPT_SECONDS * self._ring.sample_rate))
                continue
            self._next += len(block)
            self._append(block)
            if clock() >= until:
                return self._next >= end

    def drop_backlog(self) -> None:
        """Give up what is too late to be drawn; the columns missed stay blank, and are counted."""
        rate = self._ring.sample_rate
        written = self._ring.written
        if written - self._next > BACKLOG_SECONDS * rate:
            self._jump(written - int(KEPT_SECONDS * rate))

    def _jump(self, sample: int) -> None:
        """Go on at the first column that begins at or after `sample`."""
        column = max(self.count, -(-(sample - self.start) // self.column_samples))
        skipped = column - self.count
        for history in self.histories:
            history.skip(skipped)
        self.skipped += skipped
        self.whole_from = column
        self._stft.reset()
        self._merger.reset()
        self._next = self.start + column * self.column_samples

    def _append(self, block: np.ndarray) -> None:
        frames = self._stft.push(block if self._ring.n_channels > 1 else block[:, 0])
        if not len(frames):
            return
        codes = column_codes(frames, self._stft.window_sum, self._points)
        panes = codes[:, None] if codes.ndim == 2 else codes
        if self._mean_panes and panes.shape[1] > 1:
            n_frames, channels, n_bins = panes.shape
            n_signals = self._n_signals
            signals = panes.reshape(n_frames, n_signals, channels // n_signals, n_bins)
            panes = mean_codes(signals, axis=2) if channels > n_signals else panes
        panes = self._merger.push(panes)
        for i, history in enumerate(self.histories):
            history.append_codes(panes[:, i])


def history_columns(stft: StftSettings, n_panes: int) -> int:
    """Columns a history holds: what `HISTORY_CELLS` affords, within `COLUMNS_RANGE`."""
    bins = min(stft.n_fft * stft.zero_pad // 2, MAX_BINS)
    columns = 1 << (HISTORY_CELLS // (bins * n_panes)).bit_length() - 1
    low, high = COLUMNS_RANGE
    return max(low, min(high, columns))


def frames_in_a_column(stft: StftSettings, span: float, sample_rate: int, n_columns: int) -> int:
    """How many frames become one column, so that a history of `n_columns` holds `span` seconds."""
    room = n_columns * SPAN_SHARE
    return max(1, int(np.ceil(span * sample_rate / stft.hop_samples / room)))


def mean_codes(codes: np.ndarray, axis: int) -> np.ndarray:
    """Mean of powers given as level codes, uint16."""
    return encode(10 * np.log10(np.mean(10 ** (decode(codes) / 10), axis=axis)))


class _Merger:
    """Groups of `n` rows become one: their peak, or the mean of their power."""

    def __init__(self, n: int, reduce: str):
        self._n = n
        self._mean = reduce == "mean"
        self._tail: np.ndarray | None = None

    def reset(self) -> None:
        self._tail = None

    def push(self, rows: np.ndarray) -> np.ndarray:
        if self._n == 1:
            return rows
        if self._tail is not None:
            rows = np.concatenate([self._tail, rows])
        whole = len(rows) // self._n
        self._tail = rows[whole * self._n :].copy()
        groups = rows[: whole * self._n].reshape(whole, self._n, *rows.shape[1:])
        return mean_codes(groups, axis=1) if self._mean else groups.max(axis=1)
