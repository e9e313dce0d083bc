"""The wall time that a leaderboard may take, over all its sittings."""

from __future__ import annotations

import time
from collections.abc import Callable


class Budget:
    """Counts the seconds of a clock against a budget.

    Args:
        seconds: the budget.
        spent_before: seconds of earlier sittings that were interrupted.
        began: the time of ``clock`` at which this sitting began; None: now.
        clock: seconds that only grow.

    Example:
        >>> Budget(60.0, spent_before=20.0, began=5.0, clock=lambda: 15.0).left
        30.0
    """

    def __init__(
        self,
        seconds: float,
        spent_before: float = 0.0,
        began: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.seconds = seconds
        self.spent_before = spent_before
        self._clock = clock
        self._began = clock() if began is None else began

    @property
    def elapsed(self) -> float:
        """Seconds that were spent so far, those of earlier sittings too."""
        return self.spent_before + self._clock() - self._began

    @property
    def left(self) -> float:
        """Seconds that are left, below 0 where there are none."""
        return self.seconds - self.elapsed
