"""A process that makes columns until it is killed: python drawing_child.py BASE"""

from __future__ import annotations

import sys
from pathlib import Path

from realtime.config import StftSettings
from realtime.recording.store import spectrogram

STFT = StftSettings(n_fft=256, hop=100)
"""At 8000 Hz: 129 bins, 80 columns a second; hop divides nothing."""


def main(base: str) -> None:
    import cmap
    import PIL.Image
    import scipy.fft
    import zarr

    names = (cmap.__name__, PIL.Image.__name__, scipy.fft.__name__, zarr.__name__)
    sys.stdout.write(f"imported: {names}\n")
    sys.stdout.flush()
    for _ in spectrogram(Path(base), stft=STFT):
        pass


if __name__ == "__main__":
    main(*sys.argv[1:])
