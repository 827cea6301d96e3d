"""`realtime render`: sound files to pictures of their spectrograms.

Of several sounds a bad one does not keep the others from being drawn: it is told at once and once
more at the end, and the exit code is 1.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from realtime.commands.progress import progress
from realtime.commands.render_request import checked_render
from realtime.errors import RealtimeError, RequestError
from realtime.wording import say, shown_path


def run(args: argparse.Namespace) -> int:
    request = checked_render(args)
    if request.folder is not None:
        try:
            request.folder.mkdir(parents=True, exist_ok=True)
        except OSError as fault:
            raise RequestError(
                f"-o {shown_path(str(request.folder))} cannot be made ({fault.strerror}): name "
                "another folder"
            ) from fault
    bad = []
    for sound, picture in request.jobs:
        try:
            _draw(sound, picture, request.arguments)
        except RealtimeError as fault:
            if len(request.jobs) == 1:
                raise
            say(str(fault))
            bad.append(sound)
    if bad:
        names = ", ".join(shown_path(sound) for sound in bad)
        say(f"{len(bad)} of {len(request.jobs)} sounds could not be drawn: {names}")
    return 1 if bad else 0


def _draw(sound: str, picture: Path, arguments: dict[str, Any]) -> None:
    from realtime.picture.render import render

    with progress(picture.name, 1.0) as done:
        drawn = render(
            sound,
            picture,
            partial=True,
            progress=lambda share: done(share) if share is not None else None,
            **arguments,
        )
    made = drawn.picture
    seconds = (made.n_samples or 0) / made.sample_rate
    for note in (drawn.damage, *drawn.notes):
        if note:
            say(note)
    say(f"{seconds:.2f} s drawn to {shown_path(str(picture))}")
