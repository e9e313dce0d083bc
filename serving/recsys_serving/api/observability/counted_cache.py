"""A cache whose hits are counted."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from recsys_serving.cache.recommendation_cache import RecommendationCache


class CountedCache:
    """See :class:`recsys_serving.cache.recommendation_cache.RecommendationCache`.

    Args:
        cache: what keeps the lists.
        count: told of each list that was looked up whether it was there.
    """

    def __init__(self, cache: RecommendationCache, count: Callable[[bool], None]) -> None:
        self._cache = cache
        self._count = count

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """See :meth:`RecommendationCache.get_many`."""
        found = self._cache.get_many(keys)
        for value in found:
            self._count(value is not None)
        return found

    def set_many(self, values: Mapping[str, bytes], ttl_seconds: float) -> None:
        """See :meth:`RecommendationCache.set_many`."""
        self._cache.set_many(values, ttl_seconds)

    def ping(self) -> None:
        """See :meth:`RecommendationCache.ping`."""
        self._cache.ping()

    def close(self) -> None:
        """See :meth:`RecommendationCache.close`."""
        self._cache.close()
