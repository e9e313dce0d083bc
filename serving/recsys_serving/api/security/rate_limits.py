"""How often a key may ask: counted in Redis for all workers, or in this process where there is none or it is away.

Of a large rate a worker takes a thousandth at once, and answers so many requests without asking Redis. As they are
counted when they are taken, a window may have a thousandth of the rate for each worker more than it should.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache

import structlog
from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter

from recsys_serving.settings import MEMORY

#: Seconds for which Redis is not asked again after it did not answer.
_PAUSE_SECONDS = 2.0

#: Keys of which requests were taken, at most.
_MAX_TAKEN = 10_000

#: Into how many parts a rate is divided; of one that is smaller, each request is counted by itself.
_PARTS = 1_000

_log = structlog.get_logger("recsys_serving.rate_limits")


@dataclass(frozen=True, slots=True)
class RateDecision:
    """Whether a request may go on.

    Args:
        allowed: whether it may.
        limit: requests that are allowed in the window.
        retry_seconds: until some are allowed again; 0 where this one is.
    """

    allowed: bool
    limit: int
    retry_seconds: int = 0

    @property
    def headers(self) -> dict[str, str]:
        """What a client is told whose request is not allowed."""
        return {"RateLimit-Limit": str(self.limit), "Retry-After": str(self.retry_seconds)}


@dataclass(slots=True)
class _Taken:
    """Requests that are counted already and may still come.

    Args:
        left: how many.
        until: when they count no more, on the monotonic clock.
    """

    left: int
    until: float


class RateLimiter:
    """Counts requests in sliding windows.

    Args:
        redis_url: of the counts that all workers share; None or ``memory``: each worker counts for itself.
        timeout_seconds: that Redis may take.
    """

    def __init__(self, redis_url: str | None, timeout_seconds: float) -> None:
        self._memory = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._shared: SlidingWindowCounterRateLimiter | None = None
        self._paused_until = 0.0
        self._lock = threading.Lock()
        self._taken: OrderedDict[tuple[str, str], _Taken] = OrderedDict()
        if redis_url is not None and redis_url != MEMORY:
            self._shared = SlidingWindowCounterRateLimiter(_redis_storage(redis_url, timeout_seconds))

    @property
    def is_shared(self) -> bool:
        """Whether counting may wait for a server."""
        return self._shared is not None

    def hit(self, rate: str, who: str) -> RateDecision:
        """Count a request.

        Args:
            rate: such as ``3000/minute``.
            who: whose request it is.
        """
        item = _parsed(rate)
        if self._shared is not None and (part := item.amount // _PARTS) > 1:
            decision = self._ask(item, who, count=part)
            if decision.allowed:
                self._keep(rate, who, part - 1, item.get_expiry())
                return decision
        return self._ask(item, who, count=1)

    def hit_taken(self, rate: str, who: str) -> RateDecision | None:
        """Count a request among those that were taken before, without asking anybody; None where none is left."""
        with self._lock:
            taken = self._taken.get((rate, who))
            if taken is None or taken.left < 1 or time.monotonic() >= taken.until:
                return None
            taken.left -= 1
        return RateDecision(True, _parsed(rate).amount)

    def test(self, rate: str, who: str) -> RateDecision:
        """Whether a request would be allowed, without counting it."""
        return self._ask(_parsed(rate), who, count=0)

    def _keep(self, rate: str, who: str, number: int, seconds: float) -> None:
        """Remember requests that were taken; those of before are gone with their time."""
        now = time.monotonic()
        with self._lock:
            before = self._taken.pop((rate, who), None)
            left = before.left if before is not None and now < before.until else 0
            self._taken[rate, who] = _Taken(left + number, now + seconds)
            if len(self._taken) > _MAX_TAKEN:
                self._taken.popitem(last=False)

    def _ask(self, item: RateLimitItem, who: str, count: int) -> RateDecision:
        if self._shared is not None and time.monotonic() >= self._paused_until:
            try:
                return _decide(self._shared, item, who, count)
            except StorageError as error:
                self._paused_until = time.monotonic() + _PAUSE_SECONDS
                _log.warning(
                    "counting in this process, Redis does not answer", error=type(error.storage_error).__name__
                )
        return _decide(self._memory, item, who, count)


@cache
def _parsed(rate: str) -> RateLimitItem:
    return parse(rate)


def _decide(limiter: SlidingWindowCounterRateLimiter, item: RateLimitItem, who: str, count: int) -> RateDecision:
    if limiter.hit(item, who, cost=count) if count else limiter.test(item, who):
        return RateDecision(True, item.amount)
    reset = limiter.get_window_stats(item, who).reset_time
    return RateDecision(False, item.amount, max(1, math.ceil(reset - time.time())))


def _redis_storage(url: str, timeout_seconds: float) -> Storage:
    return RedisStorage(
        url,
        key_prefix="recsys-rate",
        wrap_exceptions=True,
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
    )
