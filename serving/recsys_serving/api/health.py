"""Whether the service can answer, and which of what it depends on is away."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as WaitTimeout
from dataclasses import dataclass
from typing import Literal

#: Seconds for which the answer of a dependency counts.
_TTL_SECONDS = 1.0

Status = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class CheckedDependency:
    """How a dependency is.

    Args:
        status: whether it answers.
        required: whether nothing can be answered without it.
        detail: what is wrong; None where nothing is.
        effect: what is missing while it is down.
    """

    status: Status
    required: bool
    effect: str
    detail: str | None = None


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """How a dependency is asked.

    Args:
        ask: raises where it is away.
        required: whether nothing can be answered without it.
        effect: what is missing while it is down, for people.
    """

    ask: Callable[[], object]
    required: bool
    effect: str


class HealthChecks:
    """Asks all dependencies at once.

    Args:
        checks: by the name of the dependency.
        timeout_seconds: that one may take.
    """

    def __init__(self, checks: Mapping[str, HealthCheck], timeout_seconds: float = 1.0) -> None:
        self._checks = dict(checks)
        self._timeout_seconds = timeout_seconds
        self._pool = ThreadPoolExecutor(max(1, len(self._checks)), thread_name_prefix="health")
        self._lock = threading.Lock()
        self._last: tuple[float, dict[str, CheckedDependency]] | None = None

    def read(self) -> dict[str, CheckedDependency]:
        """How each is, at most a second ago."""
        with self._lock:
            if self._last is None or time.monotonic() >= self._last[0] + _TTL_SECONDS:
                self._last = (time.monotonic(), self._read())
            return self._last[1]

    def close(self) -> None:
        """Wait for nothing any more."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _read(self) -> dict[str, CheckedDependency]:
        asked = {name: self._pool.submit(check.ask) for name, check in self._checks.items()}
        end = time.monotonic() + self._timeout_seconds
        found = {}
        for name, future in asked.items():
            check, detail = self._checks[name], None
            try:
                future.result(timeout=max(0.0, end - time.monotonic()))
            except WaitTimeout:
                detail = f"no answer within {self._timeout_seconds:g} seconds"
            except Exception as error:
                detail = type(error).__name__  # its text may have an address or a password
            status: Status = "up" if detail is None else "down"
            found[name] = CheckedDependency(status, check.required, check.effect, detail)
        return found
