"""A cache in Redis, which all workers share."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from recsys_serving.cache.recommendation_cache import CacheUnavailable

_log = logging.getLogger(__name__)

#: What the keys of this service begin with, so that a server may hold those of others.
PREFIX = "recsys:"


class RedisCache:
    """See :class:`recsys_serving.cache.recommendation_cache.RecommendationCache`.

    Nothing is asked twice: an answer that is late is computed sooner than Redis is asked again.

    Args:
        url: ``redis://``, ``rediss://`` or ``unix://``.
        timeout_seconds: that connecting, and each answer, may take.
        max_connections: of this process; a caller waits ``timeout_seconds`` for a free one at most.
        prefix: of every key.

    Raises:
        CacheUnavailable: the URL is none of Redis.
    """

    def __init__(
        self, url: str, timeout_seconds: float = 0.05, max_connections: int = 32, prefix: str = PREFIX
    ) -> None:
        try:
            pool = redis.BlockingConnectionPool.from_url(
                url,
                max_connections=max_connections,
                timeout=timeout_seconds,
                socket_timeout=timeout_seconds,
                socket_connect_timeout=timeout_seconds,
                retry=Retry(NoBackoff(), 0),
            )
        except ValueError as error:
            # The text of the URL may hold a password.
            raise CacheUnavailable(f"The address of Redis is not one of Redis: {_plain(error, url)}") from None
        self._client: Any = redis.Redis(connection_pool=pool)
        self._prefix = prefix

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """See :meth:`RecommendationCache.get_many`."""
        if not keys:
            return []
        with _as_unavailable():
            if len(keys) == 1:
                return [self._client.get(self._prefix + keys[0])]
            return list(self._client.mget([self._prefix + key for key in keys]))

    def set_many(self, values: Mapping[str, bytes], ttl_seconds: float) -> None:
        """See :meth:`RecommendationCache.set_many`."""
        if not values:
            return
        milliseconds = max(1, round(ttl_seconds * 1000))
        with _as_unavailable():
            if len(values) == 1:
                ((key, value),) = values.items()
                self._client.set(self._prefix + key, value, px=milliseconds)
                return
            with self._client.pipeline(transaction=False) as pipeline:
                for key, value in values.items():
                    pipeline.set(self._prefix + key, value, px=milliseconds)
                pipeline.execute()

    def ping(self) -> None:
        """See :meth:`RecommendationCache.ping`."""
        with _as_unavailable():
            self._client.ping()

    def warn_if_unbounded(self) -> bool:
        """Whether the server has no bound of its memory, which is then logged; False where it does not tell.

        Every key of this service has a time to live; without ``maxmemory`` many users within that time can still
        fill the machine.
        """
        try:
            said = self._client.config_get("maxmemory")
        except redis.RedisError:
            return False
        if int(said.get("maxmemory", 1)) > 0:
            return False
        _log.warning("Redis has no maxmemory: set it, with maxmemory-policy allkeys-lru.")
        return True

    def close(self) -> None:
        """Close the connections."""
        self._client.connection_pool.disconnect()


@contextmanager
def _as_unavailable() -> Iterator[None]:
    try:
        yield
    except redis.RedisError as error:
        raise CacheUnavailable(f"Redis did not answer as it should: {error}") from error


def _plain(error: Exception, url: str) -> str:
    return str(error).replace(url, "the address")
