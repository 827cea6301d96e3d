"""The one table of what people can do in the window: key -> action -> help.

Menus, shortcuts and the page of keys (`h`) are all made from `ACTIONS`. An action with `change`
is a pure function of the settings; the others are carried out by the window, by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from realtime.config import LEAST_BAND_HZ, LEAST_DB_RANGE, DisplaySettings, Settings
from realtime.view.choices import BY_KEY, Changes
from realtime.view.mapping import hz_of_share, share_of_hz

ZOOM = 1.25
"""Factor of one step of zoom."""
PAN_SHARE = 0.1
"""Share of the axis of one step along it."""
DB_STEP = 5.0
"""dB of one step of the range."""
SPAN_RANGE = (0.5, 7200.0)
"""Seconds that settings allow."""
DB_LIMITS = (-144.0, 12.0)
"""dB a picture can hold; `display.db_low` itself is at most 0."""

Change = Callable[[Settings, int], Changes]
"""(settings, sample_rate) -> changes."""


@dataclass(frozen=True)
class Action:
    """keys : portable names of Qt key sequences. text : in the menu. help : on the page of keys;
    an empty one is told by the action before it."""

    name: str
    menu: str
    text: str
    keys: tuple[str, ...]
    help: str
    change: Change | None = None


def zoomed(display: DisplaySettings, sample_rate: int, factor: float, at: float = 0.5) -> Changes:
    """The frequency range `factor` times narrower about the share `at` of the axis."""
    low, high = at - at / factor, at + (1.0 - at) / factor
    return _frequencies(display, sample_rate, low, high)


def panned(display: DisplaySettings, sample_rate: int, share: float) -> Changes:
    """The frequency range moved up by a share of the axis, as far as there is sound."""
    return _frequencies(display, sample_rate, share, 1.0 + share)


def _frequencies(display: DisplaySettings, sample_rate: int, low: float, high: float) -> Changes:
    """The range between two shares of today's axis, moved and cut to where there is sound."""
    half = sample_rate / 2
    bottom, top = share_of_hz([lowest_hz(display), half], display, sample_rate)
    width = min(high - low, top - bottom)
    low = min(max(low, bottom), top - width)
    f_low, f_high = (float(hz) for hz in hz_of_share([low, low + width], display, sample_rate))
    f_low = max(round(f_low, 2), lowest_hz(display))
    if f_high < f_low + LEAST_BAND_HZ:
        return {}
    return {
        "display.f_low": f_low,
        "display.f_high": None if f_high > half - 0.01 else round(f_high, 2),
    }


def lowest_hz(display: DisplaySettings) -> float:
    """Where the axis ends at the bottom when all of it is shown."""
    return 20.0 if display.scale in ("log", "notes") else 0.0


def span_zoomed(display: DisplaySettings, factor: float) -> Changes:
    """The span `factor` times shorter, to three figures."""
    span = float(f"{display.span / factor:.3g}")
    return {"display.span": min(max(span, SPAN_RANGE[0]), SPAN_RANGE[1])}


def levels_moved(display: DisplaySettings, by: float) -> Changes:
    """The dB range moved, its width kept."""
    low, high = display.db_low, display.db_high
    by = min(max(by, DB_LIMITS[0] - low), DB_LIMITS[1] - high, 0.0 - low)
    return {"display.db_low": low + by, "display.db_high": high + by}


def levels_widened(display: DisplaySettings, by: float) -> Changes:
    """The lower end of the dB range moved down (the upper one stays, as peaks do)."""
    low = max(display.db_low - by, DB_LIMITS[0])
    low = min(low, display.db_high - LEAST_DB_RANGE, 0.0)
    return {"display.db_low": low}


def _step(key: str, by: int) -> Change:
    return lambda settings, sample_rate: BY_KEY[key].step(settings, by)


def _whole_range(settings: Settings, sample_rate: int) -> Changes:
    defaults = DisplaySettings()
    low = defaults.f_low if settings.display.scale in ("log", "notes") else 0.0
    return {"display.f_low": min(low, sample_rate / 8), "display.f_high": None}


def _usual_levels(settings: Settings, sample_rate: int) -> Changes:
    defaults = DisplaySettings()
    names = ("db_low", "db_high", "gamma", "tilt")
    return {f"display.{name}": getattr(defaults, name) for name in names}


