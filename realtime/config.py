"""Settings: typed, frozen, checked as a whole before any device opens.

Precedence: defaults, what the window remembers, preset, file, `--set`, flags. Every fault of a
request is found at once and raised as one `SettingsError`; a key is written `section.name`
everywhere, and a setting that may be left to the program takes the word "auto".
How layers join, and what must fit together, is said in `rules`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from types import NoneType
from typing import Any, Literal, Self, get_args

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    InstanceOf,
    ValidationError,
    model_validator,
)
from pydantic.fields import FieldInfo

from realtime import presets
from realtime.dsp.processors.registry import Effect
from realtime.effects import read_effects
from realtime.errors import SettingsError
from realtime.presets import EFFECT
from realtime.rules import (
    LEAST_BAND_HZ,
    LEAST_DB_RANGE,
    N_FFT_RANGE,
    broken_rules,
    overlaid,
)
from realtime.wording import shown, unknown

__all__ = [
    "COLORMAPS", "EFFECT", "FIELDS", "LEAST_BAND_HZ", "LEAST_DB_RANGE", "N_FFT_RANGE",
    "RING_SECONDS", "SECTIONS", "AudioSettings", "DisplaySettings", "Effect", "MonitorSettings",
    "RecordSettings", "ScaleName", "Settings", "StftSettings", "WindowName", "change", "load",
    "values_of",
]  # fmt: skip

WindowName = Literal[
    "hann", "hamming", "blackman", "blackmanharris", "kaiser", "gaussian", "flattop"
]
ScaleName = Literal["linear", "log", "mel", "bark", "erb", "notes"]
ColormapName = Literal[
    "magma", "inferno", "plasma", "viridis", "cividis", "turbo", "batlow", "mako", "rocket",
    "thermal", "cubehelix", "hot", "bone", "gray", "gray_r",
]  # fmt: skip
COLORMAPS: tuple[str, ...] = get_args(ColormapName)
"""Names the colour-map library knows without a prefix. Most run evenly from dark to light, so
that a dB is a dB everywhere; turbo, hot and bone are here because people know them, gray_r for
paper."""


RING_SECONDS = 600.0
"""Kept in memory for eyes and ears, to scroll back in: 115 MB a channel at 48000 Hz."""


class _Section(BaseModel):
    # strict: the text "4096" is not a number, nor is `true` one; a whole number is a float.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class AudioSettings(_Section):
    """How sound is captured. None means: what the source offers."""

    sample_rate: int | None = Field(default=None, ge=1000, le=768_000, examples=[48000])
    channels: int | None = Field(default=None, ge=1, le=64, examples=[1])
    block: int = Field(default=256, ge=16, le=16384)
    """Samples in one callback (5.3 ms at 48000 Hz)."""
    latency: float | None = Field(default=None, ge=0, le=2, examples=[0.1])
    """Seconds that device and server may hold back; None means as little as they can. With more
    they wake up less often."""
    ring_seconds: float | None = Field(default=None, ge=1, le=7200, examples=[600])
    """How much stays in memory; None means `RING_SECONDS`, and what a recorder needs."""


class StftSettings(_Section):
    """How sound becomes columns."""

    n_fft: int = 4096
    """Samples, a power of two (85 ms at 48000 Hz)."""
    hop: int | None = Field(default=None, examples=[256])
    """Samples, n_fft / 32 to n_fft; None means n_fft // 16."""
    window: WindowName = "hann"
    zero_pad: int = 1
    """The transform is this many times n_fft long: 1 to 8."""

    @property
    def hop_samples(self) -> int:
        return self.hop if self.hop is not None else self.n_fft // 16


