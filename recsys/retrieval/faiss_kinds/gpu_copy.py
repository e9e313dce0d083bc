"""A search on a GPU. Shape suffixes: B queries, D dimensions, C candidates, N entries."""

from __future__ import annotations

from typing import Any

from recsys.retrieval.faiss_kinds.wrapped_index import WrappedIndex, items_of_entries
from recsys.retrieval.types import FloatArray, IntArray


class GpuCopy:
    """A copy of flat entries or lists on a GPU.

    Args:
        index: what is copied.
        resources: of FAISS on the GPU.
        items: of the entries, shape [N]; not looked at where the index numbers them by their items.

    Raises:
        RetrievalError: FAISS cannot search this kind on a GPU.
    """

    def __init__(self, index: WrappedIndex, resources: Any, items: IntArray) -> None:
        self._index = index
        self._copy = index.inner_on_gpu(resources)
        self._items = items

    def search(self, queries: FloatArray, width: int, search_effort: int) -> tuple[IntArray, FloatArray]:
        """See :meth:`recsys.retrieval.faiss_kinds.store.VectorStore.search`."""
        rotated = self._index.rotated(queries)
        if self._index.has_item_table:
            scores, entries = self._copy.search(rotated, width, params=None)
            return items_of_entries(self._items, entries), scores
        parameters = self._index.faiss.SearchParametersIVF(nprobe=search_effort)
        scores, items = self._copy.search(rotated, width, params=parameters)
        return items, scores
