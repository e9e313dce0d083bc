"""When the command of this process began, for commands that may only take so long."""

from __future__ import annotations

import time

_began: float | None = None


def command_begins() -> None:
    """Note that a command begins now."""
    global _began
    _began = time.monotonic()


def began_at() -> float:
    """The time of :func:`time.monotonic` at which the command began; now where none has."""
    return time.monotonic() if _began is None else _began
