"""The line at the bottom: what is heard, how well, and what lies under the pointer."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QStatusBar

from realtime.config import MonitorSettings
from realtime.view import theme
from realtime.view.cursor import Reading, reading_text
from realtime.view.latency import latency_tip, total_text
from realtime.view.model import Readout
from realtime.view.monitoring import MonitorReadout

FIELDS = ("device", "rate", "latency", "fps", "lost", "skipped")
SOUND_FIELDS = ("sound", "underflows")
"""Of the monitor."""
TIPS = {
    "latency": "From the delivery of the newest sample to its column, measured",
    "fps": "Frames drawn in a second",
    "lost": "Samples that the device or the server lost, counted against the clock",
    "underflows": "Times that silence was played for want of sound",
    "skipped": "Columns not drawn because the display was late; their sound is in the ring",
}
DEVICE_PX = 260
"""Widest device name; longer ones end in dots."""


class StatusLine(QStatusBar):
    """Labels that are set only when they read differently. monitors : sound is played."""

    def __init__(self, monitors: bool = False) -> None:
        super().__init__()
        self.setSizeGripEnabled(False)
        self.setContentsMargins(10, 0, 12, 0)
        self.labels = {name: QLabel() for name in (*FIELDS, *(SOUND_FIELDS if monitors else ()))}
        for name, label in self.labels.items():
            label.setObjectName("status")
            label.setToolTip(TIPS.get(name, ""))
            label.setContentsMargins(0, 0, 16, 0)
            self.addWidget(label)
        self._reading = QLabel()
        self._reading.setObjectName("readout")
        self._reading.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.addPermanentWidget(self._reading)

    def show_readout(self, readout: Readout) -> None:
        metrics = self.fontMetrics()
        device = metrics.elidedText(readout.device, Qt.TextElideMode.ElideRight, DEVICE_PX)
        self._set("device", device)
        channels = {1: "mono", 2: "stereo"}.get(readout.n_channels, f"{readout.n_channels} ch")
        self._set("rate", f"{rate_text(readout.sample_rate)}, {channels}")
        self._set("latency", f"latency {readout.latency_ms:.0f} ms" if readout.latency_ms else "")
        self._set("fps", f"{readout.fps:.0f} fps")
        lost = count_text(readout.lost_samples)
        self._set("lost", f"lost {lost}", warn=readout.lost_samples > 0)
        self._set("skipped", f"skipped {count_text(readout.skipped_columns)}")

    def show_monitor(self, monitor: MonitorReadout, settings: MonitorSettings) -> None:
        """What goes out, or why nothing does, and how late."""
        words = [word for word, on in (("muted", settings.mute), ("bypass", settings.bypass)) if on]
        state = " + ".join(words) or monitor.state
        self._set("sound", f"{state}, {total_text(monitor)}", warn=bool(words))
        tip = f"→ {monitor.output_device}\n{latency_tip(monitor)}"
        if self.labels["sound"].toolTip() != tip:
            self.labels["sound"].setToolTip(tip)
        underflows = count_text(monitor.underflows)
        self._set("underflows", f"underflows {underflows}", warn=monitor.underflows > 0)

    def show_reading(self, reading: Reading | None, paused: bool) -> None:
        text = reading_text(reading, paused) if reading else ""
        if self._reading.text() != text:
            self._reading.setText(text)

    def _set(self, name: str, text: str, warn: bool = False) -> None:
        label = self.labels[name]
        if label.text() != text:
            label.setText(text)
            label.setStyleSheet(f"color: {theme.WARN}" if warn else "")


def rate_text(sample_rate: int) -> str:
    """44100 -> "44.1 kHz"."""
    return f"{sample_rate / 1000:g} kHz"


def count_text(n: int) -> str:
    """12480 -> "12 480", with narrow spaces that do not break."""
    return f"{n:,}".replace(",", "\u202f")
