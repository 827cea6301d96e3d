"""The terminal of standard output, for all that shows something there. Imports nothing of ours."""

from __future__ import annotations

import os
import sys
from typing import Any

ANSWER_SECONDS = "0.5"
"""How long blessed waits for the answer to each of the two questions it asks a terminal at the
start (name and colours), unless the user has set it: more than one across the world takes over
ssh. A terminal that answers nothing would otherwise keep the picture waiting for 10 s."""


def open_terminal() -> Any:
    """blessed's terminal on standard output."""
    os.environ.setdefault("BLESSED_QUERY_TIMEOUT_SECONDS", ANSWER_SECONDS)
    import blessed

    return blessed.Terminal(stream=sys.stdout)
