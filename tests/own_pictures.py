"""Bare pictures of ours, drawn here pixel by pixel: one a value, or fewer on another scale."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from realtime.picture.analysis import analyse
from realtime.picture.own import Said
from realtime.picture.placing import ROWS, Placing, pane_range
from realtime.picture.png import write_png


def draw_own(
    path: Path,
    audio: Path,
    kind: str = "stft",
    *,
    bits: int = 8,
    scale: str = ROWS,
    height: int | None = None,
    keep: bool = False,
    **analysed: object,
) -> NDArray[np.float32]:
    """Save the picture of a sound file; returns its dB, (n_channels, n_frames, n_rows).

    scale, height : of the rows of pixels, where one a row is not wanted
    keep : put the sound in, as 16 bits
    """
    found = analyse(str(audio), kind, **analysed)
    picture, db = found.picture, found.db()
    n_channels, width, _ = db.shape
    height = height or picture.n_rows
    panes = tuple((0, k * height, width, height) for k in range(n_channels))
    low, high = pane_range(picture, scale)
    placing = Placing(width, height * n_channels, panes, scale, low, high, bits=bits)
    most, step = (1 << bits) - 1, picture.db_high - picture.db_low
    codes = np.rint((db - picture.db_low) / step * most).astype(f"uint{bits}")
    shown = placing.rows(picture).of(placing.columns(width).of(codes, 1), 2)
    sound = None
    if keep:
        samples, rate = soundfile.read(audio, dtype="int16", always_2d=True)
        sound = io.BytesIO()
        soundfile.write(sound, samples, rate, format="FLAC", subtype="PCM_16")
    with open(path, "wb") as file:
        strips = [pane.T[::-1] for pane in shown]
        text = Said(picture, placing, audio.name, "tests").to_json()
        write_png(file, width, height * n_channels, strips, text=text, sound=sound)
    return db
