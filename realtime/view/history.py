"""Columns of the picture, kept on the CPU in exactly the layout of the GPU's texture.

`ColumnHistory.cells` is the truth; a texture, a terminal or a reference renderer only reads it.
It knows no GPU: a viewer remembers by itself up to which cell it has copied each level
(`rows_since`), so a hidden viewer costs nothing, however long it stays hidden.

One *row* holds one column: `B` cells, a power of two of which the bins fill the first and the rest
stay gaps, then their frequency levels of B/2, B/4 ... 1 cells, each the peak (or mean power) of two
cells before it; 2B cells in all, the last one unused.
The rows are rings, one for each time level: C rows of single columns, C/2 rows of two columns
each, ... 2 rows of C/2 columns. Two more rows follow: the newest cell of the level that is looked
at, complete or not (`settle`), and the peak hold. 2C rows in all.
At any zoom two neighbouring cells of the right level cover a pixel, so no peak is ever lost.

Code 0 is "nothing known here" (a gap); every measured level is at least code 1.
One owner thread. Levels are uint16 codes of `realtime.dsp.levels`.
"""

from __future__ import annotations

import itertools
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from realtime.dsp.levels import decode, encode

Reduce = Literal["peak", "mean"]

MAX_BINS = 16384
"""Cells kept of one column; longer columns are peak-reduced. More rows than any screen has."""
TEXTURE_LIMIT = 16384
"""Cells; the usual largest width and height of a texture (OpenGL 4 guarantees it)."""
CHUNK_ROWS = 256
"""Rows handled at once in a bulk append, so that temporary arrays stay in the cache."""
GAP = 0
"""The code of a cell about which nothing is known."""
NEPER_PER_DB = np.float32(np.log(10.0) / 10.0)


