"""How widely an index of FAISS is searched, and where. Shape suffixes: B queries, D dimensions, C candidates."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from recsys.retrieval.faiss_kinds.gpu_copy import GpuCopy
from recsys.retrieval.faiss_kinds.store import VectorStore
from recsys.retrieval.types import FloatArray, IntArray

#: Candidates that ``search_effort`` is meant for. A search for more is wider, in proportion.
TUNED_AT = 100

#: The most candidates and lists that FAISS searches on a GPU.
MAX_ON_GPU = 2048


class WideningSearch:
    """Searches entries, and again with more effort where it found too little.

    Args:
        resources: of FAISS on the GPU that is to search; None: the CPU searches.
    """

    def __init__(self, resources: Any | None) -> None:
        self._resources = resources
        self._gpu: GpuCopy | None = None
        self._on_gpu = threading.Lock()

    def refresh(self, store: VectorStore) -> None:
        """Copy the entries to the GPU, if one searches; to be called when they have changed.

        Raises:
            RetrievalError: FAISS cannot search this kind there.
        """
        self._gpu = None
        if self._resources is not None:
            self._gpu = store.on_gpu(self._resources)

    def search(
        self, store: VectorStore, queries: FloatArray, width: int, num_present: int
    ) -> tuple[IntArray, FloatArray]:
        """The ``width`` best items of each query.

        Args:
            store: the entries.
            queries: shape [B, D], float32, finite.
            width: C, at most ``num_present``.
            num_present: the items that can be found.

        Returns:
            Items and scores, shapes [B, C], in no certain order; -1 where there is none.
        """
        everything = width >= num_present
        effort = store.max_search_effort if everything else -(-store.search_effort * width // TUNED_AT)
        effort = min(max(effort, store.search_effort), store.max_search_effort)
        if self._gpu is not None and max(width, effort) <= MAX_ON_GPU:
            with self._on_gpu:
                items, scores = self._gpu.search(queries, width, effort)
        else:
            items, scores = store.search(queries, width, effort)
        short = np.flatnonzero((items < 0).any(axis=1))
        while len(short) > 0 and effort < store.max_search_effort:
            effort = min(4 * effort, store.max_search_effort)
            items[short], scores[short] = store.search(queries[short], width, effort)
            short = short[(items[short] < 0).any(axis=1)]
        return items, scores
