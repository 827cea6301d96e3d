"""Sound in whatever FFmpeg reads: M4A, AAC, video, WMA ..., through PyAV, an extra.

The same face, limits and sentences as `realtime.audio.files`. FFmpeg is let near a stranger's file
as little as sound needs: demuxers and decoders by name, no other file or address that a file
might refer to (it gets this one's bytes, not its path), no picture decoded, and no more samples
than a file of that size can hold. PyAV is imported when a file is opened.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from importlib import import_module
from itertools import chain
from typing import Any

import numpy as np

from realtime.audio.files import SAMPLES_PER_BYTE, Decoded, check_limits, file_head, silence_bad
from realtime.errors import MissingDependency, SourceError
from realtime.wording import shown_path

DEMUXERS = (
    *("mov", "mp4", "m4a", "3gp", "3g2", "mj2", "matroska", "webm", "avi", "asf", "flv"),
    *("mpeg", "mpegts", "mpegvideo", "aac", "ac3", "eac3", "amr", "dts", "ape", "wv", "tta"),
    *("mp3", "ogg", "flac", "wav", "w64", "aiff", "caf", "au"),
)
"""No playlists and no lists of files: those name further files."""

DECODERS = frozenset(
    [
        *("aac", "aac_latm", "ac3", "eac3", "alac", "ape", "dca", "flac", "tta", "wavpack"),
        *("mp1", "mp1float", "mp2", "mp2float", "mp3", "mp3float", "opus", "libopus", "vorbis"),
        *("wmav1", "wmav2", "wmapro", "wmalossless", "amrnb", "amrwb"),
        *("libopencore_amrnb", "libopencore_amrwb", "gsm", "gsm_ms", "nellymoser"),
        *("adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt", "adpcm_swf", "pcm_mulaw", "pcm_alaw"),
        *("pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le"),
        *("pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_dvd"),
        *("pcm_bluray",),
    ]
)

SHORT_SECONDS, SHORT_SHARE = 1.0, 0.01
"""An honest file may end by so much, or by such a share, before what its header claims."""

INSTALL = "pip install 'realtime-spectrogram[media]'"


class MediaFile(Decoded):
    """An open file, as `AudioFile`. Owner: one thread.

    n_samples : what the header claims, or what FFmpeg guesses from the bit rate, or None
    """

    def __init__(self, path: str):
        """Raises `SourceError`, also if nothing can be decoded; `MissingDependency` without
        PyAV."""
        self._shown = shown_path(path)
        file_head(path)
        av = _library(self._shown)
        self._errors: tuple[type[Exception], ...] = (av.FFmpegError, ValueError, OSError)
        self.name = os.fsencode(os.path.basename(path)).decode(errors="replace")
        self._file = open(path, "rb")  # noqa: SIM115 -- until close
        try:
            self._container = _opened(av, self._file, self._shown)
            self._stream = _sound_of(self._container, self._shown)
            codec = self._stream.codec_context
            self.sample_rate = int(codec.sample_rate)
            check_limits(self._shown, int(codec.channels), self.sample_rate)
            self._budget = os.fstat(self._file.fileno()).st_size * SAMPLES_PER_BYTE
            self.bad_samples = self._decoded = 0
            parts = self._parts(av)
            first = next(parts, None)
            if first is None:
                raise SourceError(f"{self._shown} holds no sample")
            # What it holds may be other than what the header names.
            self.sample_rate, self.n_channels = first.sample_rate, first.layout.nb_channels
            check_limits(self._shown, self.n_channels, self.sample_rate)
            self.n_samples = self._claim()
            self._fault = None
            self._rest = np.zeros((0, self.n_channels), np.float32)
            self._chunks = self._decode(chain([first], parts))
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Safe twice."""
        if container := getattr(self, "_container", None):
            container.close()
        self._file.close()

    def _claim(self) -> int | None:
        duration, base = self._stream.duration, self._stream.time_base
        if not duration or not base or duration < 0:
            return None
        claim = round(duration * base * self.sample_rate)
        return claim if claim <= self._budget else None

    def _more(self) -> bool:
        while not len(self._rest) and self._fault is None:
            chunk = next(self._chunks, None)
            if chunk is None:
                break
            self.bad_samples += silence_bad(chunk)
            self._rest = chunk
        return bool(len(self._rest))

    def _parts(self, av: Any) -> Iterator[Any]:
        """Decoded frames of floats, not empty, all with as many channels as the first. Raises
        SourceError where these change, and where nothing more can be decoded."""
        floats, first = None, (0, 0)
        try:
            with suppress(IndexError):  # at the end, over streams that began while PyAV read
                for packet in self._container.demux(self._stream):
                    for frame in packet.decode():
                        form = frame.layout.nb_channels, frame.sample_rate
                        if floats is None:
                            # Interleaved: PyAV knows eight planes, and reads wild ones beyond.
                            floats, first = av.AudioResampler("flt", frame.layout, form[1]), form
                        if form != first:
                            raise SourceError(
                                f"{self._shown} goes on with {form[0]} channels at {form[1]} Hz "
                                f"after {self._seconds(self._decoded)} with {first[0]} at "
                                f"{first[1]} Hz: convert it, for example with "
                                "'ffmpeg -i IN OUT.flac'"
                            )
                        yield from (part for part in floats.resample(frame) if part.samples)
        except SourceError:
            raise
        except self._errors as fault:
            raise SourceError(
                f"{self._shown} is damaged after {self._seconds(self._decoded)}: nothing more can "
                "be decoded; copy it again from where it came"
            ) from fault

    def _decode(self, parts: Iterator[Any]) -> Iterator[np.ndarray]:
        """float32 (n, n_channels), not empty; ends at the end, or with `_fault` set."""
        try:
            for part in parts:
                self._decoded += part.samples
                yield part.to_ndarray().reshape(-1, self.n_channels)
                if self._decoded > self._budget:
                    raise SourceError(
                        f"{self._shown} gives more samples than a file of its size can hold: "
                        "it is not honest sound"
                    )
        except SourceError as fault:
            self._fault = fault
            return
        claim = self.n_samples or 0
        # Only an MP4 has a table of all its samples; for raw streams FFmpeg guesses.
        if "mp4" not in self._container.format.name:
            return
        if self._decoded < min(claim - SHORT_SECONDS * self.sample_rate, claim * (1 - SHORT_SHARE)):
            self._fault = SourceError(
                f"{self._shown} ends after {self._seconds(self._decoded)} though its header claims "
                f"{self._seconds(claim)}: it was cut short; copy it again from where it came"
            )

    def _seconds(self, n_samples: int) -> str:
        return f"{n_samples / self.sample_rate:.2f} s"


