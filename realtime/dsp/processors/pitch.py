"""Pitch: the same sound, higher or lower."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.processors.base import FrameFormat, Processor
from realtime.dsp.processors.parameters import Number, Switch
from realtime.dsp.processors.registry import register
from realtime.dsp.vocoder import (
    Attack,
    Regions,
    find_regions,
    frame_power,
    heard_window,
    middle,
    spectral_envelope,
)

FRACTIONS = 16
"""Parts of a bin at which the weights of a shift are computed; between them they are a straight
line, 0.02 dB off."""

MOST_GAIN = 4.0
"""With `formants`, so much louder at most (12 dB): where next to nothing is left of a frame, it
is hiss that would be raised."""


@register("pitch")
class Pitch(Processor):
    """Voices and instruments `semitones` and `cents` higher or lower, as fast as before.

    With `formants` a voice keeps its vowels and its size; without, a higher one is a smaller
    throat. Partials are moved one by one, each with all the bins around it, and turned from frame
    to frame by what it is now faster or slower. Attacks are moved as a whole and stay as sharp as
    they were. Partials nearer than three bins (at 48000 Hz: 141 Hz at n_fft 1024, 70 Hz at 2048)
    are moved as one, which detunes low voices and chords; with `asymmetric_windows` those below
    400 Hz sound hoarse.
    Source: Laroche & Dolson 1999 (peaks and their regions); Röbel 2003 (attacks); Röbel & Rodet
    2005 (the envelope that formants are kept by).
    Cost: 0.19 ms a frame, with `formants` 0.31, 1.7 and 2.9 % of a core (2048/512, two channels,
    one AMD EPYC core). No latency.
    """

    semitones = Number(0, -24, 24, "semitones")
    cents = Number(0, -100, 100, "cents")
    formants = Switch(False)

    _weights = np.zeros((0, 2), np.complex128)
    """`shift_weights`, the same as long as the format is."""

    def prepare(self) -> None:
        n_bins = self.format.n_bins
        self._ratio = 2 ** ((self.semitones + self.cents / 100) / 12)
        self._middle = middle(heard_window(self.format))
        if not len(self._weights):
            self._weights = shift_weights(self.format)
        source = np.arange(n_bins) / self._ratio
        source = source[source < n_bins - 1]
        self._source = source.astype(int)
        self._source_part = (source - self._source).astype(np.float32)

    def reset(self) -> None:
        frame = self.format
        self._before = np.zeros((frame.n_channels, frame.n_bins), np.complex64)
        self._turned = np.zeros(frame.n_bins)
        """Radians by which each bin of the frame before was turned."""
        self._attack = Attack(frame)

    def process(self, frames: NDArray) -> NDArray:
        if self._ratio == 1:
            if len(frames):
                self._before = frames[-1].copy()
                self._attack.ahead = -np.inf
            return frames
        moved = np.empty_like(frames, order="C")
        for number, frame in enumerate(frames):
            moved[number] = self._moved(frame)
        return moved

    def _moved(self, frame: NDArray) -> NDArray:
        power = frame_power(frame)
        regions = find_regions(power)
        attacked = self._attack.find(frame, power, regions, self.format.hop)
        turns, bins = self._turns(frame, regions, attacked)
        self._before = frame.copy()
        self._turned = turns[regions.of_bin]
        keeps = self.formants and power.any()
        envelope = np.float32(1)
        if keeps:
            envelope = np.sqrt(spectral_envelope(power, self.format.sample_rate))
        flat = frame / envelope
        moved = self._shifted(flat, regions, np.exp(1j * turns) * ~attacked, bins)
        if attacked.any():
            moved += self._stretched(flat, attacked[regions.of_bin])
        return _as_loud(moved * envelope, power) if keeps else moved

    def _turns(
        self, frame: NDArray, regions: Regions, attacked: NDArray
    ) -> tuple[NDArray, NDArray]:
        """Radians by which each region is turned, and bins by which it is moved, (n_peaks,)."""
        n_fft, hop = self.format.n_fft, self.format.hop
        peaks = regions.peaks
        # What a peak turns in a hop: as a sine in the middle of its bin, and what is left over.
        centred = 2 * np.pi * hop / n_fft * peaks
        lag = (frame[:, peaks] * self._before[:, peaks].conj()).sum(axis=0)
        over = np.angle(lag) - centred
        over -= 2 * np.pi * np.round(over / (2 * np.pi))
        faster = (self._ratio - 1) * (centred + np.where(attacked, 0, over))
        # Nothing is turned at the instant of an attack, so that all its bins still meet there.
        since = -self._attack.ahead / hop if attacked.any() else 0.0
        turns = np.where(attacked, since * faster, self._turned[peaks] + faster)
        return np.remainder(turns, 2 * np.pi), faster * (n_fft / (2 * np.pi * hop))

    def _shifted(self, frame: NDArray, regions: Regions, turn: NDArray, bins: NDArray) -> NDArray:
        """Each region moved by `bins` and times `turn`, both (n_peaks,)."""
        n_fft, n_bins = self.format.n_fft, self.format.n_bins
        whole = np.floor(bins).astype(int)
        part = (bins - whole) * FRACTIONS
        step = np.minimum(part.astype(int), FRACTIONS - 1)
        weights = self._weights[step]
        weights += (part - step)[:, None] * (self._weights[step + 1] - weights)
        weights *= (turn * np.exp(-2j * np.pi / n_fft * self._middle * whole))[:, None]
        weights = weights.astype(np.complex64)[regions.of_bin]
        below = np.concatenate([frame[:, 1:2].conj(), frame[:, :-1]], axis=1)
        values = frame * weights[:, 0] + below * weights[:, 1]
        to = np.arange(n_bins) + whole[regions.of_bin]
        kept = (to >= 0) & (to < n_bins)
        moved = np.empty_like(frame)
        for channel, each in zip(moved, values[:, kept], strict=True):
            channel.real = np.bincount(to[kept], each.real, n_bins)
            channel.imag = np.bincount(to[kept], each.imag, n_bins)
        return moved

    def _stretched(self, frame: NDArray, chosen: NDArray) -> NDArray:
        """The bins `chosen` (bool) drawn out over `ratio` times as many, about the instant of the
        attack, with the same energy: its sound in less (or more) time, without gaps."""
        lower, part = self._source, self._source_part
        at = self._middle + self._attack.ahead
        phases = np.exp(2j * np.pi / self.format.n_fft * at * np.arange(self.format.n_bins))
        level = chosen[np.round(lower + part).astype(int)] / np.sqrt(self._ratio)
        about = frame * phases.astype(np.complex64)
        drawn = about[:, lower] + part * (about[:, lower + 1] - about[:, lower])
        stretched = np.zeros_like(frame)
        stretched[:, : len(lower)] = drawn * (level * phases[: len(lower)].conj())
        return stretched


def _as_loud(frame: NDArray, power: NDArray) -> NDArray:
    """`frame` with the power it had: under one envelope, fewer partials are less loud."""
    now = frame_power(frame).sum()
    gain = np.sqrt(power.sum() / now) if now > 0 else 1.0
    return frame * np.clip(gain, 1 / MOST_GAIN, MOST_GAIN)


def shift_weights(format: FrameFormat) -> NDArray:
    """What to add of a bin and the one below it, to move a frame up by a fraction of a bin.

    Moving turns each sample about the middle of what is heard. Two bins do that with the least
    error there, in squares, and leave a steady sine as loud as it was: at hop n_fft / 4 its
    loudness wavers at -55 dB; the whole bins nearest make that -47 dB, and up to 0.9 dB loss.
    Returns complex128 (FRACTIONS + 1, 2), for fractions 0..1.
    """
    heard = heard_window(format)
    turns = 2j * np.pi / format.n_fft * (np.arange(format.n_fft) - middle(heard))
    parts = np.arange(FRACTIONS + 1) / FRACTIONS
    up, down = np.exp(np.outer(parts, turns)), np.exp(np.outer(parts - 1, turns))
    energy, lag = heard @ heard, np.square(heard) @ np.exp(turns)
    squares = np.array([[energy, lag], [lag.conjugate(), energy]])
    wanted = np.stack([up @ np.square(heard), down @ np.square(heard)])
    weights = np.linalg.solve(squares, wanted)
    weights /= (weights * np.stack([up.conj() @ heard, down.conj() @ heard])).sum(0) / heard.sum()
    # Counted from the first sample, where frames have their phase.
    weights[1] *= np.exp(-2j * np.pi / format.n_fft * middle(heard))
    weights = weights.T.copy()
    weights.setflags(write=False)
    return weights
