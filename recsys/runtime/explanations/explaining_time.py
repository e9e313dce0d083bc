"""How long the lists of one call may take to be explained."""

from __future__ import annotations

import time
from collections.abc import Callable


class ExplainingTime:
    """Seconds for explanations, which the lists of one call share evenly; what one leaves over, the next ones have.

    Args:
        seconds: for all of them; None: as long as it takes.
        num_lists: that are to be explained, at most.
        monotonic: clock, in seconds.
    """

    def __init__(self, seconds: float | None, num_lists: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._end = None if seconds is None else monotonic() + seconds
        self._num_left = num_lists

    def share(self) -> float | None:
        """Seconds for the next list, 0 where there are none left; None: as long as it takes."""
        if self._end is None:
            return None
        left = max(0.0, self._end - self._monotonic()) / max(1, self._num_left)
        self._num_left -= 1
        return left
