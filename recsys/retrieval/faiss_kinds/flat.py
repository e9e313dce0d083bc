"""Entries that a query is compared with one by one. Shape suffixes: B queries, D dimensions, N entries."""

from __future__ import annotations

import numpy as np

from recsys.retrieval.faiss_kinds.store import VectorStore
from recsys.retrieval.faiss_kinds.wrapped_index import items_of_entries
from recsys.retrieval.types import FloatArray, IntArray


class FlatStore(VectorStore):
    """Entries that a query is compared with one by one: ``Flat``, ``SQ8``, ``PQ16``, ..."""

    search_effort = 1
    max_search_effort = 1

    @property
    def exact(self) -> bool:
        """See :class:`VectorStore`."""
        return isinstance(self._index.inner, self._index.faiss.IndexFlat) and not self._index.rotations

    def add(self, items: IntArray, vectors: FloatArray) -> None:
        """See :meth:`VectorStore.add`."""
        self._index.inner.add(self._index.rotated(vectors))
        self._items = np.concatenate([self._items, items])

    def remove(self, items: IntArray) -> None:
        """See :meth:`VectorStore.remove`."""
        gone = np.flatnonzero(np.isin(self._items, items))
        if len(gone) > 0:
            self._index.inner.remove_ids(gone)  # the others move up, in their order
            self._items = np.delete(self._items, gone)

    def search(self, queries: FloatArray, width: int, search_effort: int) -> tuple[IntArray, FloatArray]:
        """See :meth:`VectorStore.search`."""
        scores, entries = self._index.inner.search(self._index.rotated(queries), width)
        return items_of_entries(self._items, entries), scores