class DisplaySettings(_Section):
    """How the picture looks. None of these changes what is kept."""

    scale: ScaleName = "log"
    f_low: float = Field(default=30.0, ge=0, le=384_000)
    """Hz at the lower edge."""
    f_high: float | None = Field(default=None, gt=0, le=384_000, examples=[8000])
    """Hz at the upper edge; None means half the sample rate."""
    db_low: float = Field(default=-100.0, ge=-144, le=0)
    db_high: float = Field(default=0.0, ge=-144, le=12)
    gamma: float = Field(default=1.0, ge=0.1, le=10)
    tilt: float = Field(default=0.0, ge=-12, le=12)
    """dB added per octave above 1 kHz (and taken away below)."""
    colormap: ColormapName = "magma"
    span: float = Field(default=12.0, ge=0.5, le=7200)
    """Seconds from the left to the right edge: the scroll speed."""
    reduce: Literal["peak", "mean"] = "peak"
    """What several cells under one pixel become."""
    panes: Literal["each", "mean"] = "each"
    """One pane a channel, or the mean of all channels."""
    fps: int = Field(default=60, ge=1, le=240)


class MonitorSettings(_Section):
    """How sound is put together again and played: ears need shorter frames than eyes."""

    output: str = Field(default="", max_length=200)
    """Part of the name of the playback device, or its number; empty means the default one."""
    n_fft: int = 1024
    """Samples, a power of two (21 ms at 48000 Hz)."""
    hop: int = 256
    """Samples, n_fft / 32 to n_fft / 2."""
    window: WindowName = "hann"
    """With `synthesis` the pair of asymmetric windows is taken instead."""
    synthesis: int | None = Field(default=None, examples=[128])
    """Samples of a short synthesis window: the delay is this less a hop, in place of n_fft less
    a hop. None means as long as n_fft."""
    gain: float = Field(default=0.0, ge=-60, le=24)
    """dB on the way to the playback device."""
    mute: bool = False
    bypass: bool = False
    """The effects left out, the delay kept."""
    show: Literal["all", "input", "output", "difference"] = "all"
    """Panes in the picture."""

    @property
    def frames(self) -> tuple[int, int, str, int | None]:
        """What makes frames of another kind when it changes."""
        return self.n_fft, self.hop, self.window, self.synthesis

    @property
    def volume(self) -> float:
        """Factor on the way to the playback device; 0 when muted."""
        return 0.0 if self.mute else 10 ** (self.gain / 20)


class RecordSettings(_Section):
    """How sound is kept on disk. Durations are texts such as 90s, 10m, 1h30m."""

    segment: str = "10m"
    """Length of a file; "none" for one file until the end."""
    align: bool = False
    """Segments begin at whole multiples of their length since midnight, UTC."""
    name: str = "{utc:%Y%m%dT%H%M%SZ}"
    """Pattern of file names, sub-folders allowed."""
    format: Literal["wav", "flac"] = "wav"
    depth: int = Field(default=24, examples=[16, 24, 32])
    """Bits of a sample: 16 or 24, or 32 for float in WAV."""
    trigger: str = "continuous"
    """When to record; several, of which one suffices, with a blank between."""
    last: str = ""
    """Nothing but the last so many minutes, each time they are asked for."""
    keep: str = ""
    """Age or size (30d, 200GB) beyond which the oldest recordings are deleted; empty: never."""
    min_free: str = "500MB"
    """Free space (or 5%) below which recording stops, or the oldest is dropped."""
    when_full: Literal["stop", "drop"] = "stop"
    spectrogram: bool = False
    """Columns and a picture beside each segment, as [stft] says."""
    health_file: str = ""
    """Replaced with the newest health line, for programs that look from outside."""
    metrics_port: int | None = Field(default=None, ge=1, le=65535, examples=[9150])
    """Of 127.0.0.1, for Prometheus."""


