"""Finds the items whose vectors have the largest inner products with a query.

Shape suffixes: B queries, I items, D dimensions, C candidates.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.arrays import BoolArray, FloatArray
from recsys.retrieval.candidates import Candidates
from recsys.retrieval.top_k import top_k

#: Products held at once: 2**22 float32 are 16 MiB.
MAX_PRODUCTS = 2**22


@runtime_checkable
class CandidateIndex(Protocol):
    """An index of item vectors."""

    @property
    def exact(self) -> bool:
        """Whether the best items are found for certain."""
        ...

    @property
    def num_items(self) -> int:
        """I, the size of the catalogue."""
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


class ExactIndex:
    """Compares a query with every item. Ties go to the lower item index.

    Takes ``2 * B * I * D`` floating-point operations; products are held for a block of queries at once.

    Args:
        vectors: of the items, shape [I, D], float; an item whose vector has NaN is never found.

    Raises:
        RetrievalError: ``vectors`` are no matrix.
    """

    exact = True

    def __init__(self, vectors: FloatArray) -> None:
        if vectors.ndim != 2:
            raise RetrievalError(
                f"An index needs vectors of shape [items, dimensions], but they have the shape {list(vectors.shape)}."
            )
        self._unknown: BoolArray = np.asarray(np.isnan(vectors).any(axis=1))
        self._vectors = np.where(self._unknown[:, None], 0, vectors).astype(np.float32)

    @property
    def num_items(self) -> int:
        """I."""
        return len(self._vectors)

    def search(self, queries: FloatArray, num_candidates: int) -> Candidates:
        """See :meth:`CandidateIndex.search`.

        Raises:
            RetrievalError: the queries have another number of dimensions than the items.
        """
        if queries.ndim != 2 or queries.shape[1] != self._vectors.shape[1]:
            raise RetrievalError(
                f"Queries of shape [queries, {self._vectors.shape[1]}] are required, but they have the shape "
                f"{list(queries.shape)}. Encode users and items with the same model."
            )
        size = max(1, MAX_PRODUCTS // max(1, self.num_items))
        parts = [self._search(queries[start : start + size], num_candidates) for start in range(0, len(queries), size)]
        if not parts:
            return Candidates.empty(0, num_candidates)
        return Candidates(
            np.concatenate([part.items for part in parts]), np.concatenate([part.scores for part in parts])
        )

    def _search(self, queries: FloatArray, num_candidates: int) -> Candidates:
        unknown: BoolArray = np.asarray(np.isnan(queries).any(axis=1))
        products = np.where(unknown[:, None], 0, queries).astype(np.float32) @ self._vectors.T
        products[unknown] = -np.inf
        products[:, self._unknown] = -np.inf
        return top_k(products, num_candidates)
