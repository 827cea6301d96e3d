"""Two real audio servers that need no sound hardware, each private to one test.

PulseAudio with null sinks is elastic: a late reader loses nothing, it gets late. JACK with the
dummy driver is strict: what is not read in time is gone. Both kinds of fault must be tested.
`env` is what a program needs to reach the server and nothing but that server.
"""

from __future__ import annotations

import contextlib
import functools
import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import children
import counter
import numpy as np
import psutil
import pytest

SAMPLE_RATE = 48000
"""Hz, of both servers."""

_START_SECONDS = 15.0
"""For a server to answer on a busy machine."""

_ALSA = """\
</usr/share/alsa/alsa.conf>
pcm.!default { type pulse }
ctl.!default { type pulse }
pcm.virtmic { type pulse device virtmic hint { show on description "virtual microphone" } }
"""


def _devices(form: str) -> tuple[str, ...]:
    null = f"rate={SAMPLE_RATE} format={form} channels=2"
    return (
        f"module-null-sink sink_name=speaker {null}",
        f"module-null-sink sink_name=mic {null}",
        "module-remap-source master=mic.monitor source_name=virtmic",
    )


_PULSE_FEED_MS = 400
"""The feeder's head start: so much it may be late."""


class PulseServer:
    """Sinks `speaker` and `mic`; the source `virtmic` hears what is played to `mic`.

    form : sample format of all three, s16le or float32le
    """

    def __init__(self, directory: Path, form: str = "s16le"):
        self._directory, self._form = directory, form
        self._server: subprocess.Popen[bytes] | None = None
        self._clients: list[subprocess.Popen[bytes]] = []
        for name in ("pulse", "state"):
            (directory / name).mkdir(mode=0o700)
        (directory / "asound.conf").write_text(_ALSA)
        self.env = {
            **_without(os.environ, "DBUS_SESSION_BUS_ADDRESS", "DISPLAY"),
            "XDG_RUNTIME_DIR": str(directory),
            "PULSE_RUNTIME_PATH": str(directory / "pulse"),
            "PULSE_STATE_PATH": str(directory / "state"),
            "PULSE_COOKIE": str(directory / "cookie"),
            "PULSE_SERVER": f"unix:{directory}/pulse/native",
            "ALSA_CONFIG_PATH": str(directory / "asound.conf"),
            "JACK_NO_START_SERVER": "1",
            "JACK_DEFAULT_SERVER": "none",
        }

    @property
    def pid(self) -> int:
        assert self._server is not None, "the server does not run"
        return self._server.pid

    def start(self) -> None:
        """Start, and come back when it answers."""
        door = f"module-native-protocol-unix socket={self._directory}/pulse/native auth-anonymous=1"
        command = ["pulseaudio", "-n", "--daemonize=no", "--use-pid-file=no"]
        command += ["--exit-idle-time=-1", f"--log-target=file:{self._directory}/log"]
        for module in (door, *_devices(self._form)):
            command += ["-L", module]
        self._server = children.start(command, self.env)
        children.wait_until(self._answers, "an answer from PulseAudio", _START_SECONDS)
        self._settle()

    def _settle(self) -> None:
        """Set the defaults, and keep the sinks warm: a cold one delays the first sample by over a
        second."""
        self.pactl("set-default-sink", "speaker")
        self.pactl("set-default-source", "virtmic")
        for monitor in ("mic.monitor", "speaker.monitor"):
            self._client("parec", "-d", monitor, "--latency-msec=10")

    def _answers(self) -> bool:
        assert self._server is not None
        if self._server.poll() is not None:
            raise RuntimeError(f"pulseaudio ended at once; its log is {self._directory}/log")
        done = subprocess.run(["pactl", "info"], env=self.env, capture_output=True, check=False)
        return done.returncode == 0

    def pactl(self, *arguments: str) -> str:
        return subprocess.run(
            ["pactl", *arguments], env=self.env, check=True, capture_output=True, text=True
        ).stdout

    def _client(self, *command: str) -> subprocess.Popen[bytes]:
        client = children.start(command, self.env)
        self._clients.append(client)
        return client

    def play(self, samples: np.ndarray) -> None:
        """Play int16, or float32 to float sinks, (n_samples, 2) to the microphone; returns at
        once."""
        path = self._directory / f"feed{len(self._clients)}.raw"
        samples.astype("<f4" if self._form == "float32le" else "<i2").tofile(path)
        self._client(
            "pacat", "--playback", "--raw", f"--rate={SAMPLE_RATE}", f"--format={self._form}",
            "--channels=2", "--device=mic", f"--latency-msec={_PULSE_FEED_MS}", str(path),
        )  # fmt: skip

    @contextlib.contextmanager
    def hearing(self) -> Iterator[Callable[[], np.ndarray]]:
        """What is played to `speaker` meanwhile: a function gives it so far, (n_samples, 2)."""
        path = self._directory / "heard.raw"
        with path.open("wb") as file:
            command = ["parec", "-d", "speaker.monitor", "--raw", f"--rate={SAMPLE_RATE}"]
            command += [f"--format={self._form}", "--channels=2", "--latency-msec=20"]
            client = children.start(command, self.env, stdout=file)
        kind = "<f4" if self._form == "float32le" else "<i2"

        def heard() -> np.ndarray:
            whole = path.stat().st_size // 8 * 8
            return np.frombuffer(path.read_bytes()[:whole], kind).reshape(-1, 2)

        try:
            yield heard
        finally:
            children.end(client)

    def feed_counter(self, seconds: float, start: int = 1) -> None:
        """Play the counter from index `start` on to the microphone; returns at once."""
        self.play(counter.encode(start, start + round(seconds * SAMPLE_RATE)))

    def suspend(self, suspended: bool) -> None:
        """Take the microphone away, or give it back, as a desktop does to save power."""
        self.pactl("suspend-source", "virtmic", str(int(suspended)))

    def unplug(self) -> None:
        """Take away every source: while one is left, PulseAudio moves a stream there silently."""
        self.pactl("unload-module", "module-remap-source")
        self.pactl("unload-module", "module-null-sink")

    def plug(self) -> None:
        """Give back what `unplug` took; what was played to it has ended."""
        for module in _devices(self._form):
            self.pactl("load-module", *module.split())
        self._settle()

    def unplug_speaker(self) -> None:
        """Take away every sink, for the same reason; the microphone is a silent one of its own."""
        self.pactl("load-module", "module-null-source", "source_name=quiet")
        self.pactl("set-default-source", "quiet")
        self.pactl("unload-module", "module-null-sink")

    def plug_speaker(self) -> None:
        self.pactl("load-module", *_devices(self._form)[0].split())

    def kill(self) -> None:
        """End the server without a word to its clients."""
        assert self._server is not None, "the server does not run"
        self._server.kill()
        self._server.wait()
        self._end_clients()

    def _end_clients(self) -> None:
        while self._clients:
            children.end(self._clients.pop())

    def stop(self) -> None:
        """Safe twice and from any state."""
        self._end_clients()
        if self._server is not None:
            children.end(self._server)


