"""What people do with keys, mouse and controls, put to the model as requests.

The model may refuse; what it says then is told over the picture. Nothing here draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import Qt

from realtime.errors import SettingsError
from realtime.view import keys
from realtime.view.choices import Changes
from realtime.view.keys import Action
from realtime.view.model import LiveModel

SCROLL_SHARE = 0.25
"""Share of the span that an arrow key moves."""

Handler = Callable[[], object]


class Requests:
    """table : the actions of this run. tell : shows why a request was refused. own : what the
    window itself does, by action."""

    def __init__(
        self,
        model: LiveModel,
        table: Sequence[Action],
        tell: Callable[[str], None],
        own: Mapping[str, Handler],
    ):
        self._model, self._tell = model, tell
        self._handlers: dict[str, Handler] = {
            "pause": lambda: model.pause(not model.paused),
            "back": lambda: self._scroll(-SCROLL_SHARE),
            "forward": lambda: self._scroll(SCROLL_SHARE),
            "live": lambda: model.pause(False),
            "reset_hold": self.reset_meters,
            **own,
        }
        without_change = {action.name for action in table if action.change is None}
        assert without_change == set(self._handlers), "each action has one handler"

    def act(self, action: Action) -> None:
        """Carry out a row of the table of keys."""
        if action.change is None:
            self._handlers[action.name]()
        else:
            self.change(action.change(self._model.settings, self._model.sample_rate))

    def change(self, changes: Changes) -> None:
        """New settings; none at all are none to refuse."""
        try:
            if changes:
                self._model.change(changes)
        except SettingsError as error:
            self._tell(str(error))
        else:
            self._tell("")

    def wheel(self, steps: float, share: float, modifiers: Qt.KeyboardModifier) -> None:
        """share : height of the pointer in its pane, from 0 at the bottom to 1."""
        display, rate = self._model.settings.display, self._model.sample_rate
        if modifiers & Qt.KeyboardModifier.ControlModifier:
            self.change(keys.span_zoomed(display, keys.ZOOM**steps))
        elif modifiers & Qt.KeyboardModifier.ShiftModifier:
            self.change(keys.levels_moved(display, -keys.DB_STEP * steps))
        else:
            self.change(keys.zoomed(display, rate, keys.ZOOM**steps, share))

    def drag(self, right: float, up: float) -> None:
        """right, up : shares of the waterfall's width and of a pane's height."""
        if right:
            self._scroll(-right)
        if up:
            display = self._model.settings.display
            self.change(keys.panned(display, self._model.sample_rate, -up))

    def reset_view(self) -> None:
        """All frequencies, and now."""
        self._model.pause(False)
        self.act(keys.BY_NAME["whole"])

    def reset_meters(self) -> None:
        self._model.reset_clip()
        self._model.reset_hold()

    def _scroll(self, spans: float) -> None:
        self._model.scroll(spans * self._model.settings.display.span)
