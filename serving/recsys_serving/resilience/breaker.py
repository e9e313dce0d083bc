"""Leaves a dependency alone that keeps failing, so that nobody waits for it: a circuit breaker.

Closed, every call goes through; after ``threshold`` failures in a row it opens and every call is refused at once; after
``open_seconds`` one call is let through, which closes it again if it succeeds. The states are those of purgatory, which
is not safe between threads, lets every waiting call through at once, and measures time by a clock that may be set: one
that goes back an hour would leave a dependency alone for an hour. All three are mended here.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType

from purgatory import SyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from recsys.errors import ServingError


class BreakerOpen(ServingError):
    """A dependency failed too often and is left alone for a while."""


class Breaker:
    """A circuit breaker of one dependency, shared by threads and used as a context manager around each call.

    Args:
        name: of the dependency, for messages.
        threshold: failures in a row after which it opens.
        open_seconds: that it stays open.
        failures: errors that count as failures; others pass through it and count as success.
        monotonic: clock, in seconds, which nobody sets.
    """

    def __init__(
        self,
        name: str,
        threshold: int = 3,
        open_seconds: float = 2.0,
        failures: tuple[type[Exception], ...] = (Exception,),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._failures = failures
        self._lock = threading.Lock()
        self._circuit = SyncCircuitBreakerFactory(threshold, open_seconds).get_breaker(name)
        self._probing: int | None = None
        self._monotonic = monotonic
        self._opened_at = 0.0

    @property
    def is_open(self) -> bool:
        """Whether calls are refused, or one of them is trying whether the dependency is back."""
        return self._circuit.context.state != "closed"

    def __enter__(self) -> Breaker:
        """Let a call through.

        Raises:
            BreakerOpen: the dependency is left alone.
        """
        if self._circuit.context.state == "closed":
            return self
        with self._lock:
            if self._probing is not None:
                raise BreakerOpen(f"The {self.name} failed; one call is trying whether it is back.")
            self._tell_when_it_opened()
            try:
                self._circuit.__enter__()
            except OpenedState as error:
                error.__traceback__ = None  # purgatory raises one object again and again, which would grow
                raise BreakerOpen(f"The {self.name} failed too often and is left alone for a while.") from None
            if self._circuit.context.state == "half-opened":
                self._probing = threading.get_ident()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        failed = isinstance(error, self._failures)
        context = self._circuit.context
        if not failed and context.state == "closed" and not context.failure_count:
            return  # the usual case takes no lock
        with self._lock:
            if context.state == "half-opened" and self._probing != threading.get_ident():
                return  # a call that began before it opened says nothing about now
            if self._probing == threading.get_ident():
                self._probing = None
            was_open = context.state == "opened"
            if failed:
                self._circuit.__exit__(type_, error, traceback)
            else:
                self._circuit.__exit__(None, None, None)
            if context.state == "opened" and not was_open:
                self._opened_at = self._monotonic()

    def _tell_when_it_opened(self) -> None:
        """Tell purgatory, in the time of its own clock, how long it has been open by one that nobody sets."""
        state = self._circuit.context._state
        if isinstance(state, OpenedState):
            state.opened_at = time.time() - (self._monotonic() - self._opened_at)
