"""How people are spoken to, the same everywhere: the value, the rule, the next step."""

from __future__ import annotations

import contextlib
import difflib
import sys
from collections.abc import Sequence
from typing import Any

LONGEST_VALUE = 40
"""Characters of a faulty value that a sentence repeats."""

LONGEST_PATH = 100
"""Characters of a path that a sentence repeats."""


def shown(value: Any) -> str:
    """A value as people wrote it: text in quotes, cut when long, never with raw control codes."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, int) and value.bit_length() > 128:
        return "a number of more than 38 digits"
    text = repr(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 4]}...{text[-1]}"


def shown_path(path: str) -> str:
    """A path as people wrote it; a long one loses its start, for its end tells it apart."""
    text = repr(path)
    return text if len(text) <= LONGEST_PATH else f"{text[0]}...{text[3 - LONGEST_PATH :]}"


def near(name: Any, known: Sequence[str]) -> str | None:
    """The known name that `name` was probably meant to be."""
    if not isinstance(name, str):
        return None
    lower = {candidate.lower(): candidate for candidate in known}
    matches = difflib.get_close_matches(name.lower(), lower, n=1)
    return lower[matches[0]] if matches else None


def unknown(what: str, name: Any, known: Sequence[str], look_for: str | None = None) -> str:
    """The sentence for a name that is not among `known`.

    what : "key", "preset" ..., or the key whose value the name is, such as "stft.window"
    look_for : the part of `name` that is compared with `known`, when not the whole
    """
    start = f"{what} = {shown(name)} is unknown" if "." in what else f"unknown {what} {shown(name)}"
    meant = near(name if look_for is None else look_for, known)
    if meant is not None:
        return f"{start}, did you mean {meant!r}?"
    return f"{start}; known: {', '.join(known)}"


def say(text: str) -> None:
    """Tell people something on standard error, which may have gone with its terminal."""
    with contextlib.suppress(OSError):
        sys.stderr.write(f"realtime: {text}\n")
        sys.stderr.flush()
