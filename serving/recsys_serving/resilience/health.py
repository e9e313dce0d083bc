"""Whether what the service depends on answers: what ``/readyz`` and the metrics read."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

#: ``unknown``: not asked yet. ``up``: it answered last. ``failing``: it did not, and is still asked each time.
#: ``down``: it failed so often that it is left alone for a while.
DependencyState = Literal["unknown", "up", "failing", "down"]

#: Characters of an error that are kept.
_LONGEST_ERROR = 300


@dataclass(frozen=True, slots=True)
class DependencyHealth:
    """How one dependency does.

    Args:
        name: such as ``store``, ``cache`` or ``runtime``.
        state: as it is now.
        since: when it came into this state.
        last_error: the latest thing that went wrong, also when all is well again; None: nothing did.
        num_failures: calls that failed since the process began.
    """

    name: str
    state: DependencyState
    since: datetime
    last_error: str | None = None
    num_failures: int = 0


class HealthRegistry:
    """Keeps the health of every dependency; threads may share it.

    Args:
        now: the time, with a zone.
    """

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._health: dict[str, DependencyHealth] = {}

    def register(self, name: str) -> None:
        """Know a dependency that has not been asked yet; one that is known already stays as it is."""
        with self._lock:
            self._health.setdefault(name, DependencyHealth(name, "unknown", self._now()))

    def succeeded(self, name: str) -> None:
        """Note that a dependency answered."""
        known = self._health.get(name)
        if known is not None and known.state == "up":
            return  # the usual case takes no lock
        self._move(name, "up")

    def failed(self, name: str, error: BaseException, is_open: bool = False) -> None:
        """Note that a dependency did not answer as it should.

        Args:
            name: of the dependency.
            error: what went wrong.
            is_open: whether it is left alone for a while now.
        """
        self._move(name, "down" if is_open else "failing", error)

    def of(self, name: str) -> DependencyHealth:
        """The health of one dependency.

        Raises:
            KeyError: it was never registered.
        """
        return self._health[name]

    def all(self) -> tuple[DependencyHealth, ...]:
        """The health of every dependency, by name."""
        with self._lock:
            return tuple(self._health[name] for name in sorted(self._health))

    def _move(self, name: str, state: DependencyState, error: BaseException | None = None) -> None:
        with self._lock:
            now = self._now()
            known = self._health.get(name, DependencyHealth(name, "unknown", now))
            if error is not None:
                said = f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]
                known = replace(known, last_error=said, num_failures=known.num_failures + 1)
            self._health[name] = known if known.state == state else replace(known, state=state, since=now)
