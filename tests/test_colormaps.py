"""Every colour map that the settings offer exists, dark to light but for those that say so."""

from __future__ import annotations

import numpy as np
import pytest

from realtime.config import COLORMAPS
from realtime.view.colormaps import lut


@pytest.mark.parametrize("name", COLORMAPS)
def test_every_colour_map_on_offer_has_256_opaque_steps_that_nobody_can_write(name):
    table = lut(name)
    assert (table.shape, table.dtype) == ((256, 4), np.uint8)
    assert (table[:, 3] == 255).all()
    with pytest.raises(ValueError, match="read-only"):
        table[0] = 0


def test_there_are_at_least_ten_and_no_two_are_the_same():
    assert len({lut(name).tobytes() for name in COLORMAPS}) == len(COLORMAPS) >= 10


def test_a_map_the_library_does_not_know_raises():
    with pytest.raises(ValueError, match="nonsense"):
        lut("nonsense")
