"""Finds the items whose vectors have the largest inner products with a query.

Shape suffixes: B queries, I items, D dimensions, C candidates.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.candidates import NO_ITEM, Candidates
from recsys.retrieval.index_checks import check_new, check_of_catalogue, check_queries, has_vector
from recsys.retrieval.top_k import top_k
from recsys.retrieval.types import BoolArray, FloatArray, IntArray

#: Products held at once: 2**22 float32 are 16 MiB.
MAX_PRODUCTS = 2**22

#: Queries that are compared at once with a part of a large catalogue, so that its vectors are read once for all.
MIN_QUERIES = 64

#: How much larger the table of an exact index is made than it must be when items are added, so that not every addition
#: copies it.
GROWTH = 1.25


@runtime_checkable
class CandidateIndex(Protocol):
    """An index of item vectors."""

    @property
    def exact(self) -> bool:
        """Whether the best items are found for certain."""
        ...

    @property
    def num_items(self) -> int:
        """I, the size of the catalogue: 1 + the highest item index that was ever in it.

        Items that were removed, or never had a vector, are counted; they are never found.
        """
        ...

    def search(self, queries: FloatArray, num_candidates: int) -> Candidates:
        """The ``num_candidates`` best items for each query.

        One that is not exact should search wider when more is asked for, so that a pipeline which asks again for more
        comes to the whole catalogue.

        Args:
            queries: shape [B, D]; a row with NaN finds nothing.
            num_candidates: C, at least 1; may exceed the catalogue.

        Returns:
            Candidates of width C.
        """
        ...


@runtime_checkable
class UpdatableIndex(CandidateIndex, Protocol):
    """An index that items come into and leave without its being built again.

    A search that runs at the same time sees all of an update or nothing of it.
    """

    def add(self, items: IntArray, vectors: FloatArray) -> None:
        """Add items.

        An index belongs to one item for good: a removed item may come back, with another vector, but its index is
        given to no other item.

        Args:
            items: internal item indices that are not in the index, shape [N], int64, distinct; they may lie beyond the
                catalogue, which grows.
            vectors: theirs, shape [N, D], float; an item whose vector has NaN is never found.

        Raises:
            RetrievalError: an item is in the index already or twice among the new ones, or the shapes do not fit.
        """
        ...

    def remove(self, items: IntArray) -> None:
        """Remove items. Those that are not there stay away.

        Args:
            items: internal item indices of the catalogue, shape [N], int64.

        Raises:
            RetrievalError: an index is not of the catalogue.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """What an exact index holds at one time.

    Args:
        vectors: shape [I, D], float32, without NaN.
        present: whether each item can be found, shape [I].
        absent: the items that cannot, in ascending order.
    """

    vectors: FloatArray
    present: BoolArray
    absent: IntArray

    @classmethod
    def of(cls, vectors: FloatArray, present: BoolArray) -> _Table:
        return cls(vectors, present, np.flatnonzero(~present))