def _library(shown: str) -> Any:
    try:
        return import_module("av")
    except ImportError as fault:
        raise MissingDependency(
            f"{shown} is in no format that is read without PyAV (WAV, FLAC, OGG, MP3, AIFF, CAF, "
            f"AU, W64): {INSTALL}"
        ) from fault


def _opened(av: Any, file: Any, shown: str) -> Any:
    options = {
        "format_whitelist": ",".join(DEMUXERS),
        "codec_whitelist": ",".join(sorted(DECODERS)),  # while it looks what the streams are
    }
    # Until PyAV 19, names and the like that are no UTF-8 were an error unless one asked.
    asked = {"metadata_errors": "replace"} if int(av.__version__.split(".")[0]) < 19 else {}
    try:
        return av.open(file, mode="r", options=options, **asked)
    except (av.FFmpegError, ValueError, OSError) as fault:
        raise SourceError(
            f"{shown} is no sound or video in a format that we read, or it is damaged: convert "
            "it, for example with 'ffmpeg -i IN OUT.flac'"
        ) from fault


def _sound_of(container: Any, shown: str) -> Any:
    streams = container.streams.audio
    if not streams:
        raise SourceError(f"{shown} holds no sound: name a file that does")
    stream = streams[0]
    if stream.codec_context is None or stream.codec_context.name not in DECODERS:
        raise SourceError(
            f"{shown} holds sound that we do not decode: convert it, for example with "
            "'ffmpeg -i IN OUT.flac'"
        )
    return stream
