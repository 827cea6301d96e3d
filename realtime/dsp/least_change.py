"""The least change of a sound that gives some of its frames' bins other values.

Frames overlap, so no bin changes alone: setting those asked for and putting the frames together
brings part of the old values back. Of all changes that do what is asked, the one sought is least
in the rest, and silent out of reach of the bins.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from realtime.dsp.projection import Projector

ENOUGH_DB = -62.0
"""Of what is asked, so much may be missing: 60 dB down is erased. Every 6 dB more bring 5 dB more
of change beside what was asked for."""

FLAT = 1e-20
"""Of the squared gradient at the beginning: what is left of it then is rounding."""

ROUNDS = 300
"""At most. A box takes 60 to 120 to be 60 dB down, a band as long as the sound 200."""


def least_change(
    projector: Projector,
    asked: NDArray[np.complexfloating],
    where: NDArray[np.bool_],
    *,
    rounds: int = ROUNDS,
    progress: Callable[[float], None] = lambda share: None,
) -> NDArray[np.floating]:
    """Samples to add, by conjugate gradients.

    projector : of float64; the rounding of float32, amplified, would be heard far beside
    asked : complex (n_frames, n_bins), by how much each bin shall change, where
    where : bool (n_frames, n_bins) holds, 0 for not at all; the rest is free
    rounds : at most, from 0; fewer once what is missing is below `ENOUGH_DB`
    progress : told the share done, 0 to 1
    Returns float64 (n_padded,), zero out of reach of the frames asked for a change. What no sound
    can do is done as nearly as can be.
    Source: Hestenes & Stiefel 1952, on the normal equations.
    """
    keep = where.astype(np.float32)

    def seen(frames: NDArray[np.complexfloating], first: int) -> NDArray[np.complexfloating]:
        frames *= keep[first : first + len(frames)]
        return frames

    def product(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
        return float(np.dot(one * projector.power, other))

    asked = asked * keep
    change, answer = projector.silence(), projector.silence()
    within = projector.reach(np.any(asked, axis=1))
    residual = projector.samples(asked)
    direction = residual.copy()
    missing = _power(asked, projector.n_fft)
    enough = missing * 10 ** (ENOUGH_DB / 10)
    slope = product(residual, residual)
    flat = FLAT * slope
    for n in range(rounds):
        if missing <= enough or slope <= flat:
            break
        projector.through(direction, seen, out=answer)
        answer *= within
        step = slope / product(direction, answer)
        change += step * direction
        residual -= step * answer
        missing -= step * slope
        before, slope = slope, product(residual, residual)
        direction *= slope / before
        direction += residual
        progress((n + 1) / rounds)
    progress(1.0)
    return change


def _power(frames: NDArray[np.complexfloating], n_fft: int) -> float:
    """In units of samples squared: bins but the first and the last stand for two."""
    ends = frames[:, [0, -1]] if n_fft % 2 == 0 else frames[:, :1]
    power = 2 * np.vdot(frames, frames).real - np.vdot(ends, ends).real
    return float(power) / n_fft
