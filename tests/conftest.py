"""Fixtures every test may use. Servers run for one test at a time: what a test broke, no other
test meets."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from importlib.util import find_spec

import numpy as np
import pytest
from servers import (
    JackServer,
    PulseServer,
    forget_dead_jacks,
    jack_server,
    pulse_server,
    reach,
)

pytest_plugins = ["fixtures_display"] if find_spec("fixtures_display") else []


def pytest_sessionstart() -> None:
    forget_dead_jacks()
    # A shell has what it runs in the background ignore Ctrl-C, and what we start would inherit it.
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True, scope="session")
def _settings_of_no_one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What the program remembers is kept out of the home of whoever runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp(name.lower())))
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20_240_229)


@pytest.fixture
def pulse(monkeypatch: pytest.MonkeyPatch) -> Iterator[PulseServer]:
    """A PulseAudio that this process and its children reach."""
    with pulse_server() as server:
        reach(monkeypatch, server.env)
        yield server


@pytest.fixture
def jack(monkeypatch: pytest.MonkeyPatch) -> Iterator[JackServer]:
    """A JACK with blocks of 256 samples that this process and its children reach."""
    with jack_server() as server:
        reach(monkeypatch, server.env)
        yield server
