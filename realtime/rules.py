"""What settings must satisfy together, as pure functions of `{"section.key": value}`.

Two rules join the layers of a request, and a change made while running:

1. A layer that names n_fft but not hop keeps the hop below it in samples (so the columns keep
   their pace) as long as that lies within n_fft/32..n_fft; else it keeps the overlap.
2. A layer that names a logarithmic scale but not f_low lifts an f_low of 0 to 20 Hz.

Two values of one layer that do not fit are a fault, and so is all else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from realtime.dsp.windows import WINDOWS, overlap_sum, window
from realtime.wording import shown

N_FFT_RANGE = (256, 32768)
"""Samples; powers of two only: they transform fastest and divide by 32 without rest."""
MONITOR_N_FFT_RANGE = (64, 32768)
"""Samples; below 64 a bin is wider than a critical band."""
ZERO_PAD_RANGE = (1, 8)
"""Times n_fft; with 8, no tone between two bins reads more than 0.03 dB low with any window."""
LEAST_OVERLAP = 0.02
"""Least to greatest of the overlapped power of a window: where it is less, putting the sound
together again magnifies every rounding, and a round trip is no longer exact to -120 dBFS. Of our
windows only the flat-top one at n_fft / 2."""
HOPS_IN_N_FFT = 32
"""The smallest hop is n_fft / 32: finer columns show nothing new and cost in proportion."""
LOWEST_LOG_HZ = 1.0
"""An octave axis has no 0 Hz; below 1 Hz no bin of any n_fft lies."""
LIFTED_F_LOW_HZ = 20.0
"""The lower end of hearing: where an f_low of 0 goes on a logarithmic axis."""
LEAST_DB_RANGE = 6.0
"""dB; less than a factor of two in amplitude shows noise in two colours."""
LEAST_BAND_HZ = 10.0
"""Hz; some bins even at the longest n_fft."""


def overlaid(below: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    """`layer` over `below`, with the two rules at the top of this file. A pure function."""
    values = {**below, **layer}
    hop, n_fft = values["stft.hop"], values["stft.n_fft"]
    named = "stft.hop" in layer or below["stft.n_fft"] < 1  # a hop of nothing is kept as it is
    if hop is not None and not named and not _hop_fits(hop, n_fft):
        values["stft.hop"] = hop * n_fft // below["stft.n_fft"]
    if "display.scale" in layer and "display.f_low" not in layer and not _low_end_fits(values):
        values["display.f_low"] = LIFTED_F_LOW_HZ
    return values


def broken_rules(values: Mapping[str, Any]) -> Iterator[tuple[set[str], str]]:
    """What no single value tells: the keys that take part, and the sentence. A pure function."""
    yield from _stft_rules(values)
    yield from _level_rules(values)
    yield from _band_rules(values)
    yield from _monitor_rules(values)


def _stft_rules(values: Mapping[str, Any]) -> Iterator[tuple[set[str], str]]:
    zero_pad = values["stft.zero_pad"]
    low, high = ZERO_PAD_RANGE
    if not low <= zero_pad <= high:
        rule = f"{low} to {high}, times n_fft (try {min(max(zero_pad, low), high)})"
        yield {"stft.zero_pad"}, f"stft.zero_pad = {shown(zero_pad)} must be {rule}"
    n_fft, hop = values["stft.n_fft"], values["stft.hop"]
    low, high = N_FFT_RANGE
    if not low <= n_fft <= high or n_fft & (n_fft - 1):
        nearest = 1 << (min(max(n_fft, low), high).bit_length() - 1)
        rule = f"a power of two from {low} to {high} (try {nearest})"
        yield {"stft.n_fft"}, f"stft.n_fft = {shown(n_fft)} must be {rule}"
    elif hop is not None and not _hop_fits(hop, n_fft):
        most = f"at most n_fft = {n_fft} (try {n_fft // 4})"
        lowest = f"n_fft / {HOPS_IN_N_FFT} = {n_fft // HOPS_IN_N_FFT}"
        least = f"at least {lowest} (try {n_fft // 16})"
        rule = most if hop > n_fft else least
        yield {"stft.n_fft", "stft.hop"}, f"stft.hop = {shown(hop)} must be {rule}"


def _level_rules(values: Mapping[str, Any]) -> Iterator[tuple[set[str], str]]:
    low, high = values["display.db_low"], values["display.db_high"]
    if high < low + LEAST_DB_RANGE:
        rule = f"at least {LEAST_DB_RANGE:g} dB above db_low = {low:g} (try {min(low + 80, 12):g})"
        yield {"display.db_low", "display.db_high"}, f"display.db_high = {high:g} must be {rule}"


def _band_rules(values: Mapping[str, Any]) -> Iterator[tuple[set[str], str]]:
    low, high, scale = (values[f"display.{name}"] for name in ("f_low", "f_high", "scale"))
    rate = values["audio.sample_rate"]
    start = f"display.f_low = {low:g} must be at least"
    if not _low_end_fits(values):
        rule = f"{LOWEST_LOG_HZ:g} Hz on scale = {scale!r} (try {LIFTED_F_LOW_HZ:g})"
        yield {"display.f_low", "display.scale"}, f"{start} {rule}"
    if high is not None and high < low + LEAST_BAND_HZ:
        rule = f"{LEAST_BAND_HZ:g} Hz above f_low = {low:g} (try {max(10 * low, 1000):g})"
        keys = {"display.f_low", "display.f_high"}
        yield keys, f"display.f_high = {high:g} must be at least {rule}"
    if rate is not None and low + LEAST_BAND_HZ > rate / 2:
        rule = f"{LEAST_BAND_HZ:g} Hz below half of audio.sample_rate = {rate} (try 20)"
        yield {"display.f_low", "audio.sample_rate"}, f"{start} {rule}"


def _monitor_rules(values: Mapping[str, Any]) -> Iterator[tuple[set[str], str]]:
    n_fft, hop, synthesis = (values[f"monitor.{name}"] for name in ("n_fft", "hop", "synthesis"))
    low, high = MONITOR_N_FFT_RANGE
    if not low <= n_fft <= high or n_fft & (n_fft - 1):
        nearest = 1 << (min(max(n_fft, low), high).bit_length() - 1)
        rule = f"a power of two from {low} to {high} (try {nearest})"
        yield {"monitor.n_fft"}, f"monitor.n_fft = {shown(n_fft)} must be {rule}"
        return
    keys, least = {"monitor.n_fft", "monitor.hop", "monitor.synthesis"}, n_fft // HOPS_IN_N_FFT
    longest = n_fft if synthesis is None else min(synthesis, n_fft)
    if synthesis is not None and not 2 * least <= synthesis <= n_fft:
        rule = f"{2 * least} to n_fft = {n_fft} (try {min(max(2 * hop, 2 * least), n_fft)})"
        yield keys, f"monitor.synthesis = {shown(synthesis)} must be {rule}"
    elif not least <= hop <= longest // 2:
        rule = f"{least} to {longest // 2} (try {max(longest // 4, least)})"
        yield keys, f"monitor.hop = {shown(hop)} must be {rule}"
    elif synthesis is not None and (synthesis % 2 or synthesis % hop):
        rule = f"an even multiple of hop = {hop}, at most n_fft = {n_fft} (try {2 * hop})"
        yield keys, f"monitor.synthesis = {shown(synthesis)} must be {rule}"
    elif synthesis is None and hop > longest_hop(values["monitor.window"], n_fft):
        rule = f"at most {n_fft // 4} with so pointed a window (try {n_fft // 4})"
        start = f"monitor.hop = {hop} with monitor.window = {values['monitor.window']!r}"
        yield {"monitor.hop", "monitor.window", "monitor.n_fft"}, f"{start} must be {rule}"


def longest_hop(name: str, n_fft: int) -> int:
    """The longest hop of a monitor with this window: n_fft / 2, or n_fft / 4 with a pointed one."""
    if name not in WINDOWS:  # which is a fault of its own
        return n_fft // 2
    power = overlap_sum(window(name, n_fft, np.float64) ** 2, n_fft // 2)
    return n_fft // 2 if power.min() >= LEAST_OVERLAP * power.max() else n_fft // 4


def _hop_fits(hop: int, n_fft: int) -> bool:
    return n_fft // HOPS_IN_N_FFT <= hop <= n_fft


def _low_end_fits(values: Mapping[str, Any]) -> bool:
    logarithmic = values["display.scale"] in ("log", "notes")
    return not logarithmic or values["display.f_low"] >= LOWEST_LOG_HZ
