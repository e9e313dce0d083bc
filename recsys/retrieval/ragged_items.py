"""A list of items for each request, as one ragged array.

Shape suffixes: B requests, M items of all requests together, C candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.retrieval.types import BoolArray, FloatArray, IntArray

#: Up to so many possible pairs of a request and an item membership is looked up in a table of one byte each (16 MiB).
MAX_TABLE = 2**24


@dataclass(frozen=True, slots=True, eq=False)
class RaggedItems:
    """Ragged lists: request ``b`` has ``items[offsets[b]:offsets[b + 1]]``.

    Args:
        offsets: shape [B + 1], int64, from 0 to M.
        items: internal item indices, shape [M], int64; a history is in order, oldest first. Those that are mapped
            from a file may be int32: what is taken of them is int64.
        rating: shape [M], float32, or None.
        timestamp: seconds since 1970, shape [M], int64, or None.
    """

    offsets: IntArray
    items: IntArray
    rating: FloatArray | None = None
    timestamp: IntArray | None = None

    @classmethod
    def of(cls, lists: Sequence[Sequence[int]]) -> RaggedItems:
        """The lists as they are given.

        Example:
            >>> RaggedItems.of([[7, 2], []]).counts
            array([2, 0])
        """
        offsets = np.cumsum([0, *(len(items) for items in lists)], dtype=np.int64)
        return cls(offsets, np.array([item for items in lists for item in items], dtype=np.int64))

    @classmethod
    def empty(cls, num_requests: int) -> RaggedItems:
        """A list without items for each request."""
        return cls(np.zeros(num_requests + 1, dtype=np.int64), np.zeros(0, dtype=np.int64))

    @classmethod
    def from_pairs(cls, rows: IntArray, items: IntArray, num_requests: int) -> RaggedItems:
        """Lists from pairs of a request (ascending, shape [M]) and an item of it (shape [M])."""
        counts = np.bincount(rows, minlength=num_requests)
        return cls(np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), items)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def counts(self) -> IntArray:
        """Items of each request, shape [B]."""
        return self.offsets[1:] - self.offsets[:-1]  # np.diff takes ten times as long for one request

    @property
    def rows(self) -> IntArray:
        """The request that each item belongs to, shape [M]."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.counts)

    def take(self, rows: IntArray) -> RaggedItems:
        """The lists of the requests ``rows``, in that order."""
        starts = self.offsets[rows]
        return self._parts(starts, self.offsets[rows + 1] - starts)  # without the counts of all others

    def latest(self, most: int) -> RaggedItems:
        """The last ``most`` items of each list."""
        counts = np.minimum(self.counts, most)
        return self._parts(self.offsets[1:] - counts, counts)

    def _parts(self, starts: IntArray, counts: IntArray) -> RaggedItems:
        """Lists that begin at ``starts`` and have ``counts`` items."""
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        place = np.arange(offsets[-1]) + np.repeat(starts - offsets[:-1], counts)

        def pick(column: npt.NDArray[Any] | None) -> npt.NDArray[Any] | None:
            return None if column is None else column[place]

        items = self.items[place].astype(np.int64, copy=False)
        return RaggedItems(offsets, items, pick(self.rating), pick(self.timestamp))

    def contain(self, items: IntArray) -> BoolArray:
        """Whether the list of each request has each of ``items`` (shape [B, C]); shape [B, C]."""
        if len(self.items) == 0:
            return np.zeros(items.shape, dtype=np.bool_)
        base = int(max(self.items.max(), items.max(initial=0))) + 1
        keys = self.rows * base + self.items
        asked = np.arange(len(self))[:, None] * base + items
        if len(self) * base <= MAX_TABLE:
            table = np.zeros(len(self) * base, dtype=np.bool_)
            table[keys] = True
            return table[asked]
        keys.sort()
        place = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
        return keys[place] == asked