class RenderSettings(_Section):
    """Pictures in files. None means: what `realtime.picture_format` takes for the kind."""

    kind: Literal["stft", "mel", "bark", "erb", "cqt"] = "stft"
    sample_rate: int | None = Field(default=None, ge=1000, le=768_000, examples=[22050])
    """Hz to resample to; None means the sound's own."""
    mono: bool = False
    """The mean of all channels, in place of a pane each."""
    n_fft: int | None = Field(default=None, ge=2, examples=[2048])
    hop: int | None = Field(default=None, ge=1, examples=[512])
    """Samples; None means 512, or n_fft // 4 where that many are more than n_fft."""
    window: WindowName = "hann"
    center: bool = True
    n_mels: int | None = Field(default=None, ge=1, examples=[128])
    """Bands, of bark and erb too."""
    n_bins: int | None = Field(default=None, ge=1, examples=[84])
    bins_per_octave: int | None = Field(default=None, ge=1, examples=[12])
    fmin: float | None = Field(default=None, ge=0, examples=[0.0])
    fmax: float | None = Field(default=None, gt=0, examples=[8000.0])
    htk: bool = False
    norm: Literal["slaney", "none"] = "slaney"
    power: float = Field(default=2.0, gt=0)
    ref: float | Literal["max"] = "max"
    """What reads 0 dB, in units of magnitude ** power; "max" is the greatest value."""
    top_db: float | None = Field(default=80.0, ge=0)
    """dB below the greatest value at which the picture ends; None: at 1e-10 of power."""
    bare: bool = False
    """PNG of one pixel a value, without axes."""
    bits: int = Field(default=8, examples=[8, 16])
    colormap: ColormapName = "magma"
    scale: Literal["rows", "linear", "log", "mel", "bark", "erb", "notes"] = "rows"
    """Of the frequency axis; "rows" are equally high."""
    size: str = ""
    """Of the whole picture: 1000x400 pixels, or 10x4in; empty: as many pixels as values."""
    width: int | None = Field(default=None, ge=1, examples=[1000])
    """Pixels across the panes, where there is no size; None means one a frame or more."""
    reduce: Literal["peak", "mean"] = "peak"
    """What frames become that share a column."""
    dpi: float = Field(default=100.0, ge=20, le=1200)
    title: str | None = Field(default=None, examples=["Mel spectrogram"])
    """None means the name of the file; empty: none."""
    keep_sound: bool = False
    """The PNG carries the sound itself, as FLAC."""


class Settings(_Section):
    audio: AudioSettings = AudioSettings()
    stft: StftSettings = StftSettings()
    display: DisplaySettings = DisplaySettings()
    monitor: MonitorSettings = MonitorSettings()
    record: RecordSettings = RecordSettings()
    render: RenderSettings = RenderSettings()
    effect: tuple[InstanceOf[Effect], ...] = ()
    """Processors of the monitor, in their order: in a file `[[effect]]`, then name = "gain"
    and the parameters."""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        faults = [sentence for _, sentence in broken_rules(values_of(self))]
        if faults:
            raise SettingsError(faults)
        return self


SECTIONS: dict[str, type[_Section]] = {
    "audio": AudioSettings,
    "stft": StftSettings,
    "display": DisplaySettings,
    "monitor": MonitorSettings,
    "record": RecordSettings,
    "render": RenderSettings,
}
FIELDS: dict[str, FieldInfo] = {
    f"{section}.{name}": field
    for section, kind in SECTIONS.items()
    for name, field in kind.model_fields.items()
}
"""Every key there is, but for `EFFECT`."""


def load(
    preset: str | None = None,
    file: str | Path | None = None,
    sets: Sequence[str] = (),
    flags: Mapping[str, Any] | None = None,
    remembered: Mapping[str, Any] | None = None,
) -> Settings:
    """Settings of a request, later layers over earlier ones.

    preset : a name of `presets.preset_names()`
    file : a TOML file
    sets : texts `section.key=value`
    flags : `{"audio.channels": 2}`; a value of None was not given
    remembered : from the last run, the layer just above the defaults

    Raises SettingsError with every fault of every layer.
    """
    faults: list[str] = []
    given = {key: value for key, value in (flags or {}).items() if value is not None}
    layers = [
        remembered or {},
        presets.read_preset(preset, faults) if preset is not None else {},
        presets.read_file(Path(file), faults) if file is not None else {},
        presets.parse_sets(sets, FIELDS, faults),
        given,
    ]
    return _build(Settings(), layers, faults)


