"""A process that writes a WAV until it is killed: python writing_child.py FILE PROGRESS [PACE]

PROGRESS is 16 bytes of memory shared with the test: samples written, samples synced. PACE is the
time between two blocks; by default there is none, and seconds pass in milliseconds.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path

import numpy as np

RATE, DEPTH, CHANNELS = 48_000, 24, 2
BLOCK = RATE // 10
BLOCKS_A_SYNC = 5
"""0.5 s, as the recorder does."""

MOST = (1 << DEPTH - 1) - 1


def integers(start: int, stop: int) -> np.ndarray:
    """Samples [start, stop), int32 (n_samples, 2): a count, and the same negative. Never zero, so
    that nothing that was lost looks like sound."""
    count = np.arange(start, stop) % MOST + 1
    return np.stack((count, -count), axis=1).astype(np.int32)


def samples(start: int, stop: int) -> np.ndarray:
    """The same as the recorder gets them, float32."""
    return (integers(start, stop) / (MOST + 1)).astype(np.float32)


def as_bytes(start: int, stop: int) -> bytes:
    """The same as they lie in the file."""
    return integers(start, stop).reshape(-1, 1).view(np.uint8)[:, :3].tobytes()


def main(path: str, progress: str, pace: str = "0") -> None:
    from realtime.recording.metadata import Metadata
    from realtime.recording.wav import WavWriter

    with open(progress, "r+b") as file:
        shared = mmap.mmap(file.fileno(), 16)
    writer = WavWriter(Path(path), RATE, CHANNELS, DEPTH, Metadata(10**18, "counter"))
    n_blocks = 0
    while True:
        start = writer.n_samples
        writer.write(samples(start, start + BLOCK))
        struct.pack_into("Q", shared, 0, writer.n_samples)
        n_blocks += 1
        if n_blocks % BLOCKS_A_SYNC == 0:
            writer.sync()
            struct.pack_into("Q", shared, 8, writer.n_synced)
        time.sleep(float(pace))


if __name__ == "__main__":
    main(*sys.argv[1:])
