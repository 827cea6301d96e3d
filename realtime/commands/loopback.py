"""`realtime doctor --loopback`: how late sound is on its whole way, measured through the air or a
cable.

One engine plays a probe as a monitor would play a captured sound, another one listens. Both tell
when each sample was where, so finding the probe again by correlation gives the whole latency;
what is not the monitor's own is the devices'.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
from scipy import fft

from realtime.audio.portaudio import USUAL_RATE
from realtime.audio.sources import parse_source
from realtime.commands.checks import Check
from realtime.config import AudioSettings, MonitorSettings
from realtime.engine.monitor import MonitorState
from realtime.engine.monitor_status import MonitorSnapshot
from realtime.engine.process import EngineProcess
from realtime.errors import RealtimeError

PROBE_SECONDS, PAUSE_SECONDS = 0.5, 0.5
N_PROBES = 4
"""The first may fall into the moments in which playback settles."""
PROBE_HZ = (200.0, 8000.0)
"""What small loudspeakers play and microphones hear."""
PROBE_LEVEL = 0.25
"""-12 dBFS: heard above the noise of a room, and no fright."""
LEAST_PROMINENCE = 8.0
"""A peak of the correlation so many times its root mean square is no chance: noise reaches 5."""
LONGEST_SECONDS = 0.5
"""A latency beyond this would be another probe's."""


def probe(sample_rate: int) -> np.ndarray:
    """A sweep, each octave equally long, float32 (n,). Source: Farina 2000."""
    low, high = PROBE_HZ[0], min(PROBE_HZ[1], 0.4 * sample_rate)
    t = np.arange(int(PROBE_SECONDS * sample_rate)) / sample_rate
    growth = np.log(high / low) / PROBE_SECONDS
    sweep = np.sin(2 * np.pi * low / growth * np.expm1(growth * t))
    edge = np.minimum(1, np.minimum(t, PROBE_SECONDS - t) / 0.01)
    return (PROBE_LEVEL * edge * sweep).astype(np.float32)


def find_probe(heard: np.ndarray, sent: np.ndarray) -> tuple[int, float]:
    """Where in `heard` (n,) the probe `sent` (m,) begins, and how far the peak of the correlation
    stands out of its root mean square."""
    size = fft.next_fast_len(len(heard) + len(sent), real=True)
    spectra = [np.asarray(fft.rfft(signal, size)) for signal in (heard, sent)]
    product = np.asarray(fft.irfft(spectra[0] * spectra[1].conj(), size))
    correlation = np.abs(product[: len(heard)])
    place = int(np.argmax(correlation))
    rms = float(np.sqrt(np.mean(correlation**2)))
    return place, float(correlation[place]) / rms if rms else 0.0


def loopback(audio: AudioSettings, settings: MonitorSettings) -> Check:
    """Play and listen, some seconds."""
    try:
        return _measured(audio, settings)
    except RealtimeError as error:
        return Check("loopback", "note", str(error), "see 'realtime devices' for others")


def _measured(audio: AudioSettings, settings: MonitorSettings) -> Check:
    import soundfile

    rate = audio.sample_rate or USUAL_RATE
    pause = np.zeros(int(PAUSE_SECONDS * rate), np.float32)
    sound = np.concatenate([np.concatenate([pause, probe(rate)])] * N_PROBES + [pause, pause])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.wav"
        soundfile.write(path, sound, rate, subtype="FLOAT")
        mono = AudioSettings(block=audio.block, sample_rate=rate, channels=1, ring_seconds=30)
        listener = EngineProcess(parse_source("mic"), mono)
        player = EngineProcess(parse_source(str(path)), mono, MonitorState(settings))
        try:
            listener.start()
            player.start()
            while not player.ended:
                for engine in (listener, player):
                    engine.poll(time.perf_counter_ns())
                time.sleep(0.05)
            return judged(_delays(player, listener), player.monitor_status.read(), rate)
        finally:
            player.stop()
            listener.stop()


def _delays(player: EngineProcess, listener: EngineProcess) -> list[float]:
    """Seconds from the capture of each probe to its second capture, of those that were found."""
    rate = listener.ring.sample_rate
    sent, found = probe(player.ring.sample_rate), []
    for i in range(N_PROBES):
        begin = int((PAUSE_SECONDS + i * (PAUSE_SECONDS + PROBE_SECONDS)) * rate)
        sent_ns = player.status.read().time_ns(begin, rate)
        start = round((sent_ns - listener.status.read().epoch_ns) * rate / 1e9)
        start = max(start, listener.ring.oldest)
        stop = min(start + int((LONGEST_SECONDS + PROBE_SECONDS) * rate), listener.ring.written)
        if stop - start < len(sent):
            continue
        place, prominence = find_probe(listener.ring.read(start, stop)[:, 0], sent)
        if prominence >= LEAST_PROMINENCE:
            heard_ns = listener.status.read().time_ns(start + place, rate)
            found.append((heard_ns - sent_ns) / 1e9)
    return found


def judged(delays: list[float], monitor: MonitorSnapshot, sample_rate: int) -> Check:
    """delays : seconds. A pure function."""
    if not delays:
        return Check(
            "loopback",
            "note",
            "nothing of the probe came back",
            "hold the microphone to the loudspeaker, or connect output and input, and turn it up",
        )
    whole = 1000 * float(np.median(delays))
    spread = 1000 * (max(delays) - min(delays))
    frames = 1000 * monitor.algorithmic / sample_rate
    transport = 1000 * monitor.transport / sample_rate
    return Check(
        "loopback",
        "ok",
        f"{whole:.1f} ms from sound to sound (±{spread / 2:.1f} ms over {len(delays)} probes): "
        f"frames {frames:.1f}, transport {transport:.1f}, devices {whole - frames - transport:.1f}",
    )
