"""How much time one answer has left."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """Counts down from the moment that it is made.

    Args:
        seconds: that the answer may take.
        clock: seconds that never go back.
    """

    __slots__ = ("_clock", "_end")

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def remaining(self, most: float | None = None) -> float:
        """Seconds that are left, never below 0, and no more than ``most``."""
        left = max(0.0, self._end - self._clock())
        return left if most is None else min(left, most)
