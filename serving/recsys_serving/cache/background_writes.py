"""Writes to a cache behind the back of whoever is answered: nobody waits for what only the next one needs.

What waits is found by this worker at once, and a thread writes it in batches, each in one exchange. There is a bound of
what waits; beyond it values are not kept, as any cache may forget.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence

from recsys_serving.cache.guarded_cache import CacheAnswer, CacheCounts, GuardedCache

_log = logging.getLogger(__name__)

#: Seconds in which values that come one after the other become one batch.
GATHER_SECONDS = 0.1


class BackgroundWrites:
    """A guarded cache that is written to in the background; threads may share it.

    Args:
        cache: that is asked.
        max_waiting: values that wait, at most.
    """

    def __init__(self, cache: GuardedCache, max_waiting: int = 1000) -> None:
        self._cache, self._max_waiting = cache, max_waiting
        self._changed = threading.Condition()
        self._waiting: dict[str, tuple[bytes, float]] = {}
        self._writing: dict[str, tuple[bytes, float]] = {}
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="cache-writes", daemon=True)
        self._thread.start()

    def get_many(self, keys: Sequence[str]) -> CacheAnswer:
        """See :meth:`GuardedCache.get_many`; what waits to be written is found without asking."""
        with self._changed:
            found = {key: one[0] for key in keys if (one := self._waiting.get(key) or self._writing.get(key))}
        if not found:
            return self._cache.get_many(keys)
        others = [key for key in keys if key not in found]
        answer = self._cache.get_many(others) if others else CacheAnswer([], is_degraded=False)
        read = dict(zip(others, answer.values, strict=True))
        return CacheAnswer([found.get(key) or read[key] for key in keys], answer.is_degraded)

    def set_many(self, values: Mapping[str, bytes], ttl_seconds: float) -> bool:
        """Keep values soon; False where too many wait."""
        with self._changed:
            if self._closed or len(self._waiting) + len(values) > self._max_waiting:
                return False
            self._waiting.update((key, (value, ttl_seconds)) for key, value in values.items())
            if len(self._waiting) == len(values):
                self._changed.notify_all()
        return True

    def counts(self) -> CacheCounts:
        """See :meth:`GuardedCache.counts`."""
        return self._cache.counts()

    def close(self, timeout_seconds: float = 10.0) -> None:
        """Write what waits, and close the cache."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._thread.join(timeout_seconds)
        self._cache.close()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiting) or self._closed)
                if not self._waiting:
                    return
                self._changed.wait_for(lambda: self._closed, GATHER_SECONDS)
                self._writing, self._waiting = self._waiting, {}
            for ttl_seconds in {ttl for _, ttl in self._writing.values()}:
                batch = {key: value for key, (value, ttl) in self._writing.items() if ttl == ttl_seconds}
                try:
                    self._cache.set_many(batch, ttl_seconds)
                except Exception:  # whatever it is, the thread goes on
                    _log.exception("%d lists are not kept.", len(batch))
            with self._changed:
                self._writing = {}
