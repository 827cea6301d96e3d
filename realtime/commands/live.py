"""`realtime live` and `realtime monitor`: start the engine and hand the model to a view.

The engine starts before the view is imported, so that both happen at the same time.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
from collections.abc import Iterator
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

from realtime.audio.sources import parse_source
from realtime.commands.request import Request, checked
from realtime.commands.views import Surroundings
from realtime.errors import DeviceError, EngineError, MissingDependency, SettingsError
from realtime.wording import say

if TYPE_CHECKING:
    from realtime.engine.process import EngineProcess
    from realtime.view.model import LiveModel

HEADPHONES = ("headphone", "headset", "earphone", "earbud", "airpod", "buds")
"""Words in the names of devices that no microphone hears."""


def run(args: argparse.Namespace, monitors: bool = False) -> int:
    """monitors : play what is heard, as the settings say."""
    request = checked(args, Surroundings.here())
    from realtime.engine.process import EngineProcess

    audio, play = request.settings.audio, None
    if monitors:
        from realtime.view.monitoring import check_effects, state_of

        check_effects(list(request.settings.effect), request.settings)
        play = state_of(request.settings)

    with _undisturbed():  # which it inherits: it must outlive a terminal that hangs up
        resource_tracker.ensure_running()
    engine = EngineProcess(request.source, audio, play)
    try:
        engine.launch()
        show = request.view.prepared()
        note = ""
        try:
            engine.start()
        except (DeviceError, EngineError, MissingDependency) as error:
            if not plays_demo_instead(request):
                raise
            note = f"{error}; playing the demo"
            if request.view.name != "none":  # which tells every message by itself
                say(note)
            engine.stop()
            engine = EngineProcess(parse_source("demo"), audio, play)
            engine.start()
        if monitors and engine.listens and not note:
            note = feedback_warning(engine.info.output)
            if note and request.view.name != "none":
                say(note)
        show(_model(request, engine, note))
    except KeyboardInterrupt:
        pass  # how a run without an end is ended
    finally:
        with _undisturbed():
            engine.stop()
    if engine.bad_samples:
        say(f"{engine.bad_samples} NaN or infinite values of '{engine.info.name}' became zeros")
    return 0


def _model(request: Request, engine: EngineProcess, note: str) -> LiveModel:
    """With as much of what is remembered as fits the source."""
    from realtime.view.model import LiveModel

    *fuller, asked_for = request.candidates
    for settings in fuller:
        with contextlib.suppress(SettingsError):
            return LiveModel(settings, engine, note)
    return LiveModel(asked_for, engine, note)


def plays_demo_instead(request: Request) -> bool:
    """Without a microphone, or none that can be reached, unless one was named or asked to be like
    this or that."""
    audio = request.settings.audio
    return not request.source.named and audio.sample_rate is None and audio.channels is None


def feedback_warning(output: str) -> str:
    """What to say before sound goes out that the microphone may hear; "" for headphones."""
    if any(word in output.casefold() for word in HEADPHONES):
        return ""
    return (
        f"the microphone may hear '{output}': use headphones, or keep the volume low; a howl is "
        "held back, m mutes"
    )


@contextlib.contextmanager
def _undisturbed() -> Iterator[None]:
    """Signals are ignored: a second Ctrl-C must not leave the engine running."""
    names = [name for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), signal.SIG_IGN) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)
