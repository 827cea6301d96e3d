"""The waterfall in a terminal: what is sent, what a real one (tmux) then shows, and the keys."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shlex
import subprocess
import sys
import termios
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import children
import numpy as np
import pytest

from realtime.view import cells
from realtime.view.cells import PLAIN, Palette, blank, difference, half_blocks, scrolled, shades
from realtime.view.colormaps import lut
from realtime.view.page import shown_actions
from realtime.view.sound import actions_for
from realtime.view.terminal import key_name

MAGMA = lut("magma")
TRUE_COLOURS = 1 << 24


@dataclass(frozen=True)
class Shown:
    """One cell as a terminal shows it; colours are RGB, or None for its own."""

    sign: str
    front: tuple[int, ...] | None
    back: tuple[int, ...] | None


class Paper:
    """The little of a terminal that is written to it: cursor, colours, inserted lines."""

    def __init__(self, n_rows: int, n_columns: int):
        self.n_columns = n_columns
        self.rows = [[Shown(" ", None, None)] * n_columns for _ in range(n_rows)]
        self._row = self._column = 0
        self._front: tuple[int, ...] | None = None
        self._back: tuple[int, ...] | None = None
        self._bottom = n_rows

    def feed(self, text: str) -> None:
        for match in re.finditer(r"\x1b\[(\??[\d;:]*)([A-Za-z])|([^\x1b])", text):
            numbers, what, sign = match.groups()
            if sign is not None:
                front = None if sign == " " else self._front
                self.rows[self._row][self._column] = Shown(sign, front, self._back)
                self._column += 1
            elif what == "H":
                self._row, self._column = (int(n) - 1 for n in numbers.split(";"))
            elif what == "r":
                self._bottom = int(numbers.split(";")[1]) if numbers else len(self.rows)
            elif what == "L":
                for _ in range(int(numbers)):
                    self.rows.insert(self._row, [Shown(" ", None, self._back)] * self.n_columns)
                    del self.rows[self._bottom]
            elif what == "m":
                self._colour([int(n or 0) for n in re.split("[;:]", numbers)])
            else:
                raise AssertionError(f"unknown control sequence {match[0]!r}")

    def _colour(self, codes: list[int]) -> None:
        while codes:
            match codes.pop(0):
                case 0:
                    self._front = self._back = None
                case 39:
                    self._front = None
                case 49:
                    self._back = None
                case 38:
                    self._front = self._rgb(codes)
                case 48:
                    self._back = self._rgb(codes)

    @staticmethod
    def _rgb(codes: list[int]) -> tuple[int, ...]:
        kind = codes.pop(0)
        n = 3 if kind == 2 else 1
        taken, codes[:n] = tuple(codes[:n]), []
        return taken


def paper_of(screen: np.ndarray, palette: Palette) -> list[list[Shown]]:
    """What a terminal shows that was blank before."""
    paper = Paper(*screen.shape[:2])
    paper.feed(difference(blank(*screen.shape[:2]), screen, palette))
    return paper.rows


def random_levels(rng: np.random.Generator, n_rows: int, n_columns: int) -> np.ndarray:
    levels = rng.integers(0, 256, (2 * n_rows, n_columns))
    return np.where(rng.random(levels.shape) < 0.2, PLAIN, levels)


def halves(cell: Shown) -> tuple[tuple[int, ...] | None, tuple[int, ...] | None]:
    """Colour of the upper and the lower half of a cell."""
    return {
        "▀": (cell.front, cell.back),
        "▄": (cell.back, cell.front),
        " ": (cell.back, cell.back),
    }[cell.sign]


def test_a_cell_shows_two_levels_one_above_the_other(rng: np.random.Generator) -> None:
    levels = random_levels(rng, 7, 30)
    rows = paper_of(half_blocks(levels), Palette.of(MAGMA, TRUE_COLOURS))
    for (row, column), level in np.ndenumerate(levels):
        shown = halves(rows[row // 2][column])[row % 2]
        if level == PLAIN:
            assert shown is None
        else:
            assert shown is not None
            off = np.abs(np.array(shown, int) - MAGMA[level, :3])
            assert off.max() <= 16  # of 255: the nearest of 64 shades


def test_the_difference_turns_one_screen_into_the_next(rng: np.random.Generator) -> None:
    palette = Palette.of(MAGMA, TRUE_COLOURS)
    old = half_blocks(random_levels(rng, 6, 40))
    new = np.where(rng.random((6, 40, 1)) < 0.3, half_blocks(random_levels(rng, 6, 40)), old)
    paper = Paper(6, 40)
    paper.feed(difference(blank(6, 40), old, palette))
    paper.feed(difference(old, new, palette))
    assert paper.rows == paper_of(new, palette)
    assert difference(new, new, palette) == ""


def test_after_scrolling_only_the_new_rows_are_sent(rng: np.random.Generator) -> None:
    palette = Palette.of(MAGMA, TRUE_COLOURS)
    old = half_blocks(random_levels(rng, 10, 60))
    new = old.copy()
    new[2:8] = old[:6]
    new[:2] = half_blocks(random_levels(rng, 2, 60))
    text = cells.scroll_text(2, 8) + difference(scrolled(old, 2, 8), new, palette)
    paper = Paper(10, 60)
    paper.feed(difference(blank(10, 60), old, palette))
    paper.feed(text)
    assert paper.rows == paper_of(new, palette)
    assert len(text) < 0.3 * len(difference(blank(10, 60), new, palette))


def test_colours_are_named_only_where_they_change() -> None:
    screen = half_blocks(np.full((2, 50), 200))
    text = difference(blank(1, 50), screen, Palette.of(MAGMA, TRUE_COLOURS))
    assert text.count("\x1b[48;2") == 1
    assert len(text) < 50 + 40


def test_256_colours_are_the_nearest_ones() -> None:
    rgb = np.array([[0, 0, 0], [255, 255, 255], [255, 0, 0], [95, 135, 175], [8, 8, 8]], np.uint8)
    table = np.concatenate([rgb, np.zeros((251, 3), np.uint8)])
    palette = Palette.of(table, 256)
    assert palette.foreground[:5] == ("38;5;16", "38;5;231", "38;5;196", "38;5;67", "38;5;232")
    assert palette.background[PLAIN] == "49"


def test_without_colours_loudness_is_drawn_in_signs() -> None:
    levels = np.array([[0, 255, PLAIN], [0, 10, 128]])
    rows = paper_of(shades(levels), Palette.of(MAGMA, 8))
    assert [cell.sign for cell in rows[0]] == [" ", "@", "+"]
    assert {cell.front for cell in rows[0]} == {None}


def test_text_is_cut_at_the_edges() -> None:
    screen = blank(2, 5)
    cells.write(screen, 0, -2, "abcdefghi")
    cells.write(screen, 1, 4, "xy")
    cells.write(screen, 2, 0, "below")
    assert ["".join(map(chr, row[:, 0])) for row in screen] == ["cdefg", "    x"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("two\nlines\tand\u00a0more", "two lines and more"),
        ("\x1b[2J\x9b\x7f", "?[2J??"),
        ("\u4e2d\uff21\U0001f3a4", "???"),  # of two cells each
        ("me\u0301, \u200b\u202e\u20dd", "m\u00e9, ???"),  # of none
        ("\udcff.wav", "?.wav"),
        (
            "\u00e9\u03b1\u0416\u2580\u2212\u00b7\u2026",
            "\u00e9\u03b1\u0416\u2580\u2212\u00b7\u2026",
        ),
    ],
)
def test_each_sign_of_a_name_fills_one_cell(name: str, shown: str) -> None:
    screen = blank(1, 30)
    cells.write(screen, 0, 0, name)
    assert "".join(map(chr, screen[0, :, 0])) == f"{shown:<30}"


@pytest.mark.parametrize("monitors", [False, True])
def test_the_terminal_obeys_the_windows_table_of_keys(monitors: bool) -> None:
    keys = {key for action in shown_actions(monitors) for key in action.keys}
    table = actions_for(monitors)
    assert {key for action in table if action.change is not None for key in action.keys} <= keys
    assert {"Space", "Q", "H", "Left", "Right", "End"} <= keys
    assert not {"F11", "D"} & keys, "the window's own"
    assert ("Backspace" in keys) == monitors


@dataclass(frozen=True)
class Pressed:
    """A keystroke as blessed gives it."""

    text: str
    name: str | None = None

    @property
    def is_sequence(self) -> bool:
        return self.name is not None

    def __str__(self) -> str:
        return self.text


@pytest.mark.parametrize(
    ("key", "name"),
    [
        (Pressed(" "), "Space"),
        (Pressed("c"), "C"),
        (Pressed("C"), "Shift+C"),
        (Pressed("["), "["),
        (Pressed("\x1b[D", "KEY_LEFT"), "Left"),
        (Pressed("\x1b[5~", "KEY_PGUP"), "PgUp"),
        (Pressed("\x1b[1;2A", "KEY_SUP"), "Shift+Up"),
        (Pressed("\x1b", "KEY_ESCAPE"), "Esc"),
        (Pressed("\x1bOP", "KEY_F1"), "F1"),
    ],
)
def test_keys_have_the_names_of_the_table(key: Pressed, name: str) -> None:
    assert key_name(key) == name


class Tmux:
    """A real terminal of its own, to type into and to read from."""

    def __init__(self, socket: Path):
        self._base = ["tmux", "-S", str(socket), "-f", "/dev/null"]

    def do(self, *arguments: str) -> str:
        return subprocess.run(
            [*self._base, *arguments], check=True, capture_output=True, text=True, timeout=20
        ).stdout

    def start(self, command: str, width: int, height: int) -> None:
        self.do("new-session", "-d", "-x", str(width), "-y", str(height), command)

    def press(self, *keys: str) -> None:
        self.do("send-keys", *keys)

    @property
    def lines(self) -> list[str]:
        return self.do("capture-pane", "-p").splitlines()

    def wait_for(self, pattern: str) -> str:
        """The first line that holds `pattern`, once there is one."""
        found: list[str] = []

        def there() -> bool:
            found[:] = [line for line in self.lines if re.search(pattern, line)]
            return bool(found)

        children.wait_until(there, f"{pattern!r} on the screen {self.lines}", 20)
        return found[0]

    def pixels(self) -> list[list[Shown]]:
        lines = self.do("capture-pane", "-p", "-e", "-N").splitlines()
        width = int(self.do("display", "-p", "#{pane_width}"))
        paper = Paper(len(lines), width)
        for row, line in enumerate(lines):
            paper.feed(f"\x1b[{row + 1};1H{line}")
        return paper.rows


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    terminal = Tmux(tmp_path / "tmux")
    yield terminal
    subprocess.run([*terminal._base, "kill-server"], check=False, capture_output=True)


def live(*arguments: str) -> str:
    """A shell line that runs the terminal view, then says how it ended and waits."""
    words = " ".join(arguments)
    return (
        f"COLORTERM=truecolor {sys.executable} -m realtime live {words} "
        "--view terminal; echo ended with $?; exec cat"
    )


def brightness(colour: tuple[int, ...] | None) -> int:
    return -1 if colour is None else sum(colour)


@pytest.mark.parametrize("scale", ["linear", "log", "notes"])
def test_a_tone_of_1_khz_stands_at_1_khz(tmux: Tmux, scale: str) -> None:
    settings = f"--set display.scale={scale} --set display.span=2 --set display.db_low=-60"
    tmux.start(live("tone:1000", settings), 110, 24)
    tmux.wait_for("tone 1000 Hz 48000 Hz")
    children.wait_until(lambda: halves(tmux.pixels()[8][20])[1] is not None, "a picture", 20)
    row = tmux.pixels()[4]
    axis = tmux.lines[22]
    loudest = max(range(8, 110), key=lambda column: brightness(halves(row[column])[1]))
    width = 110 - 8
    share = {
        "linear": 1000 / 24000,
        "log": np.log(1000 / 30) / np.log(24000 / 30),
        "notes": np.log(1000 / 30) / np.log(24000 / 30),
    }[scale]
    assert loudest == pytest.approx(8 + share * width, abs=1)
    if "╵1k" in axis:
        assert loudest == pytest.approx(axis.index("╵1k"), abs=1)


def test_keys_change_what_is_shown_and_q_gives_the_terminal_back(tmux: Tmux) -> None:
    tmux.start(live("demo"), 100, 30)
    tmux.wait_for("n_fft 4096/256 hann · log -100..0 dB")
    tmux.press("]")
    tmux.wait_for("n_fft 8192/512")
    tmux.press("[", "[", "w", "S-Up")
    tmux.wait_for("n_fft 2048/128 hamming · log -105..0 dB")
    tmux.press("s")
    tmux.wait_for("128 hamming · mel")
    tmux.press("Space")
    tmux.wait_for("^paused")
    tmux.press("Left", "End")
    tmux.wait_for("^demo")
    tmux.press("h")
    tmux.wait_for("capture goes on")
    tmux.press("h")
    tmux.do("resize-window", "-x", "60", "-y", "16")
    assert len(tmux.wait_for("h keys$")) <= 60
    tmux.do("resize-window", "-x", "20", "-y", "4")
    tmux.wait_for("make me")
    tmux.do("resize-window", "-x", "90", "-y", "20")
    children.wait_until(lambda: tmux.lines[0].startswith("    now "), "now, at the top", 20)
    tmux.press("q")
    tmux.wait_for("ended with 0")
    assert tmux.do("display", "-p", "#{alternate_on} #{cursor_flag}").split() == ["0", "1"]
    assert not any("▀" in line for line in tmux.lines)
    tmux.press("echoed")
    tmux.wait_for("echoed")


def test_what_has_scrolled_looks_as_if_drawn_at_once(tmux: Tmux) -> None:
    tmux.start(live("noise", "--channels", "2", "--set", "display.span=3"), 90, 20)
    children.wait_until(lambda: halves(tmux.pixels()[15][20])[1] is not None, "a full picture", 20)
    tmux.press("Space")
    tmux.wait_for("^paused")
    scrolled_there = tmux.pixels()[:17]
    tmux.do("resize-window", "-x", "91", "-y", "20")
    tmux.wait_for("h keys$")
    tmux.do("resize-window", "-x", "90", "-y", "20")
    children.wait_until(lambda: tmux.pixels()[:17] == scrolled_there, "the same picture", 20)


def test_ctrl_c_gives_the_terminal_back(tmux: Tmux) -> None:
    job_control = f"bash --norc -mc {shlex.quote(live('noise', '--channels', '3'))}"
    tmux.start(job_control, 80, 20)
    tmux.wait_for("white noise 48000 Hz")
    tmux.press("C-z")  # would leave the screen as it is: has no effect
    tmux.press("]")
    tmux.wait_for("n_fft 8192")
    tmux.press("C-c")
    tmux.wait_for("ended with 0")
    assert tmux.do("display", "-p", "#{alternate_on} #{cursor_flag}").split() == ["0", "1"]


def test_a_terminal_that_answers_no_question_shows_a_picture_all_the_same() -> None:
    """blessed by itself waits for answers until these seconds are long over."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (30, 100))
    command = [
        *(sys.executable, "-m", "realtime", "live", "tone:1000", "--view", "terminal"),
        *("--seconds", "5", "--set", "display.span=1"),
    ]
    running = subprocess.Popen(
        command, stdin=theirs, stdout=theirs, stderr=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # which says that the other side is closed
        while part := os.read(ours, 65536):
            shown += part
    os.close(ours)
    _, complaint = running.communicate(timeout=20)
    assert (running.returncode, complaint) == (0, b"")
    assert re.search("[▀▄]", shown.decode())


def test_where_only_ascii_can_be_printed_it_draws_in_ascii(tmux: Tmux) -> None:
    tmux.start(f"PYTHONIOENCODING=ascii {live('noise')}", 80, 20)
    tmux.wait_for(r"^ +now [ .:=+*#%@-]+$")
    tmux.press("h")
    tmux.wait_for("pause|capture goes on")
    tmux.press("q")
    tmux.wait_for("ended with 0")
