"""Keeps what was made last, up to a number of bytes. A cache that counts entries grows with the catalogue."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

V = TypeVar("V")


class ByteCache(Generic[V]):
    """Calls a function once for each combination of arguments, and forgets what was used longest ago.

    The value that was made last is kept whatever its size, so that whoever asks for one thing only is answered from the
    cache. Any number of threads may call at once; two that ask for the same new value both make it.

    Args:
        make: of hashable arguments; what it raises is not kept.
        size_of: bytes that a value holds.
        max_bytes: that all values hold together, unless one alone holds more.
    """

    def __init__(self, make: Callable[..., V], size_of: Callable[[V], int], max_bytes: int) -> None:
        self._make = make
        self._size_of = size_of
        self._max_bytes = max_bytes
        self._kept: OrderedDict[tuple[Hashable, ...], tuple[V, int]] = OrderedDict()
        self._lock = threading.Lock()
        #: Bytes of all values that are kept.
        self.num_bytes = 0

    def __call__(self, *arguments: Hashable) -> V:
        """The value for some arguments, kept or made."""
        with self._lock:
            if (entry := self._kept.get(arguments)) is not None:
                self._kept.move_to_end(arguments)
                return entry[0]
        value = self._make(*arguments)
        size = self._size_of(value)
        with self._lock:
            _, before = self._kept.pop(arguments, (None, 0))
            self._kept[arguments] = value, size
            self.num_bytes += size - before
            while self.num_bytes > self._max_bytes and len(self._kept) > 1:
                _, (_, oldest) = self._kept.popitem(last=False)
                self.num_bytes -= oldest
        return value

    def __len__(self) -> int:
        return len(self._kept)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self.num_bytes = 0
