"""No change of an effect, and no bypass, is ever heard as a click: the must of the project."""

from __future__ import annotations

import numpy as np
import pytest
from clicks import assert_no_clicks, effects, frame_format

VARIANTS = {
    "gain": ["gain:db=0", "gain:db=-6", "gain:db=-60"],
    "band": ["band", "band:mode=stop", "band:bands=900-1100", "band:bands=420-430+980-2000"],
    "gate": [
        "gate",
        "gate:threshold=0,attack=0,release=0,range=100",
        "gate:threshold=-5,mode=whole",
    ],
    "mask": ["mask", "mask:boxes=300-900", "mask:boxes=300-900,mode=remove", "mask:boxes=0-50"],
    "two": ["gain:db=-20", "band:bands=900-1100"],
}
TONES = [440.0, 1000.0, 1003.7]


@pytest.mark.parametrize("hz", TONES)
@pytest.mark.parametrize("name", VARIANTS)
def test_no_change_and_no_bypass_at_any_time_is_heard_as_a_click(
    rng: np.random.Generator, name: str, hz: float
):
    descriptions = [(effects(text), bypass) for text in VARIANTS[name] for bypass in (False, True)]
    assert_no_clicks(rng, frame_format(), hz, [*descriptions, ((), False)])


@pytest.mark.parametrize("hz", TONES)
@pytest.mark.parametrize("name", VARIANTS)
def test_nor_is_it_heard_with_the_windows_of_least_latency(
    rng: np.random.Generator, name: str, hz: float
):
    """Where what an effect does to a tone all the time is no pure tone: see `own`."""
    descriptions = [(effects(text), bypass) for text in VARIANTS[name] for bypass in (False, True)]
    own = name != "gain"
    assert_no_clicks(rng, frame_format("2048/64/128"), hz, [*descriptions, ((), False)], own=own)


def test_nor_in_stereo(rng: np.random.Generator):
    descriptions = [(effects(text), False) for text in VARIANTS["gain"] + VARIANTS["gate"]]
    assert_no_clicks(rng, frame_format(n_channels=2), 1000.0, descriptions)
