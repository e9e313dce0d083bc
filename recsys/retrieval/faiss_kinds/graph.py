"""Entries in a graph of neighbours (HNSW). Shape suffixes: B queries, D dimensions, N entries."""

from __future__ import annotations

import numpy as np

from recsys.retrieval.candidates import NO_ITEM
from recsys.retrieval.faiss_kinds.store import VectorStore
from recsys.retrieval.faiss_kinds.wrapped_index import WrappedIndex, items_of_entries
from recsys.retrieval.types import BoolArray, FloatArray, IntArray

#: A graph that is to be searched for more than this share of its entries is left aside and all entries are compared:
#: following the graph compares with several neighbours of each, which lie apart in memory.
MAX_FOLLOWED = 1 / 16

#: ``efSearch``, if nothing is said; FAISS's own 16 is meant for a handful of neighbours.
DEFAULT_EF_SEARCH = 128


class GraphStore(VectorStore):
    """Entries in a graph of neighbours (HNSW). Those of removed items stay in it and lead to others.

    Args:
        index: the index.
        items: of its entries, shape [N]; -1 for one that is removed.
    """

    search_effort_name = "efSearch"

    def __init__(self, index: WrappedIndex, items: IntArray) -> None:
        super().__init__(index, items)
        self._storage = index.faiss.downcast_index(index.inner.storage)
        self._set_items(items)
        if index.inner.ntotal == 0:
            self.search_effort = DEFAULT_EF_SEARCH

    @property
    def search_effort(self) -> int:
        """See :class:`VectorStore`."""
        return self._index.inner.hnsw.efSearch

    @search_effort.setter
    def search_effort(self, value: int) -> None:
        self._index.inner.hnsw.efSearch = value

    @property
    def max_search_effort(self) -> int:
        """See :class:`VectorStore`."""
        return len(self._items)

    @property
    def removed_share(self) -> float:
        """See :class:`VectorStore`."""
        return self._num_removed / max(1, len(self._items))

    def add(self, items: IntArray, vectors: FloatArray) -> None:
        """See :meth:`VectorStore.add`."""
        self._index.inner.add(self._index.rotated(vectors))
        self._set_items(np.concatenate([self._items, items]))

    def remove(self, items: IntArray) -> None:
        """See :meth:`VectorStore.remove`."""
        self._set_items(np.where(np.isin(self._items, items), NO_ITEM, self._items))

    def rebuilt(self) -> GraphStore:
        """See :meth:`VectorStore.rebuilt`."""
        self._index.counted()
        copy = WrappedIndex(self._index.faiss.clone_index(self._index.whole))
        copy.inner.reset()
        left = self._items >= 0
        copy.inner.add(self._storage.reconstruct_n(0, len(self._items))[left])
        built = GraphStore(copy, self._items[left])
        built.search_effort = self.search_effort
        return built

    def search(self, queries: FloatArray, width: int, search_effort: int) -> tuple[IntArray, FloatArray]:
        """See :meth:`VectorStore.search`."""
        faiss, rotated = self._index.faiss, self._index.rotated(queries)
        left = faiss.IDSelectorBitmap(self._left) if self._num_removed else None
        search_effort = int(search_effort / (1 - self.removed_share))  # removed entries take their places in the search
        if max(width, search_effort) > MAX_FOLLOWED * len(self._items):
            scores, entries = self._storage.search(rotated, width, params=faiss.SearchParameters(sel=left))
        else:
            parameters = faiss.SearchParametersHNSW(efSearch=search_effort, sel=left)
            scores, entries = self._index.inner.search(rotated, width, params=parameters)
        return items_of_entries(self._items, entries), scores

    def _set_items(self, items: IntArray) -> None:
        left: BoolArray = items >= 0
        self._items = items
        self._num_removed = int(len(left) - left.sum())
        self._left = np.packbits(left, bitorder="little")