class ExactIndex:
    """Compares a query with every item. Ties go to the lower item index.

    Takes ``2 * B * I * D`` floating-point operations; products are held for a block of queries at once.

    Items can be added and removed (:class:`UpdatableIndex`): an update makes a new table and puts it in the place of
    the old one, which running searches keep, so that no search waits. Removing copies one byte an item. Adding beyond
    the catalogue writes the new rows only, into room that is kept for them; every now and then, and where an item comes
    back, it copies the vectors.

    Args:
        vectors: of the items, shape [I, D], float; an item whose vector has NaN is never found. They are not copied if
            they are float32 without NaN, and then must not be changed.

    Raises:
        RetrievalError: ``vectors`` are no matrix.
    """

    exact = True

    def __init__(self, vectors: FloatArray) -> None:
        if vectors.ndim != 2:
            raise RetrievalError(
                f"An index needs vectors of shape [items, dimensions], but they have the shape {list(vectors.shape)}."
            )
        present = has_vector(vectors)
        known = vectors if present.all() else np.where(present[:, None], vectors, 0)
        self._table = _Table.of(np.asarray(known, dtype=np.float32), present)
        self._room = self._table.vectors  # the table lies at its beginning
        self._updating = threading.Lock()

    @property
    def num_items(self) -> int:
        """I."""
        return len(self._table.present)

    @property
    def dim(self) -> int:
        """D."""
        return self._table.vectors.shape[1]

    @property
    def present(self) -> BoolArray:
        """Whether each item can be found, shape [I]."""
        return self._table.present

    def search(self, queries: FloatArray, num_candidates: int) -> Candidates:
        """See :meth:`CandidateIndex.search`.

        Raises:
            RetrievalError: the queries have another number of dimensions than the items.
        """
        table = self._table
        check_queries(queries, self.dim)
        size = max(MIN_QUERIES, MAX_PRODUCTS // max(1, len(table.present)))
        parts = [
            _search(table, queries[start : start + size], num_candidates) for start in range(0, len(queries), size)
        ]
        if not parts:
            return Candidates.empty(0, num_candidates)
        return Candidates(
            np.concatenate([part.items for part in parts]), np.concatenate([part.scores for part in parts])
        )

    def score(self, queries: FloatArray, items: IntArray) -> FloatArray:
        """The inner products of queries with items of their own.

        Args:
            queries: shape [B, D].
            items: internal item indices, shape [B, C], int64; -1 where there is none.

        Returns:
            Shape [B, C], float32; minus infinity where there is no item, the item cannot be found, or the query has
            NaN.

        Raises:
            RetrievalError: the queries have another number of dimensions than the items.
        """
        table = self._table
        check_queries(queries, self.dim)
        scores = np.full(items.shape, -np.inf, dtype=np.float32)
        size = max(1, MAX_PRODUCTS // max(1, items.shape[1] * self.dim))
        for start in range(0, len(items), size):
            block = slice(start, start + size)
            index = np.maximum(items[block], 0)
            products = np.einsum("bd,bcd->bc", queries[block].astype(np.float32), table.vectors[index])
            usable = (items[block] >= 0) & table.present[index] & ~np.isnan(products)
            scores[block][usable] = products[usable]
        return scores

    def add(self, items: IntArray, vectors: FloatArray) -> None:
        """See :meth:`UpdatableIndex.add`."""
        with self._updating:
            table = self._table
            check_new(items, vectors, table.present, self.dim)
            num_items = max(len(table.present), 1 + int(items.max(initial=-1)))
            if num_items > len(self._room) or items.min(initial=num_items) < len(table.present):
                # searches are in rows that would be written, or there is no room
                self._room = np.zeros((max(num_items, int(GROWTH * len(table.present))), self.dim), dtype=np.float32)
                self._room[: len(table.present)] = table.vectors
            present = np.pad(table.present, (0, num_items - len(table.present)))
            known = has_vector(vectors)
            present[items] = known
            self._room[items[known]] = vectors[known]
            self._table = _Table.of(self._room[:num_items], present)

    def remove(self, items: IntArray) -> None:
        """See :meth:`UpdatableIndex.remove`."""
        with self._updating:
            table = self._table
            check_of_catalogue(items, len(table.present))
            present = table.present.copy()
            present[items] = False
            self._table = _Table.of(table.vectors, present)


def _search(table: _Table, queries: FloatArray, num_candidates: int) -> Candidates:
    """The best items of a block of queries, part of the catalogue by part."""
    unknown: BoolArray = np.asarray(np.isnan(queries).any(axis=1))
    known = np.where(unknown[:, None], 0, queries).astype(np.float32)
    size = max(1, MAX_PRODUCTS // len(queries))
    best = Candidates.empty(len(queries), 0)
    for start in range(0, len(table.present), size):
        vectors = table.vectors[start : start + size]
        products = known @ vectors.T
        products[unknown] = -np.inf
        absent = table.absent[slice(*np.searchsorted(table.absent, [start, start + len(vectors)]))]
        if len(absent) > 0:
            products[:, absent - start] = -np.inf
        found = top_k(products, min(num_candidates, len(vectors)))
        if start == 0:
            best = found
            continue
        both = Candidates(
            np.concatenate([best.items, np.where(found.present, found.items + start, NO_ITEM)], axis=1),
            np.concatenate([best.scores, found.scores], axis=1),
        )
        # what was found before has the lower indices, and top_k prefers the first of equal scores
        best = both.at(top_k(both.scores, min(num_candidates, both.width)).items)
    return best.padded(num_candidates)
