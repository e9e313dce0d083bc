"""Entries in lists around centroids (IVF). Shape suffixes: B queries, D dimensions, N entries."""

from __future__ import annotations

import numpy as np

from recsys.retrieval.faiss_kinds.store import VectorStore
from recsys.retrieval.faiss_kinds.wrapped_index import WrappedIndex
from recsys.retrieval.types import FloatArray, IntArray

#: The lists that are searched, if nothing is said: a part of all.
DEFAULT_SEARCHED_SHARE = 1 / 16


class ListStore(VectorStore):
    """Entries in lists around centroids (IVF), whose numbers are the items themselves.

    FAISS asks one index of the centroids for both, the list of an entry and the lists of a query. By inner product long
    centroids would draw all entries to them, and FAISS makes all as long as one. Here an entry goes to the centroid
    that is nearest by Euclidean distance, and only a query asks by inner product.

    Args:
        index: the index.
    """

    search_effort_name = "nprobe"

    def __init__(self, index: WrappedIndex) -> None:
        super().__init__(index, np.zeros(0, dtype=np.int64))
        faiss, lists = index.faiss, index.inner
        self.num_lists = lists.nlist
        self._by_product = faiss.downcast_index(lists.quantizer)
        self._by_distance = faiss.IndexFlatL2(lists.d)
        if lists.is_trained:
            self._by_distance.add(self._by_product.reconstruct_n(0, self._by_product.ntotal))
        if not lists.is_trained:
            self.search_effort = max(1, int(DEFAULT_SEARCHED_SHARE * self.num_lists))

    @property
    def search_effort(self) -> int:
        """See :class:`VectorStore`."""
        return self._index.inner.nprobe

    @search_effort.setter
    def search_effort(self, value: int) -> None:
        self._index.inner.nprobe = value

    @property
    def max_search_effort(self) -> int:
        """See :class:`VectorStore`."""
        return self.num_lists

    def items(self) -> IntArray:
        """See :meth:`VectorStore.items`."""
        lists, view = self._index.inner.invlists, self._index.faiss.rev_swig_ptr
        sizes = [lists.list_size(number) for number in range(self.num_lists)]
        # an empty list may have no array
        parts = [view(lists.get_ids(number), size).copy() for number, size in enumerate(sizes) if size > 0]
        return np.concatenate([np.zeros(0, dtype=np.int64), *parts])

    def train(self, vectors: FloatArray) -> None:
        """See :meth:`VectorStore.train`."""
        faiss, lists = self._index.faiss, self._index.inner
        rotated = self._index.train_rotations(vectors)
        clustering = faiss.Clustering(lists.d, lists.nlist, lists.cp)
        clustering.spherical = False
        clustering.train(rotated, self._by_distance)
        centroids = self._by_distance.reconstruct_n(0, lists.nlist)
        self._by_product.reset()
        self._by_product.add(centroids)
        size = max(1, lists.train_encoder_num_vectors())
        places = np.linspace(0, len(rotated) - 1, min(len(rotated), size)).astype(np.int64)
        sample = rotated[places]
        nearest = self._nearest(sample)
        learnt = np.ascontiguousarray(sample - centroids[nearest] if lists.by_residual else sample)
        lists.train_encoder(len(learnt), faiss.swig_ptr(learnt), faiss.swig_ptr(nearest))
        lists.is_trained = True
        self._index.train(vectors)  # which has only to note that all is trained

    def add(self, items: IntArray, vectors: FloatArray) -> None:
        """See :meth:`VectorStore.add`."""
        faiss, lists = self._index.faiss, self._index.inner
        entries, numbers = self._index.rotated(vectors), np.ascontiguousarray(items, dtype=np.int64)
        if len(items) > 0:
            nearest = self._nearest(entries)
            lists.add_core(len(items), *map(faiss.swig_ptr, (entries, numbers, nearest)))

    def _nearest(self, vectors: FloatArray) -> IntArray:
        """The list of each of ``vectors`` (shape [N, D]), shape [N]."""
        return np.ascontiguousarray(self._by_distance.search(vectors, 1)[1][:, 0])

    def remove(self, items: IntArray) -> None:
        """See :meth:`VectorStore.remove`."""
        self._index.inner.remove_ids(np.ascontiguousarray(items, dtype=np.int64))

    def search(self, queries: FloatArray, width: int, search_effort: int) -> tuple[IntArray, FloatArray]:
        """See :meth:`VectorStore.search`."""
        parameters = self._index.faiss.SearchParametersIVF(nprobe=search_effort)
        scores, items = self._index.inner.search(self._index.rotated(queries), width, params=parameters)
        return items, scores
