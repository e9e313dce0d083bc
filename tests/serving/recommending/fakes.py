"""Stores and spools that fail when a test says so; all else goes to real ones."""

from __future__ import annotations

import threading
from typing import Any

from recsys_serving.store.errors import StoreUnavailable


class Faulty:
    """Passes everything on to another object, until it is made to fail or to hang.

    Args:
        real: what answers while all is well.
    """

    def __init__(self, real: Any) -> None:
        self._real = real
        self._state = _State()

    def fail(self) -> None:
        """Raise from now on, as a store does that is away."""
        self._state.fails = True

    def hang(self) -> None:
        """Answer nothing from now on."""
        self._state.released.clear()

    def recover(self) -> None:
        """Answer again, also those who wait."""
        self._state.fails = False
        self._state.released.set()

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._real, name)
        if callable(found):
            return self._guarded(found)
        part = Faulty(found)
        part._state = self._state
        return part

    def _guarded(self, call: Any) -> Any:
        def guarded(*args: Any, **kwargs: Any) -> Any:
            self._state.released.wait(30)
            if self._state.fails:
                raise StoreUnavailable("The database is away.")
            return call(*args, **kwargs)

        return guarded


class _State:
    def __init__(self) -> None:
        self.fails = False
        self.released = threading.Event()
        self.released.set()