def change(settings: Settings, changes: Mapping[str, Any]) -> Settings:
    """`settings` with `{"stft.n_fft": 8192, ...}` put in; the whole is checked again.

    An explicit hop follows a new n_fft as `rules` says.
    Raises SettingsError; `settings` itself never changes.
    """
    return _build(settings, [changes], [])


def values_of(settings: Settings) -> dict[str, Any]:
    """Every setting by its key, in the order of `FIELDS`, then the effects."""
    values = {
        f"{section}.{name}": value
        for section in SECTIONS
        for name, value in getattr(settings, section)
    }
    return {**values, EFFECT: settings.effect}


def _build(start: Settings, layers: Iterable[Mapping[str, Any]], faults: list[str]) -> Settings:
    values, bad = values_of(start), set[str]()
    for layer in layers:
        values = overlaid(values, _checked(layer, faults, bad))
    faults += [sentence for keys, sentence in broken_rules(values) if not keys & bad]
    if faults:
        raise SettingsError(faults)
    return Settings(
        **{
            section: kind(**{name: values[f"{section}.{name}"] for name in kind.model_fields})
            for section, kind in SECTIONS.items()
        },  # type: ignore[arg-type]
        effect=values[EFFECT],
    )


def _checked(layer: Mapping[str, Any], faults: list[str], bad: set[str]) -> dict[str, Any]:
    """The values of one layer that stand on their own; the others go to `faults` and `bad`."""
    good: dict[str, Any] = {}
    for key, value in layer.items():
        if key == EFFECT:
            good[key] = read_effects(value, faults)
            continue
        if key not in FIELDS:
            faults.append(_unknown_key(key, value))
            continue
        if value == "auto" and NoneType in get_args(FIELDS[key].annotation):
            value = None
        if FIELDS[key].annotation is str and type(value) is int and 0 <= value < 10_000:
            value = str(value)  # a device's number
        section, name = key.split(".")
        try:
            good[key] = getattr(SECTIONS[section](**{name: value}), name)
        except ValidationError as error:
            bad.add(key)
            faults.append(_field_fault(key, value, error))
    return good


def _field_fault(key: str, value: Any, error: ValidationError) -> str:
    field, kind = FIELDS[key], error.errors()[0]
    choices = [c for c in get_args(field.annotation) if isinstance(c, str)]
    if choices:
        return unknown(key, value, choices)
    default = field.examples[0] if field.examples else field.default
    limits = kind.get("ctx", {})
    rule = {
        "greater_than_equal": f"at least {limits.get('ge')}",
        "greater_than": f"above {limits.get('gt')}",
        "less_than_equal": f"at most {limits.get('le')}",
        "finite_number": "a finite number",
    }.get(kind["type"])
    if rule is None:
        kinds = {field.annotation, *get_args(field.annotation)}
        words = {bool: "true or false", int: "a whole number", str: "text in quotes"}
        rule = next((word for kind, word in words.items() if kind in kinds), "a number")
    return f"{key} = {shown(value)} must be {rule} (try {shown(default)})"


def _unknown_key(key: str, value: Any) -> str:
    section, _, name = key.partition(".")
    if section in SECTIONS:
        if not name:
            return f"{section} = {shown(value)} must be a section: write [{section}], then its keys"
        names = list(SECTIONS[section].model_fields)
        return unknown("key", key, names, look_for=name)
    for known in FIELDS:
        if known.split(".")[1] == section and not name:
            return f"unknown key {shown(key)}, did you mean {known!r}?"
    return unknown("section", section, list(SECTIONS))
