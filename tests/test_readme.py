"""Every command and every line of Python in the README is run as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from styles import Style, draw, write_sound

from realtime.picture.render import render

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```(\w*)\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line.split("#")[0].strip()
    for _, text in BLOCKS
    for line in text.splitlines()
    if line.startswith("realtime ")
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of what the README names: sounds and pictures."""
    folder = tmp_path_factory.mktemp("files")
    write_sound(folder / "song.flac", seconds=2.0)
    draw(Style(seconds=2.0), folder / "tutorial.png")
    write_sound(folder / "cat.wav", seconds=2.0)
    render(folder / "song.flac", folder / "song.png")
    Image.open(folder / "song.png").convert("RGB").save(folder / "edited.png")
    rows = np.linspace(0, 255, 80, dtype=np.uint8)
    Image.fromarray(np.repeat(rows[:, None], 50, axis=1)).save(folder / "mels.png")
    shutil.copytree(ROOT / "docs", folder / "docs")
    return folder


def run(command: list[str], cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=cwd,
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_the_readme_has_commands_and_python():
    assert len(COMMANDS) >= 8
    assert any(language == "python" for language, _ in BLOCKS)


@pytest.mark.pulse
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_readme_works(command, pulse, files, tmp_path):
    """Without a window, for a moment, and with the microphone this machine has."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    words = shlex.split(re.sub(r"mic:usb\d?", "mic:virtmic", command, flags=re.IGNORECASE))[1:]
    if words[0] == "record":
        words += ["--seconds", "0.5"]
    if words[0] in ("live", "monitor"):
        words += ["--seconds", "0.5"]
        if "--view" not in words:
            words += ["--view", "none"]
        words = [{"terminal": "none"}.get(word, word) for word in words]
    result = run(["-m", "realtime", *words], tmp_path)
    assert result.returncode == 0, result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("code", [text for language, text in BLOCKS if language == "python"])
def test_the_python_of_the_readme_runs(code, files, tmp_path):
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    result = run(["-c", code], tmp_path)
    assert result.returncode == 0, result.stderr


def test_the_fault_shown_in_the_readme_is_the_one_that_is_printed(tmp_path):
    shown = next(text for _, text in BLOCKS if text.startswith("$ realtime"))
    command, expected = shown.strip().split("\n", 1)
    result = run(["-m", "realtime", *shlex.split(command)[2:]], tmp_path)
    assert result.returncode == 2
    assert result.stderr.strip() == expected


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^make (\w+)", README, re.MULTILINE))))
def test_a_make_target_of_the_readme_is_there(target):
    subprocess.run(["make", target, "--dry-run"], cwd=ROOT, check=True, capture_output=True)


def test_what_the_readme_links_to_is_there():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
