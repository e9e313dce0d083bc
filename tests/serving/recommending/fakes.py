"""Stores, spools and model servers that fail when a test says so; all else goes to real ones."""

from __future__ import annotations

import threading
from typing import Any

from recsys_serving.store.errors import StoreUnavailable
from recsys_serving.triton.client import VersionNotServed
from recsys_serving.triton.served_bundle import version_of


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


class FakeServer:
    """Stands for a model server that has one bundle.

    Args:
        opened: the bundle; another one may take its place.
    """

    def __init__(self, opened: Any) -> None:
        self.opened = opened
        self.error: Exception | None = None
        self.versions: list[int | None] = []

    def recommend(self, requests: Any, version: int | None = None) -> Any:
        """What the bundle answers, where it has the version."""
        self.versions.append(version)
        if self.error is not None:
            raise self.error
        if version != version_of(self.opened.bundle):
            raise VersionNotServed(f"There is no version {version}.")
        return self.opened.recommender.recommend(requests)
