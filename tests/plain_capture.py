"""Captures with nothing but a callback in this one process: what the package is compared to.

Usage: python plain_capture.py DEVICE SECONDS CHANNELS BLOCK hold|idle OUT.npy
`hold`: another thread keeps the interpreter lock for half a second again and again.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np
import sounddevice
from torture import holding_the_interpreter

device, seconds, channels, block, mode, out = sys.argv[1:]
captured: list[np.ndarray] = []


def callback(samples: np.ndarray, n_samples: int, times: Any, flags: Any) -> None:
    captured.append(samples.copy())


stream = sounddevice.InputStream(
    samplerate=48000, blocksize=int(block), device=device, channels=int(channels),
    dtype="float32", latency="low", callback=callback,
)  # fmt: skip
with stream, holding_the_interpreter(0.5 if mode == "hold" else 0.0):
    time.sleep(float(seconds))
np.save(out, np.concatenate(captured))
