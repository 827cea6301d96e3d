"""Images as drawings: brightness, whatever their colours, size and paper."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from realtime.errors import SourceError
from realtime.picture.drawing import MOST_SIDE, read_drawing


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".gif", ".jpg", ".webp"])
def test_white_is_one_and_black_is_zero(tmp_path: Path, suffix: str) -> None:
    grey = np.zeros((40, 60), np.uint8)
    grey[:20, 30:] = 255
    Image.fromarray(grey).save(tmp_path / f"x{suffix}")
    for negative in (False, True):
        read = read_drawing(tmp_path / f"x{suffix}", negative=negative)
        assert read.dtype == np.float32 and read.min() >= 0 and read.max() <= 1
        assert np.abs(read - (1 - grey / 255 if negative else grey / 255)).mean() < 0.01


def test_sixteen_bits_are_as_bright_as_eight(tmp_path: Path) -> None:
    grey = np.linspace(0, 65535, 600).astype(np.uint16).reshape(20, 30)
    Image.fromarray(grey).save(tmp_path / "x.png")
    assert np.abs(read_drawing(tmp_path / "x.png") - grey / 65535).max() < 0.005


def test_a_huge_image_is_averaged_down(tmp_path: Path) -> None:
    Image.new("L", (3 * MOST_SIDE, 8), 128).save(tmp_path / "x.png")
    read = read_drawing(tmp_path / "x.png")
    assert read.shape == (8, MOST_SIDE) and read == pytest.approx(128 / 255)


def test_what_is_no_image_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"no image")
    with pytest.raises(SourceError, match=r"x\.png is no picture"):
        read_drawing(tmp_path / "x.png")
