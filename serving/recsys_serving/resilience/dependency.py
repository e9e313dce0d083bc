"""One thing that the service depends on: a limited wait, retries where they are safe, left alone when it is down."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import stamina

from recsys.errors import ServingError
from recsys_serving.resilience.bounded_calls import BoundedCalls, CallTimeout
from recsys_serving.resilience.breaker import Breaker, BreakerOpen
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.resilience.health import HealthRegistry

ResultT = TypeVar("ResultT")

#: Seconds before the second attempt, and the most that chance adds to it, so that callers do not come back together.
RETRY_SECONDS = 0.01
RETRY_JITTER_SECONDS = 0.02


class DependencyUnavailable(ServingError):
    """A dependency did not answer in time, failed, or is left alone because it did so too often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyPolicy:
    """How a dependency is treated.

    Args:
        threshold: failures in a row after which it is left alone.
        open_seconds: that it is left alone then.
        timeout_seconds: that its caller waits, for all attempts together; None: as long as it takes, where the
            dependency's own client has a limit.
        failures: errors that mean that it is away; others go to the caller as they are.
        max_threads: calls at once, where there is a timeout.
    """

    threshold: int = 3
    open_seconds: float = 2.0
    timeout_seconds: float | None = None
    failures: tuple[type[Exception], ...] = (OSError, TimeoutError)
    max_threads: int = 16


class Dependency:
    """Asks one dependency; threads may share it.

    Args:
        name: for health, metrics and messages.
        policy: how it is treated.
        health: is told how it does.
    """

    def __init__(self, name: str, policy: DependencyPolicy, health: HealthRegistry) -> None:
        self.name = name
        self._policy = policy
        self._health = health
        self._failures: tuple[type[Exception], ...] = (*policy.failures, CallTimeout)
        self._breaker = Breaker(name, policy.threshold, policy.open_seconds, self._failures)
        self._calls = None if policy.timeout_seconds is None else BoundedCalls(name, policy.max_threads)
        health.register(name)

    @property
    def is_open(self) -> bool:
        """Whether it is left alone."""
        return self._breaker.is_open

    def call(self, ask: Callable[[], ResultT], deadline: Deadline | None = None, attempts: int = 1) -> ResultT:
        """What ``ask`` returns.

        Args:
            ask: the call.
            deadline: of the answer that it is for.
            attempts: how often it is tried; more than once only where twice does no harm.

        Raises:
            DependencyUnavailable: it failed, took too long, or is left alone.
        """
        try:
            try:
                return self._attempt(ask, deadline)  # what goes well at once, as nearly always, has no loop around it
            except self._policy.failures:
                if attempts == 1 or not _has_time(deadline):
                    raise
            time.sleep(RETRY_SECONDS + random.uniform(0, RETRY_JITTER_SECONDS))
            return self._retried(ask, deadline, attempts - 1)
        except BreakerOpen as error:
            raise DependencyUnavailable(str(error)) from error
        except self._failures as error:
            raise DependencyUnavailable(f"The {self.name} did not answer as it should: {error}") from error

    def close(self) -> None:
        """Let its threads go."""
        if self._calls is not None:
            self._calls.close()

    def _retried(self, ask: Callable[[], ResultT], deadline: Deadline | None, attempts: int) -> ResultT:
        """The same again, each after a short while; not after a timeout, which has used up the time."""
        retrying = stamina.retry_context(
            on=self._policy.failures,
            attempts=attempts,
            timeout=None if deadline is None else deadline.remaining(),
            wait_initial=RETRY_SECONDS,
            wait_jitter=RETRY_JITTER_SECONDS,
            wait_max=1.0,
        )
        for attempt in retrying:
            with attempt:
                return self._attempt(ask, deadline)
        raise AssertionError("stamina raises the last error")

    def _attempt(self, ask: Callable[[], ResultT], deadline: Deadline | None) -> ResultT:
        try:
            with self._breaker:
                result = self._bounded(ask, deadline)
        except self._failures as error:
            self._health.failed(self.name, error, self._breaker.is_open)
            raise
        self._health.succeeded(self.name)
        return result

    def _bounded(self, ask: Callable[[], ResultT], deadline: Deadline | None) -> ResultT:
        timeout = self._policy.timeout_seconds
        if self._calls is None or timeout is None:
            return ask()
        return self._calls.run(ask, timeout if deadline is None else deadline.remaining(timeout))


def _has_time(deadline: Deadline | None) -> bool:
    return deadline is None or deadline.remaining() > RETRY_SECONDS + RETRY_JITTER_SECONDS
