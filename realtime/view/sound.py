"""What the window of `realtime monitor` offers beside that of `live`: one table of choices, one
of keys. `actions_for` joins the latter to the table in `keys`. Pure, as `choices` and `keys` are.
"""

from __future__ import annotations

from dataclasses import replace

from realtime.config import Settings, values_of
from realtime.rules import HOPS_IN_N_FFT, longest_hop
from realtime.view import chain
from realtime.view.choices import WINDOW_TEXT, Changes, Choice
from realtime.view.keys import ACTIONS, Action, Change

MENU = "Sound"
GAIN_RANGE = (-60.0, 24.0)
"""dB that settings allow."""
GAIN_STEP = 1.0
"""dB of one step: the least that is heard as louder."""
LOW_LATENCY_N_FFT = 2048
"""Samples of a long frame with a short synthesis window: as in the preset."""

SHOW_TEXT = {
    "all": "Input, output, difference",
    "input": "Input",
    "output": "Output",
    "difference": "Difference",
}


def _synthesis(settings: Settings) -> int:
    """Samples of the synthesis window, 0 for that of a whole frame."""
    return settings.monitor.synthesis or 0


def _put_synthesis(settings: Settings, samples: int) -> Changes:
    monitor = settings.monitor
    if not samples:
        return {"monitor.synthesis": None, "monitor.hop": monitor.n_fft // 4}
    hop = samples // 2
    n_fft = monitor.n_fft if monitor.synthesis else LOW_LATENCY_N_FFT
    n_fft = min(max(n_fft, samples), hop * HOPS_IN_N_FFT)
    return {"monitor.synthesis": samples, "monitor.hop": hop, "monitor.n_fft": n_fft}


def _put_n_fft(settings: Settings, n_fft: int) -> Changes:
    """The hop keeps its share of n_fft; with a short synthesis window the delay is kept."""
    monitor = settings.monitor
    if monitor.synthesis is None:
        hop = max(1, n_fft * monitor.hop // monitor.n_fft)
        return {"monitor.n_fft": n_fft, "monitor.hop": hop}
    hops = monitor.synthesis // monitor.hop
    hop = min(max(monitor.hop, n_fft // HOPS_IN_N_FFT), n_fft // hops)
    return {"monitor.n_fft": n_fft, "monitor.hop": hop, "monitor.synthesis": hops * hop}


def _put_window(settings: Settings, window: str) -> Changes:
    monitor = settings.monitor
    if monitor.synthesis is not None:
        return {"monitor.window": window}
    hop = min(monitor.hop, longest_hop(window, monitor.n_fft))
    return {"monitor.window": window, "monitor.hop": hop}


def _hops(settings: Settings) -> float:
    return settings.monitor.n_fft / settings.monitor.hop


def _put_hops(settings: Settings, hops: float) -> Changes:
    monitor = settings.monitor
    hop = round(monitor.n_fft / hops)
    if monitor.synthesis is None:
        return {"monitor.hop": min(hop, longest_hop(monitor.window, monitor.n_fft))}
    synthesis = min(monitor.synthesis // monitor.hop * hop, monitor.n_fft)
    return {"monitor.hop": hop, "monitor.synthesis": synthesis}


# fmt: off
SOUND_CHOICES: tuple[Choice, ...] = (
    Choice("monitor.show", MENU, "Show", "Panes in the picture", tuple(SHOW_TEXT),
           SHOW_TEXT.__getitem__, cyclic=True,
           get=lambda settings: settings.monitor.show,
           put=lambda settings, show: {"monitor.show": show}),
    Choice("monitor.n_fft", MENU, "Size", "n_fft, samples in one frame of what is heard",
           (128, 256, 512, 1024, 2048, 4096, 8192, 16384), str,
           get=lambda settings: settings.monitor.n_fft, put=_put_n_fft),
    Choice("monitor.hop", MENU, "Hop", "From frame to frame, as a part of n_fft",
           (2.0, 4.0, 8.0, 16.0, 32.0), lambda hops: f"n / {hops:.4g}",
           get=_hops, put=_put_hops),
    Choice("monitor.window", MENU, "Window", "Shape of one frame", tuple(WINDOW_TEXT),
           WINDOW_TEXT.__getitem__, cyclic=True,
           get=lambda settings: settings.monitor.window,
           put=_put_window),
    Choice("monitor.synthesis", MENU, "Synthesis",
           "Samples of a frame that are heard: the fewer, the less delay", (128, 256, 512, 0),
           lambda samples: f"{samples}" if samples else "whole",
           get=_synthesis, put=_put_synthesis),
)
# fmt: on
SOUND_BY_KEY = {choice.key: choice for choice in SOUND_CHOICES}


def louder(settings: Settings, by: float) -> Changes:
    """Output gain `by` dB higher, as far as it goes."""
    low, high = GAIN_RANGE
    return {"monitor.gain": min(max(settings.monitor.gain + by, low), high)}


def _turn(key: str) -> Change:
    return lambda settings, sample_rate: {key: not values_of(settings)[key]}


def _show(by: int) -> Change:
    return lambda settings, sample_rate: SOUND_BY_KEY["monitor.show"].step(settings, by)


def _freeze(settings: Settings, sample_rate: int) -> Changes:
    return {"effect": chain.switched(settings.effect, chain.FREEZE)}


def _next_mode(settings: Settings, sample_rate: int) -> Changes:
    effects = settings.effect
    return {"effect": chain.next_mode(effects, chain.boxes_place(effects))}


def _clear(settings: Settings, sample_rate: int) -> Changes:
    place = chain.boxes_place(settings.effect)
    return {"effect": chain.with_boxes(settings.effect, place, ())} if place else {}


# fmt: off
SOUND_ACTIONS: tuple[Action, ...] = (
    Action("panic", MENU, "Panic", ("Backspace", "Shift+Esc"),
           "silence at once (mute and bypass)"),
    Action("mute", MENU, "Mute", ("M",), "no sound goes out", _turn("monitor.mute")),
    Action("bypass", MENU, "Bypass", ("B",),
           "leave out the effects", _turn("monitor.bypass")),
    Action("louder", MENU, "Louder", ("V", "Ctrl+Up"), "output louder (with Shift: softer)",
           lambda settings, rate: louder(settings, GAIN_STEP)),
    Action("softer", MENU, "Softer", ("Shift+V", "Ctrl+Down"), "",
           lambda settings, rate: louder(settings, -GAIN_STEP)),
    Action("show", MENU, "Next panes", ("O",),
           "input, output, difference in turn", _show(1)),
    Action("show_back", MENU, "Previous panes", ("Shift+O",), "", _show(-1)),
    Action("freeze", MENU, "Freeze", ("F",), "hold the present sound", _freeze),
    Action("draw", MENU, "Draw a mask", ("D",),
           "draw with the left button as well"),
    Action("mask_mode", MENU, "Only that, or all but that", ("I",),
           "hear what is drawn, or all else", _next_mode),
    Action("mask_clear", MENU, "Clear the mask", ("Delete",), "clear what is drawn", _clear),
)
# fmt: on

SOUND_MOUSE = (
    ("Right drag", "draw a box, and hear what is in it"),
    ("Shift + right drag", "paint with a brush"),
    ("Ctrl + right drag", "a band of all times"),
    ("Drag on the axis", "the same"),
    ("Right click", "take the box away"),
)
"""What the mouse does beside `keys.MOUSE`."""


def actions_for(monitors: bool) -> tuple[Action, ...]:
    """The table of a run. Where sound is played its keys are those of the sound first; what had
    them in `live` keeps its other ones."""
    if not monitors:
        return ACTIONS
    taken = {key for action in SOUND_ACTIONS for key in action.keys}
    others = [
        replace(action, keys=tuple(key for key in action.keys if key not in taken))
        for action in ACTIONS
    ]
    at = next(i for i, action in enumerate(others) if action.menu == "Help")
    return (*others[:at], *SOUND_ACTIONS, *others[at:])
