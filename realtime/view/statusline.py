"""`--view none`: one status line a second on standard error, or JSON lines on standard output."""

from __future__ import annotations

import json as json_text
import sys
import time

from realtime.effects import effect_text
from realtime.view.model import LiveModel
from realtime.view.monitoring import MonitorReadout
from realtime.wording import say

TICK_SECONDS = 0.05
LINE_SECONDS = 1.0
SHOWN_CHANNELS = 4
"""Peaks that fit in a line; JSON has them all."""
LEAST_LIMITED_DB = -0.1
"""The limiter holds back less than anybody hears."""


def run_status(model: LiveModel, seconds: float | None = None, json: bool = False) -> None:
    """Until `seconds` are over or the source has ended, or KeyboardInterrupt (passed on).

    Lines for people and all messages go to standard error; with `json`, one object a line goes to
    standard output instead.
    """
    started = time.perf_counter()
    until = started + seconds if seconds is not None else float("inf")
    line_due, message = started + LINE_SECONDS, ""
    try:
        while (now := time.perf_counter()) < until and not model.ended:
            model.tick(time.perf_counter_ns())
            if message != (message := model.readout.message) and message:
                say(message)
            if now >= line_due:
                line_due = max(line_due + LINE_SECONDS, now)
                _tell(model, now - started, json)
            time.sleep(max(min(now + TICK_SECONDS, until) - time.perf_counter(), 0))
    except KeyboardInterrupt:
        _tell(model, time.perf_counter() - started, json, last=True)
        raise
    model.tick(time.perf_counter_ns())
    _tell(model, time.perf_counter() - started, json, last=True)


def status_text(model: LiveModel) -> str:
    """What matters now, in one line for people."""
    readout, reading = model.readout, model.meter.reading
    stft, display = model.settings.stft, model.settings.display
    levels = " ".join(f"{db:.0f}" for db in reading.hold_db[:SHOWN_CHANNELS])
    parts = [
        "paused" if model.paused else "",
        f"{readout.device} {readout.sample_rate} Hz",
        f"peak {levels} dB" + (" CLIPPED" if reading.clipped.any() else ""),
        f"lost {readout.lost_samples}",
        f"{readout.latency_ms:.0f} ms",
        f"n_fft {stft.n_fft}/{stft.hop_samples} {stft.window}",
        f"{display.scale} {display.db_low:.0f}..{display.db_high:.0f} dB",
    ]
    if readout.monitor is not None:
        parts.insert(2, _monitor_text(model, readout.monitor))
    return " · ".join(part for part in parts if part)


def _monitor_text(model: LiveModel, monitor: MonitorReadout) -> str:
    settings = model.settings.monitor
    marks = [word for word, on in (("MUTED", settings.mute), ("bypass", settings.bypass)) if on]
    if monitor.limited_db < LEAST_LIMITED_DB:
        marks.append(f"limited {monitor.limited_db:.0f} dB")
    if monitor.missing_samples:
        marks.append(f"silence {monitor.missing_samples}")
    levels = " ".join(f"{db:.0f}" for db in model.output_meter.reading.hold_db[:SHOWN_CHANNELS])
    where = f"{monitor.output_device} {levels} dB after {monitor.latency_ms:.0f} ms"
    return " ".join([where if monitor.state == "playing" else monitor.state, *marks])


def _monitor_object(model: LiveModel, monitor: MonitorReadout) -> dict[str, object]:
    return {
        "output": monitor.output_device,
        "state": monitor.state,
        "latency_ms": round(monitor.latency_ms, 3),
        "algorithmic_ms": round(monitor.algorithmic_ms, 3),
        "effects_ms": round(monitor.effects_ms, 3),
        "transport_ms": round(monitor.transport_ms, 3),
        "device_ms": round(monitor.device_ms, 3),
        "underflows": monitor.underflows,
        "missing_samples": monitor.missing_samples,
        "dropped_samples": monitor.dropped_samples,
        "limited_db": round(monitor.limited_db, 2),
        "peak_dbfs": [round(float(db), 2) for db in model.output_meter.reading.hold_db],
        "effects": [effect_text(effect) for effect in model.settings.effect],
    }


def status_object(model: LiveModel, elapsed: float) -> dict[str, object]:
    """The same for programs: plain numbers, dB as dBFS, times in seconds.

    peak_dbfs : the loudest of the last second and a half. rms_dbfs : of the newest samples.
    """
    readout, reading = model.readout, model.meter.reading
    monitor = readout.monitor
    played = {} if monitor is None else {"monitor": _monitor_object(model, monitor)}
    return {
        "seconds": round(elapsed, 3),
        "device": readout.device,
        "sample_rate": readout.sample_rate,
        "channels": readout.n_channels,
        "state": readout.state.name.lower(),
        "peak_dbfs": [round(float(db), 2) for db in reading.hold_db],
        "rms_dbfs": [round(float(db), 2) for db in reading.rms_db],
        "clipped": [bool(clipped) for clipped in reading.clipped],
        "lost_samples": readout.lost_samples,
        "skipped_columns": readout.skipped_columns,
        "latency_ms": round(readout.latency_ms, 3),
        "message": readout.message,
        **played,
    }


def _tell(model: LiveModel, elapsed: float, json: bool, last: bool = False) -> None:
    if json:
        line = {**status_object(model, elapsed), "last": last}
        sys.stdout.write(json_text.dumps(line) + "\n")
        sys.stdout.flush()
    else:
        lead = f"{elapsed:.1f} s in all" if last else f"{elapsed:.0f} s"
        sys.stderr.write(f"{lead} · {status_text(model)}\n")
