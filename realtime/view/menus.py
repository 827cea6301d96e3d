"""Menus and shortcuts, made from the tables in `keys` and `choices`."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMenuBar, QWidget

from realtime.config import Settings
from realtime.view import theme
from realtime.view.choices import CHOICES, Changes, Choice
from realtime.view.keys import Action
from realtime.view.sound import SOUND_CHOICES

CHECKABLE = {"pause", "fullscreen", "side_panel", "help", "mute", "bypass", "freeze", "draw"}


def make_actions(
    parent: QWidget, table: Sequence[Action], run: Callable[[Action], None]
) -> dict[str, QAction]:
    """One QAction for each row of the table, with its keys, at work in the whole window."""
    made = {}
    for action in table:
        item = QAction(action.text, parent)
        item.setShortcuts([QKeySequence(key) for key in action.keys])
        item.setCheckable(action.name in CHECKABLE)
        if action.name in theme.ICONS:
            item.setIcon(theme.icon(action.name))
            item.setIconVisibleInMenu(False)
        item.setToolTip(f"{action.text} ({action.keys[0]})")
        item.triggered.connect(lambda _checked=False, action=action: run(action))
        parent.addAction(item)
        made[action.name] = item
    return made


class Menus(QMenuBar):
    """All actions of the table, and a menu for each choice that is no slider."""

    def __init__(
        self,
        actions: dict[str, QAction],
        table: Sequence[Action],
        change: Callable[[Changes], object],
    ):
        super().__init__()
        self._change = change
        self._settings = Settings()
        self._choices: list[tuple[Choice, QActionGroup]] = []
        choices = [choice for choice in (*CHOICES, *SOUND_CHOICES) if not choice.slider]
        for name in dict.fromkeys(action.menu for action in table):
            menu = self.addMenu(name)
            own = [choice for choice in choices if choice.group == name]
            for choice in own:
                self._add_choice(menu, choice)
            if own:
                menu.addSeparator()
            for action in table:
                if action.menu == name:
                    menu.addAction(actions[action.name])

    def _add_choice(self, menu: QMenu, choice: Choice) -> None:
        items = menu.addMenu(choice.label)
        group = QActionGroup(items)
        for value in choice.values:
            item = QAction(choice.text(value), items)
            item.setCheckable(True)
            item.setData(value)
            if choice.key == "display.colormap":
                item.setIcon(theme.colormap_icon(value))
            item.triggered.connect(
                lambda _checked=False, value=value: self._change(choice.put(self._settings, value))
            )
            group.addAction(item)
            items.addAction(item)
        group.setExclusionPolicy(QActionGroup.ExclusionPolicy.ExclusiveOptional)
        self._choices.append((choice, group))

    def follow(self, settings: Settings) -> None:
        self._settings = settings
        for choice, group in self._choices:
            value = choice.get(settings)
            for item in group.actions():
                item.setChecked(item.data() == value)
