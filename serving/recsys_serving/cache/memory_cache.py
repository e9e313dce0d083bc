"""A cache in the memory of one process: what was used least lately goes first."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from recsys.errors import SettingsError

#: Bytes that an entry takes besides its key and its value.
ENTRY_BYTES = 300


class MemoryCache:
    """See :class:`recsys_serving.cache.recommendation_cache.RecommendationCache`; it is never unavailable.

    Args:
        max_entries: that it holds at most.
        max_bytes: that keys, values and what holds them together take at most; a larger value is not kept.
        clock: seconds that never go back.

    Raises:
        SettingsError: a bound is not positive.
    """

    def __init__(
        self,
        max_entries: int = 10_000,
        max_bytes: int = 64_000_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if max_entries < 1 or max_bytes < 1:
            raise SettingsError(f"The bounds of a cache must be positive, but {max_entries} and {max_bytes} came.")
        self._max_entries, self._max_bytes, self._clock = max_entries, max_bytes, clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, tuple[float, bytes]] = OrderedDict()
        self._num_bytes = 0

    def __len__(self) -> int:
        """Entries that it holds, also those whose time is over and that nobody asked for since."""
        return len(self._entries)

    @property
    def num_bytes(self) -> int:
        """Bytes that it holds."""
        return self._num_bytes

    def get_many(self, keys: Sequence[str]) -> list[bytes | None]:
        """See :meth:`RecommendationCache.get_many`."""
        now = self._clock()
        with self._lock:
            return [self._get(key, now) for key in keys]

    def set_many(self, values: Mapping[str, bytes], ttl_seconds: float) -> None:
        """See :meth:`RecommendationCache.set_many`."""
        end = self._clock() + ttl_seconds
        with self._lock:
            for key, value in values.items():
                self._drop(key)
                if _size(key, value) > self._max_bytes:
                    continue
                self._entries[key] = (end, value)
                self._num_bytes += _size(key, value)
            while len(self._entries) > self._max_entries or self._num_bytes > self._max_bytes:
                self._drop(next(iter(self._entries)))

    def ping(self) -> None:
        """It always answers."""

    def close(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._num_bytes = 0

    def _get(self, key: str, now: float) -> bytes | None:
        found = self._entries.get(key)
        if found is None:
            return None
        end, value = found
        if end <= now:
            self._drop(key)
            return None
        self._entries.move_to_end(key)
        return value

    def _drop(self, key: str) -> None:
        found = self._entries.pop(key, None)
        if found is not None:
            self._num_bytes -= _size(key, found[1])


def _size(key: str, value: bytes) -> int:
    return len(key) + len(value) + ENTRY_BYTES
