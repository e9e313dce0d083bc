"""A thread that does one thing again and again, whatever goes wrong with it."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

_log = logging.getLogger(__name__)


class RepeatingThread:
    """Does something after a while, and again after each interval, until it is closed.

    Args:
        name: of the thread.
        action: is done; an error of it is logged, and does not end the thread.
        first_seconds: before the first time.
        interval_seconds: between the end of one time and the beginning of the next.
    """

    def __init__(self, name: str, action: Callable[[], object], first_seconds: float, interval_seconds: float) -> None:
        self._name, self._action = name, action
        self._waits = (first_seconds, interval_seconds)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End, after what is being done."""
        self._stop.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        wait, interval = self._waits
        while not self._stop.wait(wait):
            try:
                self._action()
            except Exception:
                _log.exception("%s failed, and goes on.", self._name)
            wait = interval
