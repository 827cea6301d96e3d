"""PortAudio asked in a process of its own, where a broken sound configuration may end or hang it.

    python -m realtime.commands.sound_probe [rates]

prints one JSON object: version, devices; or error, the sentence of a RealtimeError.
"""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys

from realtime.audio.devices import Device, list_devices
from realtime.audio.portaudio import portaudio
from realtime.commands.probe import PROBE_SECONDS, probe
from realtime.errors import MissingDependency, RealtimeError


def probed_devices(rates: bool = True) -> tuple[str, list[Device]]:
    """PortAudio's version and all devices. Raises RealtimeError, MissingDependency among them."""
    try:
        done = probe(__name__, *(["rates"] if rates else []))
    except subprocess.TimeoutExpired as error:
        raise RealtimeError(
            f"PortAudio did not answer within {PROBE_SECONDS:g} s: is a sound server stuck? "
            "Restart it"
        ) from error
    if done.returncode != 0:
        raise RealtimeError(
            f"PortAudio ended with {_ending(done.returncode)} while it looked for devices: "
            "is ~/.asoundrc, or another sound configuration, faulty?"
        )
    found = json.loads(done.stdout)
    if "error" in found:
        raise MissingDependency(found["error"])
    devices = [Device(**{**about, "rates": tuple(about["rates"])}) for about in found["devices"]]
    return found["version"], devices


def _ending(code: int) -> str:
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def main() -> None:
    try:
        version = portaudio().get_portaudio_version()[1].split(",")[0]
        devices = list_devices(probe_rates=sys.argv[1:] == ["rates"])
        found = {"version": version, "devices": [dataclasses.asdict(d) for d in devices]}
    except MissingDependency as error:
        found = {"error": str(error)}
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)  # PortAudio's host libraries have been seen to crash at exit


if __name__ == "__main__":
    main()