# fmt: off
ACTIONS: tuple[Action, ...] = (
    Action("pause", "Picture", "Pause", ("Space",), "hold the picture still; capture goes on"),
    Action("back", "Picture", "Scroll back", ("Left",), "scroll back and forward in time"),
    Action("forward", "Picture", "Scroll forward", ("Right",), ""),
    Action("live", "Picture", "Back to now", ("End",), "back to now"),
    Action("span_shorter", "Picture", "Scroll faster", (",", "Ctrl++", "Ctrl+="),
           "scroll faster (shorter span) and slower", _step("display.span", -1)),
    Action("span_longer", "Picture", "Scroll slower", (".", "Ctrl+-"),
           "", _step("display.span", 1)),
    Action("reset_hold", "Picture", "Reset peaks and clipping", ("X",),
           "reset peak hold and clip lights"),
    Action("screenshot", "Picture", "Save picture", ("Ctrl+S", "F12"), "save a screenshot"),
    Action("save_sound", "Picture", "Save sound", ("K", "Ctrl+Shift+S"),
           "keep the last minutes of sound as a file"),
    Action("quit", "Picture", "Quit", ("Q", "Ctrl+Q"), "quit"),

    Action("n_fft_down", "Analysis", "Smaller n_fft", ("[",),
           "n_fft smaller, larger: sharper in time, in frequency", _step("stft.n_fft", -1)),
    Action("n_fft_up", "Analysis", "Larger n_fft", ("]",), "", _step("stft.n_fft", 1)),
    Action("hop_up", "Analysis", "Longer hop", ("{", "Shift+{", "Shift+["),
           "hop longer and shorter", _step("stft.hop", -1)),
    Action("hop_down", "Analysis", "Shorter hop", ("}", "Shift+}", "Shift+]"),
           "", _step("stft.hop", 1)),
    Action("window", "Analysis", "Next window", ("W",),
           "next window (with Shift: previous)", _step("stft.window", 1)),
    Action("window_back", "Analysis", "Previous window", ("Shift+W",),
           "", _step("stft.window", -1)),
    Action("pad_up", "Analysis", "More zero padding", ("Z",),
           "zero padding (with Shift: less)", _step("stft.zero_pad", 1)),
    Action("pad_down", "Analysis", "Less zero padding", ("Shift+Z",),
           "", _step("stft.zero_pad", -1)),

    Action("scale", "Frequency", "Next scale", ("S",),
           "frequency scale (with Shift: previous)", _step("display.scale", 1)),
    Action("scale_back", "Frequency", "Previous scale", ("Shift+S",),
           "", _step("display.scale", -1)),
    Action("zoom_in", "Frequency", "Zoom in", ("+", "Shift++", "="), "zoom in and out",
           lambda settings, rate: zoomed(settings.display, rate, ZOOM)),
    Action("zoom_out", "Frequency", "Zoom out", ("-",), "",
           lambda settings, rate: zoomed(settings.display, rate, 1 / ZOOM)),
    Action("higher", "Frequency", "Higher", ("PgUp",), "higher and lower frequencies",
           lambda settings, rate: panned(settings.display, rate, PAN_SHARE)),
    Action("lower", "Frequency", "Lower", ("PgDown",), "",
           lambda settings, rate: panned(settings.display, rate, -PAN_SHARE)),
    Action("whole", "Frequency", "Whole range", ("0",), "whole frequency range", _whole_range),

    Action("brighter", "Level", "Brighter", ("Up",), "brighter and darker: move the dB range",
           lambda settings, rate: levels_moved(settings.display, -DB_STEP)),
    Action("darker", "Level", "Darker", ("Down",), "",
           lambda settings, rate: levels_moved(settings.display, DB_STEP)),
    Action("wider", "Level", "Wider range", ("Shift+Up",), "dB range wider and narrower",
           lambda settings, rate: levels_widened(settings.display, DB_STEP)),
    Action("narrower", "Level", "Narrower range", ("Shift+Down",), "",
           lambda settings, rate: levels_widened(settings.display, -DB_STEP)),
    Action("gamma_up", "Level", "Raise gamma", ("G",),
           "gamma (with Shift: lower)", _step("display.gamma", 1)),
    Action("gamma_down", "Level", "Lower gamma", ("Shift+G",), "", _step("display.gamma", -1)),
    Action("tilt_up", "Level", "Tilt up", ("T",),
           "tilt per octave (with Shift: down)", _step("display.tilt", 1)),
    Action("tilt_down", "Level", "Tilt down", ("Shift+T",), "", _step("display.tilt", -1)),
    Action("reset_look", "Level", "Usual levels", ("R",),
           "usual dB range, gamma and tilt", _usual_levels),

    Action("colormap", "View", "Next colour map", ("C",),
           "colour map (with Shift: previous)", _step("display.colormap", 1)),
    Action("colormap_back", "View", "Previous colour map", ("Shift+C",),
           "", _step("display.colormap", -1)),
    Action("panes", "View", "Channels apart or as one", ("P",),
           "one pane a channel, or their mean", _step("display.panes", 1)),
    Action("reduce", "View", "Peaks or mean power", ("M", "Shift+M"),
           "peaks or mean power when zoomed out", _step("display.reduce", 1)),
    Action("side_panel", "View", "Side panel", ("B", "Tab"), "show or hide the side panel"),
    Action("fullscreen", "View", "Full screen", ("F", "F11"), "full screen"),

    Action("help", "Help", "Keys", ("H", "F1", "?", "Shift+?"), "this page"),
    Action("escape", "Help", "Close", ("Esc",), "close this page, leave full screen"),
)
# fmt: on
BY_NAME = {action.name: action for action in ACTIONS}
MENUS = tuple(dict.fromkeys(action.menu for action in ACTIONS))

MOUSE = (
    ("Wheel", "zoom the frequency axis at the pointer"),
    ("Ctrl + wheel", "scroll faster or slower"),
    ("Shift + wheel", "move the dB range"),
    ("Drag", "back in time, and along the frequency axis"),
    ("Double click", "whole range, back to now"),
    ("Click on a meter", "reset its clip light"),
)
"""What the mouse does, for the page of keys."""

KEY_TEXT = {"Left": "←", "Right": "→", "Up": "↑", "Down": "↓", "PgUp": "Page ↑", "PgDown": "Page ↓"}


def key_text(key: str) -> str:
    """The name of a key as people read it."""
    parts = [key] if len(key) == 1 else key.split("+")
    return " ".join(KEY_TEXT.get(part, part) for part in parts)


def help_rows(menu: str, actions: tuple[Action, ...] = ACTIONS) -> list[tuple[list[str], str]]:
    """Keys and meaning, a pair of opposite actions in one row."""
    rows: list[tuple[list[str], str]] = []
    for action in actions:
        if action.menu != menu:
            continue
        if action.help:
            rows.append(([key_text(action.keys[0])], action.help))
        elif "Shift" not in rows[-1][1]:
            rows[-1][0].append(key_text(action.keys[0]))
    return rows
