"""How a figure and its goal are put beside each other, the same in every table."""

from __future__ import annotations


def verdict(
    value: float, goal: float | None, unit: str = "", *, at_least: bool = False
) -> tuple[str, str]:
    """The goal in words, and whether `value` reaches it, for two cells of a table.

    unit : "s", "ms", "x", "share" (shown in per cent of a core), ...
    """
    if goal is None:
        return "", ""
    reached = value >= goal if at_least else value <= goal
    shown = f"{goal:.1%}" if unit == "share" else f"{goal:g} {unit}".strip()
    words = f"at {'least' if at_least else 'most'} {shown}"
    return words, "[green]reached[/]" if reached else "[red]falls short[/]"
