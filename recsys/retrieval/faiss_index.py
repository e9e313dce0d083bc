"""Finds items by their inner products in FAISS: nearly all of the best ones, much faster than a look at every item.

Shape suffixes: B queries, I items, D dimensions, C candidates, N items that are added.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.candidates import NO_ITEM, Candidates, in_order
from recsys.retrieval.concurrency.read_write_lock import ReadWriteLock
from recsys.retrieval.faiss_kinds.opening import read_store
from recsys.retrieval.faiss_kinds.rescoring import rescoring_vectors
from recsys.retrieval.faiss_kinds.searching import WideningSearch
from recsys.retrieval.faiss_kinds.store import VectorStore
from recsys.retrieval.faiss_kinds.training import filled_store
from recsys.retrieval.faiss_library import faiss_gpu_resources
from recsys.retrieval.index import ExactIndex
from recsys.retrieval.index_checks import check_new, check_of_catalogue, check_queries, has_vector
from recsys.retrieval.types import BoolArray, FloatArray, IntArray

#: Share of the entries that may be of removed items before the index is built again without them.
MAX_REMOVED = 0.2


class FaissIndex:
    """An index of FAISS, by inner product (:class:`recsys.retrieval.index.UpdatableIndex`).

    Made by :meth:`build` from vectors or by :meth:`load` from a file. The factory strings are those of FAISS
    (Douze et al.: The Faiss library, 2024):

    - ``Flat`` (exact), ``SQfp16``, ``SQ8``, ``PQ16``: compare with every item, at 4, 2 or 1 bytes a number or as
      product codes.
    - ``IVF1024,Flat``, ``IVF1024,SQ8``, ``IVF4096,PQ32x8``: lists of items around centroids, of which the
      ``search_effort`` (``nprobe``) nearest are searched. The centroids are means in the Euclidean sense and are chosen
      for a query by inner product: those of long vectors, popular items mostly, come first. FAISS itself trains
      directions, with which it has to look at about twice as many items for the same recall.
    - ``HNSW32``, ``HNSW32_SQ8``: a graph of neighbours, of which the ``search_effort`` (``efSearch``) best are
      followed. Malkov, Yashunin (2018).
    - ``OPQ32,...`` and ``RR32,...``: any of these after a rotation.

    A search for more than 100 candidates is broader in proportion; one for as many as there are items, or that found
    fewer than there are, looks at all of them. So a list ends early only where the catalogue does, and a
    :class:`recsys.retrieval.pipeline.Pipeline` with rules that leave little still gets its K items. Candidates are in
    descending order of their scores, equal ones by their index; which of several equal ones takes the last place is not
    said.

    Any number of threads may search at once. Updates go one by one. One that changes the index in its place waits for
    running searches and lets new ones wait until it is done, so that each sees all or nothing of it. For lists and flat
    indexes that is milliseconds; adding to a graph takes as long as building that part of it, and new searches wait for
    it. A graph cannot lose items: they are marked and left out, which costs searches as much more effort as there are
    marks; when more than a fifth is marked it is built again aside, while searches go on in the old one, with twice the
    memory.

    Args:
        store: the entries.
        num_items: I, at least 1 + the highest item of the entries.
        exact_vectors: of the items, if candidates are to be scored anew.
        rescore: how many times as many candidates are found and scored anew; None: scores are those of the index.
        gpu: whether a copy on the first GPU does the searches that can be done there: up to 2048 candidates and lists,
            no graphs, and one at a time. The copy is made anew after an update.

    Raises:
        RetrievalError: there is no GPU for it, or ``rescore`` is not positive or without ``exact_vectors``.
    """

    def __init__(
        self,
        store: VectorStore,
        num_items: int,
        exact_vectors: ExactIndex | None = None,
        rescore: int | None = None,
        gpu: bool = False,
    ) -> None:
        if rescore is not None and (rescore < 1 or exact_vectors is None):
            raise RetrievalError(
                f"rescore must be a whole number of at least 1 and needs the exact vectors, but it is {rescore} with "
                f"{'no' if exact_vectors is None else 'its'} vectors. Give both, or rescore=None."
            )
        self._search = WideningSearch(faiss_gpu_resources() if gpu else None)
        self._rescore = rescore
        self._exact_vectors = exact_vectors if rescore is not None else None
        self._store = store
        self._present: BoolArray = np.zeros(num_items, dtype=np.bool_)
        items = store.items()
        self._present[items[items >= 0]] = True
        self._num_present = int(self._present.sum())
        self._lock = ReadWriteLock()
        self._updating = threading.Lock()
        self._search.refresh(store)

    @classmethod
    def build(
        cls,
        vectors: FloatArray,
        factory: str,
        search_effort: int | None = None,
        training_vectors: int | None = None,
        construction_effort: int = 40,
        rescore: int | None = None,
        gpu: bool = False,
        seed: int = 0,
    ) -> FaissIndex:
        """Train an index with a sample of the vectors and add all of them.

        Args:
            vectors: of the items, shape [I, D], float; an item whose vector has NaN is never found. Not copied where
                they are rescored.
            factory: of FAISS, see the class.
            search_effort: lists that are searched (``nprobe``) or ``efSearch`` of a graph, for up to 100 candidates;
                None: a sixteenth of the lists, 128. Nothing for an index that compares with every item.
            training_vectors: size of the sample; None: 64 for each list and at least 2**16.
            construction_effort: ``efConstruction`` of a graph.
            rescore: see the class.
            gpu: see the class.
            seed: of the sample and of the training.

        Raises:
            RetrievalError: FAISS is missing; the factory string is not one, or not of a kind that is known; there are
                too few vectors to train it; or the arguments do not fit.
        """
        exact = ExactIndex(vectors)
        known = np.flatnonzero(exact.present)
        store = filled_store(vectors, known, factory, training_vectors, construction_effort, seed)
        built = cls(store, exact.num_items, exact, rescore, gpu)
        if search_effort is not None:
            built.search_effort = search_effort
        return built

    @classmethod
    def load(
        cls,
        path: Path,
        num_items: int,
        dim: int,
        vectors: FloatArray | None = None,
        rescore: int | None = None,
        gpu: bool = False,
    ) -> FaissIndex:
        """Read what :meth:`save` wrote.

        A bit that has turned within a vector is not noticed here; a checksum of the file notices it.

        Args:
            path: of the file.
            num_items: I, of the catalogue that it is to be of.
            dim: D, of the queries that it is to be asked.
            vectors: of the items, shape [I, D], to score candidates anew; may be mapped from a file.
            rescore: see the class.
            gpu: see the class.

        Raises:
            RetrievalError: FAISS is missing; the file is not there, damaged, or of another kind, dimension or
                catalogue; or the arguments do not fit.
        """
        store = read_store(path)
        items = store.items()
        if store.dim != dim or items.max(initial=NO_ITEM) >= num_items:
            raise RetrievalError(
                f"An index of {num_items} items with {dim} dimensions is required, but {path} has "
                f"{1 + int(items.max(initial=NO_ITEM))} items with {store.dim} dimensions. Build it again from the "
                "vectors that it belongs to."
            )
        exact = None if vectors is None else rescoring_vectors(vectors, items, num_items, dim)
        return cls(store, num_items, exact, rescore, gpu)

    @property
    def exact(self) -> bool:
        """Whether the best items are found for certain: those of ``Flat`` are."""
        return self._store.exact

    @property
    def num_items(self) -> int:
        """I."""
        return len(self._present)

    @property
    def num_present(self) -> int:
        """The items that can be found."""
        return self._num_present

    @property
    def dim(self) -> int:
        """D."""
        return self._store.dim

    @property
    def search_effort_name(self) -> str | None:
        """What FAISS calls the effort of a search: ``nprobe``, ``efSearch``, or None where there is none."""
        return self._store.search_effort_name

    @property
    def max_search_effort(self) -> int:
        """The largest effort that means anything: the lists, or the entries of a graph; 1 where there is none."""
        return self._store.max_search_effort

    @property
    def search_effort(self) -> int:
        """Lists or neighbours that are searched for up to 100 candidates. Saved with the index."""
        return self._store.search_effort

    @search_effort.setter
    def search_effort(self, value: int) -> None:
        if not 1 <= value <= max(1, self._store.max_search_effort):
            raise RetrievalError(
                f"The search effort of this index must be from 1 to {self._store.max_search_effort}, but it is {value}."
            )
        self._store.search_effort = value

    def search(self, queries: FloatArray, num_candidates: int) -> Candidates:
        """See :meth:`recsys.retrieval.index.CandidateIndex.search`.

        Raises:
            RetrievalError: the queries have another number of dimensions than the items.
        """
        check_queries(queries, self.dim)
        unknown: BoolArray = ~np.asarray(np.isfinite(queries).all(axis=1))
        vectors = np.ascontiguousarray(np.where(unknown[:, None], 0, queries), dtype=np.float32)
        with self._lock.reading():
            width = min(num_candidates, self._num_present)
            if width == 0 or len(queries) == 0:
                return Candidates.empty(len(queries), num_candidates)
            if self._exact_vectors is None or self._rescore is None:
                items, scores = self._search.search(self._store, vectors, width, self._num_present)
            else:
                more = min(self._rescore * width, self._num_present)
                items, _ = self._search.search(self._store, vectors, more, self._num_present)
                scores = self._exact_vectors.score(vectors, items)
        items[unknown] = NO_ITEM
        scores[items == NO_ITEM] = -np.inf
        order = np.lexsort((items, -scores), axis=1)[:, :width]
        return Candidates(in_order(items, order), in_order(scores, order)).padded(num_candidates)

    def add(self, items: IntArray, vectors: FloatArray) -> None:
        """See :meth:`recsys.retrieval.index.UpdatableIndex.add`. The index is not trained again."""
        with self._updating:
            check_new(items, vectors, self._present, self.dim)
            known = has_vector(vectors)
            entries = np.ascontiguousarray(vectors[known], dtype=np.float32)
            present = np.pad(self._present, (0, max(0, 1 + int(items.max(initial=-1)) - self.num_items)))
            present[items[known]] = True
            with self._lock.writing():
                if self._exact_vectors is not None:
                    self._exact_vectors.add(items, vectors)
                self._store.add(items[known], entries)
                self._set_present(present)

    def remove(self, items: IntArray) -> None:
        """See :meth:`recsys.retrieval.index.UpdatableIndex.remove`."""
        with self._updating:
            check_of_catalogue(items, self.num_items)
            present = self._present.copy()
            present[items] = False
            with self._lock.writing():
                if self._exact_vectors is not None:
                    self._exact_vectors.remove(items)
                self._store.remove(items)
                self._set_present(present)
            if self._store.removed_share > MAX_REMOVED:
                rebuilt = self._store.rebuilt()
                with self._lock.writing():
                    self._store = rebuilt

    def save(self, path: Path) -> None:
        """Write the index to a file of FAISS, with its items and search effort and without vectors for scoring anew.

        The file is complete or not there.
        """
        temporary = path.with_name(path.name + ".part")
        with self._updating:
            self._store.write(temporary)
        os.replace(temporary, path)

    def _set_present(self, present: BoolArray) -> None:
        self._present = present
        self._num_present = int(present.sum())
        self._search.refresh(self._store)
