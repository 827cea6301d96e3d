"""Health for Prometheus: text at http://127.0.0.1:PORT/metrics, of this machine only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from realtime.errors import MissingDependency, RequestError
from realtime.recording.health import Health

ADDRESS = "127.0.0.1"

GAUGES = {
    "recording": "1 while samples go to a file",
    "free_bytes": "Free space of the disk",
    "seconds_left": "Until the disk is full, at this pace",
    "sync_age_seconds": "Since the last sync that went well",
    "behind_seconds": "Captured, and waiting in memory for the disk",
    "drift_ppm": "The device's clock against the system's",
    "alarms": "Alarms now",
}
COUNTERS = {
    "captured_samples": "Samples captured, gaps included",
    "recorded_samples": "Samples written",
    "missing_samples": "Samples of gaps",
    "missed_samples": "Samples captured that the disk was too late for",
    "gaps": "Gaps",
    "files": "Complete recordings",
    "restarts": "Times the engine came back",
}


class Metrics:
    """Answers requests in a thread of its library's. Raises MissingDependency, RequestError."""

    def __init__(self, port: int):
        try:
            from prometheus_client import CollectorRegistry, start_http_server
        except ImportError as error:
            raise MissingDependency(
                "record.metrics_port needs prometheus-client: install it with "
                "pip install 'realtime-spectrogram[record]'"
            ) from error
        self._healths: Sequence[Health] = ()
        registry = CollectorRegistry()
        registry.register(self)  # type: ignore[arg-type]
        try:
            self._server, self._thread = start_http_server(port, ADDRESS, registry)
        except OSError as error:
            raise RequestError(
                f"record.metrics_port = {port} of {ADDRESS} cannot be used ({error.strerror}): "
                "choose another"
            ) from error

    def update(self, healths: Sequence[Health]) -> None:
        self._healths = healths

    def collect(self) -> Iterable[Any]:
        """As its library asks for it, in its thread."""
        from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

        labels = ["folder", "device"]
        healths = self._healths
        for kinds, family in ((GAUGES, GaugeMetricFamily), (COUNTERS, CounterMetricFamily)):
            for name, text in kinds.items():
                metric = family(f"realtime_{name}", text, labels=labels)
                for health in healths:
                    value = _value(health, name)
                    if value is not None:
                        metric.add_metric([health.folder, health.device], value)
                yield metric

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _value(health: Health, name: str) -> float | None:
    match name:
        case "recording":
            return float(health.state == "recording")
        case "sync_age_seconds":
            return health.sync_age
        case "alarms":
            return float(len(health.alarms))
    return getattr(health, name)