class ColumnHistory:
    """The newest `n_columns` columns of dB, with peak (or mean) levels in frequency and time.

    n_bins : bins of the columns that will come, an even number, or one more (the Nyquist bin,
        which is left out). Where they are more than `MAX_BINS`, 2, 4 ... of them share a cell.
    n_columns : columns kept, rounded up to a power of two.
    reduce : "peak" or "mean" (of power): what several cells become.

    Raises ValueError when `n_bins` is no such number or the cells do not fit in a texture.
    """

    def __init__(self, n_bins: int, n_columns: int, reduce: Reduce = "peak"):
        kept = n_bins - n_bins % 2
        self.bins_per_cell = max(1, power_of_two(kept) // MAX_BINS)
        if kept < 2 or kept % self.bins_per_cell:
            raise ValueError(
                f"n_bins = {n_bins} must be at least 2, and a multiple of {self.bins_per_cell} or "
                "one more; use n_fft * zero_pad // 2 + 1 with a power of two n_fft"
            )
        self.n_bins_in = n_bins
        self.n_bins = kept // self.bins_per_cell
        self.n_cells = power_of_two(self.n_bins)
        self.n_columns = 1 << max(1, (n_columns - 1).bit_length())
        self.n_levels = self.n_columns.bit_length() - 1
        width = 2 * self.n_cells
        fold = max(1, width // TEXTURE_LIMIT)
        if 2 * self.n_columns * fold > TEXTURE_LIMIT:
            raise ValueError(
                f"n_columns = {n_columns} of {self.n_bins} bins do not fit in a texture of "
                f"{TEXTURE_LIMIT} rows; keep at most {TEXTURE_LIMIT // (2 * fold)} columns"
            )
        self.fold = fold
        self.texture_shape = (2 * self.n_columns * fold, width // fold)
        self.cells: NDArray[np.uint16] = np.zeros((2 * self.n_columns, width), np.uint16)
        self.reduce = reduce
        self.count = 0
        """Columns appended so far, blank ones included: the absolute index of the next one."""
        self.epoch = 0
        """Raised when every cell may have changed: viewers then forget what they have copied."""
        self.hold_version = 0
        """Raised when the peak-hold row has changed."""
        rows = [self.first_row(k) for k in range(self.n_levels + 1)]
        self._time = [self.cells[a:b] for a, b in itertools.pairwise(rows)]

    # ------------------------------------------------------------------ places

    @property
    def oldest(self) -> int:
        """Absolute index of the oldest column still held."""
        return max(0, self.count - self.n_columns)

    def ring(self, level: int) -> int:
        """Rows of a time level."""
        return self.n_columns >> level

    def first_row(self, level: int) -> int:
        """Row of `cells` where a time level begins."""
        return 2 * self.n_columns - (2 * self.n_columns >> level)

    @property
    def newest_row(self) -> int:
        """Row of the newest cell of the level that was settled last; the hold row follows it."""
        return 2 * self.n_columns - 2

    @property
    def hold_row(self) -> int:
        return 2 * self.n_columns - 1

    def column(self, index: int) -> NDArray[np.float32]:
        """dB of one column, float32 (n_bins,). Raises IndexError when it is not held."""
        if not self.oldest <= index < self.count:
            raise IndexError(f"column {index} is not held: {self.oldest}..{self.count} are")
        return decode(self.cells[index % self.n_columns, : self.n_bins])

    def valid_cells(self, level: int) -> tuple[int, int]:
        """First and last absolute cell of a time level; the last is in `newest_row`."""
        newest = (self.count - 1) >> level
        return max(0, newest - self.ring(level) + 1), newest

    def rows_since(self, level: int, sent: int, limit: int | None = None) -> list[tuple[int, int]]:
        """Ranges of rows of `cells` to copy for the complete cells of `level` from `sent` on.

        sent : absolute cell up to which the viewer has copied this level.
        limit : at most so many rows, oldest first.
        """
        done, ring, first = self.count >> level, self.ring(level), self.first_row(level)
        begin = max(sent, done - ring)
        n = done - begin if limit is None else min(done - begin, limit)
        if n <= 0:
            return []
        slot = begin % ring
        if slot + n <= ring:
            return [(first + slot, first + slot + n)]
        return [(first + slot, first + ring), (first, first + slot + n - ring)]

    # ------------------------------------------------------------------ writing

    def append(self, db: ArrayLike) -> None:
        """Append columns of dB, float (n, n_bins_in) or (n_bins_in,)."""
        self.append_codes(np.maximum(encode(db), GAP + 1))

    def append_codes(self, codes: NDArray[np.uint16]) -> None:
        """Append columns of level codes from 1 on, uint16 (n, n_bins_in) or (n_bins_in,)."""
        columns = np.atleast_2d(codes)
        if columns.shape[1] != self.n_bins_in:
            raise ValueError(
                f"columns have {columns.shape[1]} bins, this history takes "
                f"{self.n_bins_in}; make a new ColumnHistory for them"
            )
        if len(columns) > self.n_columns:
            self.count += len(columns) - self.n_columns
            columns = columns[-self.n_columns :]
        columns = columns[:, : self.n_bins * self.bins_per_cell]
        if self.bins_per_cell > 1:
            columns = columns.reshape(len(columns), self.n_bins, self.bins_per_cell).max(axis=2)
        for start in range(0, len(columns), CHUNK_ROWS):
            self._write(columns[start : start + CHUNK_ROWS])

    def skip(self, n: int) -> None:
        """Append `n` blank columns: time passed of which nothing is known."""
        if n > self.n_columns:
            self.count += n - self.n_columns
            n = self.n_columns
        blank = np.full((1, self.n_bins), GAP, np.uint16)
        while n > 0:
            rows = min(n, CHUNK_ROWS)
            self._write(np.broadcast_to(blank, (rows, self.n_bins)))
            n -= rows

    def loudest(self, start: int, stop: int) -> NDArray[np.integer]:
        """Codes of the greatest level of each bin in columns [start, stop), uint16 (n_bins,).

        Raises IndexError when one of them is not held.
        """
        if not self.oldest <= start < stop <= self.count:
            raise IndexError(
                f"columns {start}..{stop} are not held: {self.oldest}..{self.count} are"
            )
        rows, first = self._time[0][:, : self.n_bins], start % self.n_columns
        head = rows[first : first + stop - start].max(axis=0)
        rest = first + stop - start - self.n_columns
        return np.maximum(head, rows[:rest].max(axis=0)) if rest > 0 else head

    def set_hold(self, codes: NDArray[np.integer] | None) -> None:
        """Set the peak-hold row, level codes (n_bins,); None removes it."""
        row = self.cells[self.hold_row :]
        if codes is None:
            row[:] = GAP
        else:
            self._fill(row, codes)
        self.hold_version += 1

    def set_reduce(self, reduce: Reduce) -> None:
        """Rebuild all levels as peaks or as means of power."""
        if reduce == self.reduce:
            return
        self.reduce = reduce
        held = min(self.count, self.n_columns)
        for start in range(0, held, CHUNK_ROWS):
            rows = self._time[0][start : min(start + CHUNK_ROWS, held)]
            self._fill(rows, rows[:, : self.n_bins])
        for level in range(1, self.n_levels):
            for start in range(0, held >> level, CHUNK_ROWS):
                stop = min(start + CHUNK_ROWS, held >> level)
                pairs = self._time[level - 1][2 * start : 2 * stop]
                self._combine(pairs[0::2], pairs[1::2], self._time[level][start:stop])
        hold = self.cells[self.hold_row :]
        self._fill(hold, hold[:, : self.n_bins])
        self.epoch += 1
        self.hold_version += 1

    def settle(self, level: int) -> None:
        """Bring `newest_row` up to `count` for a time level, be its cell complete or not."""
        rest = ((self.count - 1) & ((1 << level) - 1)) + 1
        parts = [k for k in range(level + 1) if rest >> k & 1]
        rows = [self._time[k][((self.count >> k) - 1) % self.ring(k)] for k in parts]
        target = self.cells[self.newest_row]
        if self.reduce == "peak" or len(rows) == 1:
            np.copyto(target, rows[0])
            for row in rows[1:]:
                np.maximum(target, row, out=target)
        else:
            weighed = zip(parts, rows, strict=True)
            power = np.sum([_power(row) * np.float32(1 << k) for k, row in weighed], axis=0)
            target[:] = _codes_of_power(power / np.float32(rest))

    # ------------------------------------------------------------------ inside

    def _write(self, codes: NDArray[np.uint16]) -> None:
        ring = self.n_columns
        while len(codes):
            slot = self.count % ring
            n = min(len(codes), ring - slot)
            self._fill(self._time[0][slot : slot + n], codes[:n])
            self._reduce_time(self.count, self.count + n)
            self.count += n
            codes = codes[n:]

    def _fill(self, rows: NDArray[np.uint16], codes: NDArray[np.integer]) -> None:
        """Set rows from the codes of their columns, frequency levels included."""
        n = len(rows)
        rows[:, : self.n_bins] = codes
        # All rows lie end to end: pairs never cross them, and numpy has one long run instead of n.
        level: NDArray[Any] = rows[:, : self.n_cells].ravel()
        mean = self.reduce == "mean"
        if mean:
            level = _power(level)
        levels = []
        while len(level) > n:
            even, odd = level[0::2], level[1::2]
            level = (even + odd) * np.float32(0.5) if mean else np.maximum(even, odd)
            levels.append(level.reshape(n, -1))
        wider = np.concatenate(levels, axis=1)
        rows[:, self.n_cells : -1] = _codes_of_power(wider) if mean else wider

    def _reduce_time(self, old: int, new: int) -> None:
        """Complete the cells of each time level that end in columns [old, new)."""
        for level in range(1, self.n_levels):
            cell, stop, ring = old >> level, new >> level, self.ring(level)
            if cell == stop:
                return
            while cell < stop:
                slot = cell % ring
                n = min(stop - cell, ring - slot)
                pairs = self._time[level - 1][2 * slot : 2 * (slot + n)]
                self._combine(pairs[0::2], pairs[1::2], self._time[level][slot : slot + n])
                cell += n

    def _combine(
        self, a: NDArray[np.uint16], b: NDArray[np.uint16], target: NDArray[np.uint16]
    ) -> None:
        if self.reduce == "peak":
            np.maximum(a, b, out=target)
        else:
            target[:] = _codes_of_power((_power(a) + _power(b)) * np.float32(0.5))


def power_of_two(n: int) -> int:
    """The least power of two that is not below `n`; 1000 -> 1024."""
    return 1 << (n - 1).bit_length()


def _power(codes: NDArray[np.uint16]) -> NDArray[np.float32]:
    return np.exp(decode(codes) * NEPER_PER_DB)


def _codes_of_power(power: NDArray[np.float32]) -> NDArray[np.uint16]:
    return encode(np.log(power) / NEPER_PER_DB)
