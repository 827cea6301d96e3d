"""The sound that a picture carries: as it was analysed, as a FLAC file."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from realtime.errors import RequestError
from realtime.picture.analysis import Analysis
from realtime.picture.png import LONGEST_SOUND

PIECE = 1 << 16
"""Samples at a time."""

FLAC_CHANNELS, FLAC_RATE = 8, 655_350
"""The most that FLAC holds."""


@contextmanager
def as_flac(analysis: Analysis, notes: list[str]) -> Iterator[BinaryIO]:
    """The sound analysed as FLAC: of 16 bits where that is all it has, else of 24."""
    import soundfile

    picture = analysis.picture
    if picture.n_channels > FLAC_CHANNELS or picture.sample_rate > FLAC_RATE:
        raise RequestError(
            f"{picture.n_channels} channels at {picture.sample_rate} Hz: FLAC keeps "
            f"{FLAC_CHANNELS} at {FLAC_RATE} (mono, or leave keep_sound out)"
        )
    sixteen = all((piece * 32768 % 1 == 0).all() for piece in _pieces(analysis))
    full, shift = (1 << 15, 16) if sixteen else (1 << 23, 8)
    n_cut = 0
    with tempfile.TemporaryFile() as file:
        subtype = "PCM_16" if sixteen else "PCM_24"
        with soundfile.SoundFile(
            file, "w", picture.sample_rate, picture.n_channels, subtype, format="FLAC"
        ) as flac:
            for piece in _pieces(analysis):
                whole = np.rint(piece.astype(np.float64) * full)
                held = np.clip(whole, -full, full - 1)
                n_cut += int(np.count_nonzero(np.abs(whole - held) > 1))
                flac.write(held.astype(np.int32) << shift)
                if file.tell() > LONGEST_SOUND:
                    raise RequestError(
                        f"the sound has more than {LONGEST_SOUND >> 30} GiB of FLAC, too much for "
                        "a picture: leave keep_sound out, and keep the file"
                    )
        if n_cut:
            notes.append(f"{n_cut} samples beyond full scale are cut off in the sound kept")
        yield file


def _pieces(analysis: Analysis) -> Iterator[NDArray[np.float32]]:
    reader = analysis.sound()
    try:
        while len(piece := reader.read(PIECE)):
            yield piece
    finally:
        reader.close()
