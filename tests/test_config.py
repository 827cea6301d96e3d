"""Settings: how layers join, what is refused, and with which sentence."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from realtime import config, presets
from realtime.config import COLORMAPS, EFFECT, FIELDS, Settings, change, load, values_of
from realtime.errors import SettingsError
from realtime.view.colormaps import lut

ROOT = Path(__file__).parent.parent
BROKEN = sorted((ROOT / "configs" / "broken").glob("*.toml"))


def faults(*sets: str, **request: object) -> list[str]:
    """The sentences a request is refused with."""
    with pytest.raises(SettingsError) as refused:
        load(sets=sets, **request)  # type: ignore[arg-type]
    return refused.value.faults


@pytest.mark.parametrize("name", presets.preset_names())
def test_every_preset_loads_and_says_why(name: str) -> None:
    text = (ROOT / "configs" / f"{name}.toml").read_text(encoding="utf-8")
    assert text.startswith("# ")
    given_values = {
        f"{section}.{key}": value
        for section, table in tomllib.loads(text).items()
        for key, value in table.items()
    }
    loaded = values_of(load(preset=name))
    assert {key: loaded[key] for key in given_values} == given_values


def test_the_presets_asked_for_are_there_default_first() -> None:
    names = presets.preset_names()
    assert names[0] == "default"
    assert {"speech", "music", "birds", "low-latency"} <= set(names)


def test_the_default_preset_is_the_defaults_written_out() -> None:
    assert load(preset="default") == load() == Settings()


def test_the_wheel_carries_the_presets_where_they_are_looked_for() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert build["targets"]["wheel"]["force-include"]["configs"] == "realtime/configs"


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_file_is_refused_with_the_sentence_in_its_first_line(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    sentence = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")
    with pytest.raises(SettingsError) as refused:
        load(file=path.relative_to(ROOT))
    assert str(refused.value) == sentence


def test_at_least_ten_colour_maps_are_there_and_drawn() -> None:
    assert len(set(COLORMAPS)) == len(COLORMAPS) >= 10
    assert len({lut(name).tobytes() for name in COLORMAPS}) == len(COLORMAPS)


def test_later_layers_win(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[stft]\nzero_pad = 2\n[display]\nspan = 30\ngamma = 2\n")
    settings = load(
        "speech",
        file,
        ["display.gamma=3", "audio.channels=2"],
        {"audio.channels": 4, "audio.block": None},
        {"stft.window": "kaiser", "display.fps": 30},
    )
    assert settings.stft.window == "hamming"  # the preset over what was remembered
    assert settings.display.fps == 30  # remembered over the default
    assert settings.stft.n_fft == 1024  # the preset over the default
    assert settings.display.span == 30  # the file over the preset
    assert settings.display.gamma == 3  # --set over the file
    assert settings.audio.channels == 4  # a flag over --set
    assert settings.audio.block == 256  # a flag that was not given


def test_auto_takes_a_setting_back() -> None:
    assert load("speech", sets=["display.f_high=auto"]).display.f_high is None
    assert load("speech", sets=['stft.hop="auto"']).stft.hop is None
    assert faults("stft.n_fft=auto") == ["stft.n_fft = 'auto' must be a whole number (try 4096)"]


def test_a_layer_that_changes_n_fft_keeps_the_hop_while_it_fits_and_then_the_overlap() -> None:
    assert load("speech", sets=["stft.n_fft=4096"]).stft.hop == 128
    assert load("speech", sets=["stft.n_fft=8192"]).stft.hop == 1024  # 128 / 1024 of it


def test_a_logarithmic_scale_lifts_the_lower_end_from_zero() -> None:
    linear = load(sets=["display.scale=linear", "display.f_low=0"])
    assert change(linear, {"display.scale": "notes"}).display.f_low == 20
    assert change(linear, {"display.scale": "mel"}).display.f_low == 0


powers = st.integers(8, 15).map(lambda k: 1 << k)


@given(powers, powers, st.integers(0, 32768) | st.none())
def test_no_change_of_n_fft_alone_is_ever_refused(old: int, new: int, hop: int | None) -> None:
    hop = None if hop is None else min(max(hop, old // 32), old)
    settings = change(Settings(), {"stft.n_fft": old, "stft.hop": hop})
    changed = change(settings, {"stft.n_fft": new})
    assert changed.stft.n_fft == new
    assert (changed.stft.hop is None) == (hop is None)


def test_change_leaves_the_old_settings_as_they_were() -> None:
    old = load("birds")
    before = values_of(old)
    assert change(old, {"display.span": 3.0}).display.span == 3.0
    assert values_of(old) == before
    with pytest.raises(ValidationError):
        old.stft.n_fft = 512  # type: ignore[misc]


def test_a_refused_change_says_why() -> None:
    with pytest.raises(SettingsError, match=r"stft.hop = 3000 must be at most n_fft = 2048"):
        change(Settings(), {"stft.n_fft": 2048, "stft.hop": 3000})


def test_every_fault_of_every_layer_is_told_at_once(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("[stft]\nhopp = 2\nn_fft = 1000\n")
    told = faults("display.gama=1", "display", preset="speach", file=file, flags={"audio.block": 1})
    assert told == [
        "unknown preset 'speach', did you mean 'speech'?",
        "--set 'display' must be section.key=value (try stft.n_fft=4096)",
        "unknown key 'stft.hopp', did you mean 'hop'?",
        "unknown key 'display.gama', did you mean 'gamma'?",
        "audio.block = 1 must be at least 16 (try 256)",
        "stft.n_fft = 1000 must be a power of two from 256 to 32768 (try 512)",
    ]


def test_a_rule_between_two_settings_is_silent_where_one_of_them_is_faulty_itself() -> None:
    assert len(faults("stft.n_fft=big", "stft.hop=7")) == 1


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("stft.hop=0", "stft.hop = 0 must be at least n_fft / 32 = 128 (try 256)"),
        ("stft.zero_pad=true", "stft.zero_pad = true must be a whole number (try 1)"),
        ("stft.n_fft=4096.0", "stft.n_fft = 4096 must be a whole number (try 4096)"),
        ("stft.window=3", "stft.window = 3 is unknown; known: hann, hamming, blackman"),
        ("display.gamma=nan", "display.gamma = nan must be a finite number (try 1)"),
        ("display.f_high=-inf", "display.f_high = -inf must be a finite number (try 8000)"),
        ("display.span=[1]", "display.span = [1] must be a number (try 12)"),
        ("audio.channels=1e9", "audio.channels = 1e+09 must be a whole number (try 1)"),
        ("display.colormap=viridi", "display.colormap = 'viridi' is unknown, did you mean 'vir"),
        ("=5", "--set '=5' must be section.key=value (try stft.n_fft=4096)"),
        ("stft.n_fft", "--set 'stft.n_fft' must be section.key=value (try stft.n_fft=...)"),
        ("stft.n_fft." + "9" * 300 + "=1", "unknown key 'stft.n_fft.999999999999999999999999"),
        (f"audio.block={'9' * 4000}", "audio.block = a number of more than 38 digits must be at"),
        ("stft.hop=\x1b[31m", r"stft.hop = '\x1b[31m' must be a whole number (try 256)"),
    ],
)
def test_a_faulty_value_gets_its_sentence(text: str, sentence: str) -> None:
    (told,) = faults(text)
    assert told.startswith(sentence)
    assert "\x1b" not in told


@pytest.mark.parametrize("hop", ["256", "9" * 400])
def test_a_layer_over_an_n_fft_of_nothing_gets_a_sentence(tmp_path: Path, hop: str) -> None:
    (tmp_path / "a.toml").write_text(f"[stft]\nn_fft = 0\nhop = {hop}\n")
    with pytest.raises(SettingsError, match=r"^stft.hop = .* must be at (least|most) n_fft"):
        load(file=tmp_path / "a.toml", sets=["stft.n_fft=16384"])


def test_what_looks_like_a_date_is_text() -> None:
    assert load(sets=["record.name=2026-01-31"]).record.name == "2026-01-31"


junk = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=50),
    st.lists(st.integers(), max_size=3), st.dictionaries(st.text(max_size=3), st.integers()),
    st.sampled_from([2**40000, 10**400, "auto", "hann", "log", 4096]),
)  # fmt: skip
keys = st.one_of(st.sampled_from([*sorted(FIELDS), EFFECT]), st.text(max_size=12))


@given(st.dictionaries(keys, junk, max_size=5))
def test_whatever_is_given_the_answer_is_settings_or_a_sentence(request: dict) -> None:
    try:
        settings = change(Settings(), request)
    except SettingsError as error:
        faults = error.faults
    else:
        faults = ["none"]
        assert change(settings, values_of(settings)) == settings
    assert faults and all(0 < len(fault) < 300 for fault in faults)


def test_settings_made_by_hand_obey_the_same_rules() -> None:
    with pytest.raises(ValidationError, match=r"stft.hop = 3000 must be at most n_fft = 2048"):
        Settings(stft=config.StftSettings(n_fft=2048, hop=3000))


def test_a_file_that_is_not_there_gets_a_sentence(tmp_path: Path) -> None:
    (told,) = faults(file=tmp_path / "no.toml")
    assert told.endswith("does not exist; check the path or leave --config out")


def test_a_folder_gets_a_sentence(tmp_path: Path) -> None:
    (told,) = faults(file=tmp_path)
    assert told.endswith("is a folder; name a .toml file in it")


def test_a_pipe_that_nobody_feeds_gets_a_sentence_and_no_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.toml")
    (told,) = faults(file=tmp_path / "pipe.toml")
    assert told.endswith("is not a regular file; save the settings to a file")


def test_a_file_of_100_mb_is_not_read(tmp_path: Path) -> None:
    file = tmp_path / "huge.toml"
    with file.open("wb") as sparse:
        sparse.truncate(100_000_000)
    (told,) = faults(file=file)
    assert told.endswith("has 100 MB, at most 1 MB is read; is it the right file?")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"[stft]\n# caf\xe9\n", "is not UTF-8 text (byte 12); save it as UTF-8"),
        ("[stft]".encode("utf-16"), "is not UTF-8 text (byte 0); save it as UTF-8"),
        (b"x = " + b"[" * 100_000, "is nested too deeply; it has sections and keys, nothing below"),
        (b"[stft]\nn_fft = \n", "line 2, column 9 is not TOML: invalid value; write key = value, "),
        (b"[stft\n", "line 1, column 6 is not TOML: expected ']' at the end of a table declar"),
        (b"[stft]\nn_fft = " + b"9" * 5000, "is not TOML: exceeds the limit (4300 digits) for"),
    ],
)
def test_what_is_not_toml_gets_a_sentence(tmp_path: Path, content: bytes, sentence: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(content)
    (told,) = faults(file=file)
    assert sentence in told


def test_an_empty_file_changes_nothing_and_a_byte_order_mark_is_no_fault(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(b"")
    assert load(file=file) == Settings()
    file.write_bytes(b"\xef\xbb\xbf[stft]\nn_fft = 512\n")
    assert load(file=file).stft.n_fft == 512
