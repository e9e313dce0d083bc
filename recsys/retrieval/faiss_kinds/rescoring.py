"""The exact vectors by which the candidates of an index are scored anew.

Shape suffixes: I items, D dimensions, N entries.
"""

from __future__ import annotations

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.index import ExactIndex
from recsys.retrieval.types import FloatArray, IntArray


def rescoring_vectors(vectors: FloatArray, items: IntArray, num_items: int, dim: int) -> ExactIndex:
    """The exact vectors of the items of an index, to score candidates anew.

    Args:
        vectors: of the catalogue, shape [I, D].
        items: of the entries of the index, shape [N]; -1 for one that is removed.
        num_items: I.
        dim: D.

    Raises:
        RetrievalError: they are of another catalogue or dimension, or lack an item of the index.
    """
    exact = ExactIndex(vectors)
    if (exact.num_items, exact.dim) != (num_items, dim):
        raise RetrievalError(
            f"Vectors of {num_items} items with {dim} dimensions are required to score candidates anew, but these "
            f"are {exact.num_items} with {exact.dim}."
        )
    there = np.zeros(num_items, dtype=np.bool_)
    there[items[items >= 0]] = True
    if (there & ~exact.present).any():
        raise RetrievalError(
            f"A vector of each item of the index is required to score candidates anew, but "
            f"{int((there & ~exact.present).sum())} have none. Give the vectors that it was built from."
        )
    exact.remove(np.flatnonzero(exact.present & ~there))  # they may come back
    return exact
