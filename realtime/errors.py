"""Every error the package raises on purpose: one sentence with value, rule and next step.

RealtimeError                 exit 1: it failed while running
├── RequestError              exit 2: the request was wrong; nothing was opened
│   ├── SettingsError         one or more faulty settings, all named at once
│   ├── SourceError           no such source, or a file that is not usable audio
│   └── DeviceError           no such device, or it cannot do what was asked
├── MissingDependency         a library is not installed; the sentence names the install line
├── Overrun                   samples asked of a ring that it no longer, or not yet, holds
├── RecordingError            a recording could not be finished or converted
└── EngineError               the engine process did not start or did not come back
"""


class RealtimeError(Exception):
    """Base of all; `str(error)` is one sentence for people."""

    exit_code = 1


class RequestError(RealtimeError, ValueError):
    exit_code = 2


class SettingsError(RequestError):
    """`faults`: one sentence for each faulty setting."""

    def __init__(self, faults: list[str]):
        super().__init__("; ".join(faults))
        self.faults = list(faults)


class SourceError(RequestError):
    pass


class DeviceError(RequestError):
    pass


class MissingDependency(RealtimeError):
    pass


class Overrun(RealtimeError):
    """Samples [`start`, `stop`) were asked for; the ring holds [`oldest`, `newest`)."""

    def __init__(self, start: int, stop: int, oldest: int, newest: int):
        side = "gone" if start < oldest else "not there yet"
        super().__init__(
            f"samples {start}..{stop} are {side}: the ring holds {oldest}..{newest}; "
            "read nearer to the newest sample or make audio.ring_seconds longer"
        )
        self.start, self.stop, self.oldest, self.newest = start, stop, oldest, newest


class EngineError(RealtimeError):
    pass


class RecordingError(RealtimeError):
    pass
