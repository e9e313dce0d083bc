"""A cache that is never anybody's error: what goes wrong with it is a miss, counted, and soon not asked any more."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from recsys_serving.cache.recommendation_cache import CacheUnavailable, RecommendationCache
from recsys_serving.resilience.dependency import Dependency, DependencyPolicy, DependencyUnavailable
from recsys_serving.resilience.health import HealthRegistry


class CacheAnswer(NamedTuple):
    """What a cache said.

    Args:
        values: of the keys; None where there is none.
        is_degraded: whether the cache did not answer, so that nothing was found.
    """

    values: list[bytes | None]
    is_degraded: bool


class CacheCounts(NamedTuple):
    """What a cache was good for since the process began."""

    hits: int
    misses: int
    failures: int


class GuardedCache:
    """Asks a cache; threads may share it.

    Args:
        cache: that is asked.
        health: is told how the cache does, under ``cache``.
        threshold: failures in a row after which it is left alone.
        open_seconds: that it is left alone then.
    """

    def __init__(
        self, cache: RecommendationCache, health: HealthRegistry, threshold: int = 3, open_seconds: float = 2.0
    ) -> None:
        self._cache = cache
        policy = DependencyPolicy(threshold=threshold, open_seconds=open_seconds, failures=(CacheUnavailable,))
        self._dependency = Dependency("cache", policy, health)
        self._lock = threading.Lock()
        self._hits = self._misses = self._failures = 0

    def get_many(self, keys: Sequence[str]) -> CacheAnswer:
        """What the cache has of each key."""
        try:
            values = self._dependency.call(lambda: self._cache.get_many(keys))
        except DependencyUnavailable:
            self._count(failures=1)
            return CacheAnswer([None] * len(keys), is_degraded=True)
        hits = sum(value is not None for value in values)
        self._count(hits=hits, misses=len(values) - hits)
        return CacheAnswer(values, is_degraded=False)

    def set_many(self, values: Mapping[str, bytes], ttl_seconds: float) -> bool:
        """Keep values; False where the cache did not answer."""
        try:
            self._dependency.call(lambda: self._cache.set_many(values, ttl_seconds))
        except DependencyUnavailable:
            self._count(failures=1)
            return False
        return True

    def counts(self) -> CacheCounts:
        """Keys that were found, keys that were not, and calls that failed."""
        return CacheCounts(self._hits, self._misses, self._failures)

    def close(self) -> None:
        """Close the cache."""
        self._cache.close()

    def _count(self, hits: int = 0, misses: int = 0, failures: int = 0) -> None:
        with self._lock:
            self._hits += hits
            self._misses += misses
            self._failures += failures