@contextlib.contextmanager
def pulse_server(form: str = "s16le") -> Iterator[PulseServer]:
    """A running PulseAudio, gone at the end with everything it left."""
    with tempfile.TemporaryDirectory(prefix="pulse-") as directory:
        server = PulseServer(Path(directory), form)
        try:
            server.start()
            yield server
        finally:
            server.stop()


class JackServer:
    """A dummy driver with blocks of `block` samples and the client `feeder`, whose two output
    ports carry the counter of the server's frame time, and whose two input ports are kept."""

    FEEDER = "feeder"
    KEPT_SECONDS = 90

    def __init__(self, directory: Path, block: int):
        self._feeder_program = _build_feeder(directory)
        self._block = block
        self._name = f"realtime-test-{os.getpid()}"
        self._server: subprocess.Popen[bytes] | None = None
        self._feeder: subprocess.Popen[bytes] | None = None
        self._log = directory / "log"
        self._heard = directory / "heard.raw"
        (directory / "asound.conf").write_text("</usr/share/alsa/alsa.conf>\n")
        self.env = {
            **_without(os.environ, "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "PULSE_SERVER"),
            "JACK_DEFAULT_SERVER": self._name,
            "JACK_NO_START_SERVER": "1",
            "JACK_NO_AUDIO_RESERVATION": "1",
            "ALSA_CONFIG_PATH": str(directory / "asound.conf"),
        }

    def start(self) -> None:
        """Start server and feeder. PortAudio lists JACK's clients when it is initialised, so the
        feeder has to run before that."""
        driver = ["-d", "dummy", "-r", str(SAMPLE_RATE), "-p", str(self._block)]
        command = ["jackd", "-n", self._name, *_scheduling(), *driver, "-C", "2", "-P", "2"]
        with self._log.open("wb") as log:
            self._server = children.start(command, self.env, stdout=log, stderr=log)
        children.wait_until(self._feeds, "an answer from JACK", _START_SECONDS)

    def _feeds(self) -> bool:
        assert self._server is not None
        if self._server.poll() is not None:
            raise RuntimeError(f"jackd ended at once: {self._log.read_text()}")
        feeder = children.start(
            [str(self._feeder_program), self.FEEDER, str(self.KEPT_SECONDS), str(self._heard)],
            self.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip
        assert feeder.stdout is not None
        if feeder.stdout.readline():
            self._feeder = feeder
            return True
        children.end(feeder)
        return False

    def heard(self) -> tuple[int, np.ndarray]:
        """End the feeder; what was played to it: the index of the first sample, and float32
        (n_samples, 2)."""
        assert self._feeder is not None and self._feeder.stdin is not None
        self._feeder.stdin.close()
        self._feeder.wait(_START_SECONDS)
        raw = self._heard.read_bytes()
        return int(np.frombuffer(raw[:8], "<i8")[0]), np.frombuffer(raw[8:], "<f4").reshape(-1, 2)

    @property
    def stand_stills(self) -> int:
        """How often the driver itself came too late since the start. Time passed then and the
        server's frame time did not, or not as much: the counter knows nothing of it."""
        return self._log.read_text().count("JackTimedDriver::Process XRun")

    def kill(self) -> None:
        """End server and feeder without a word."""
        for process in (self._feeder, self._server):
            if process is not None:
                process.kill()
                children.end(process)

    def stop(self) -> None:
        """Safe twice and from any state."""
        for process in (self._feeder, self._server):
            if process is not None:
                children.end(process)


@contextlib.contextmanager
def jack_server(block: int = 256) -> Iterator[JackServer]:
    """A running JACK and its feeder, gone at the end."""
    with tempfile.TemporaryDirectory(prefix="jack-") as directory:
        server = JackServer(Path(directory), block)
        try:
            server.start()
            yield server
        finally:
            server.stop()


def forget_dead_jacks() -> None:
    """Remove what killed JACK servers left in shared memory, unless one still runs.

    JACK keeps the names of at most 8 servers for the whole machine, and forgets that of a killed
    one only when the same name comes again; jackd's own `--replace-registry` does not work
    (1.9.21). To be called before this process attaches to JACK: it would hold on to what was
    there.
    """
    if any(
        (process.info["name"] or "").startswith("jackd")
        for process in psutil.process_iter(["name"])
    ):
        return
    for pattern in ("jack-*", "jack_sem.*_realtime-test-*"):
        for left in Path("/dev/shm").glob(pattern):
            with contextlib.suppress(OSError):
                left.unlink()


def reach(monkeypatch: pytest.MonkeyPatch, env: Mapping[str, str]) -> None:
    """Make this process and its children see exactly `env`, so this server and no other."""
    for name in set(os.environ) - set(env):
        monkeypatch.delenv(name)
    for name, value in env.items():
        monkeypatch.setenv(name, value)


def _without(env: os._Environ[str], *names: str) -> dict[str, str]:
    return {name: value for name, value in env.items() if name not in names}


def _build_feeder(directory: Path) -> Path:
    program = directory / "jack_feeder"
    source = Path(__file__).with_name("jack_feeder.c")
    done = subprocess.run(
        ["gcc", "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source, "-ljack"],
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(
            f"the JACK feeder could not be built; 'make test' installs gcc and "
            f"libjack-jackd2-dev: {done.stderr}"
        )
    return program


@functools.cache
def _scheduling() -> list[str]:
    """Real-time priority for server and callbacks where this machine grants it."""
    granted = subprocess.run(["chrt", "--fifo", "70", "true"], capture_output=True, check=False)
    return ["-R", "-P", "70"] if granted.returncode == 0 else ["-r"]
