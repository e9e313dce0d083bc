"""What an index requires of its vectors, its queries and its updates.

Shape suffixes: I items, N items that are added, D dimensions.
"""

from __future__ import annotations

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.types import BoolArray, FloatArray, IntArray

#: Numbers of vectors that are looked at once for NaN.
MAX_NUMBERS = 2**22


def has_vector(vectors: FloatArray) -> BoolArray:
    """Whether each row of ``vectors`` (shape [I, D]) is free of NaN, shape [I]."""
    size = max(1, MAX_NUMBERS // max(1, vectors.shape[1]))
    present = np.ones(len(vectors), dtype=np.bool_)
    for start in range(0, len(vectors), size):
        present[start : start + size] = ~np.isnan(vectors[start : start + size]).any(axis=1)
    return present


def check_queries(queries: FloatArray, dim: int) -> None:
    """Require queries of the dimensions that the items have.

    Raises:
        RetrievalError: they have others, or are no matrix.
    """
    if queries.ndim != 2 or queries.shape[1] != dim:
        raise RetrievalError(
            f"Queries of shape [queries, {dim}] are required, but they have the shape {list(queries.shape)}. Encode "
            "users and items with the same model."
        )


def check_new(items: IntArray, vectors: FloatArray, present: BoolArray, dim: int) -> None:
    """Require items that can be added, see :meth:`recsys.retrieval.index.UpdatableIndex.add`.

    Args:
        items: shape [N].
        vectors: shape [N, D].
        present: whether each item of the catalogue is in the index, shape [I].
        dim: D.

    Raises:
        RetrievalError: they cannot.
    """
    if items.ndim != 1 or not np.issubdtype(items.dtype, np.integer) or items.min(initial=0) < 0:
        raise RetrievalError(
            f"Items are added by a list of their indices, whole numbers from 0 on, but it is {_shown(items)}."
        )
    if vectors.shape != (len(items), dim):
        raise RetrievalError(
            f"Vectors of shape [{len(items)}, {dim}] are required for {len(items)} new items, but they have the shape "
            f"{list(vectors.shape)}. Encode them with the model of the others."
        )
    distinct, counts = np.unique(items, return_counts=True)
    if len(distinct) < len(items):
        raise RetrievalError(
            f"New items must be distinct, but these come more than once: {_shown(distinct[counts > 1])}."
        )
    known = distinct[distinct < len(present)]
    there = known[present[known]]
    if len(there) > 0:
        raise RetrievalError(
            f"Items that are not in the index are required, but these are: {_shown(there)}. Remove them first to give "
            "them other vectors."
        )


def check_of_catalogue(items: IntArray, num_items: int) -> None:
    """Require items of the catalogue.

    Raises:
        RetrievalError: some are not.
    """
    if items.ndim != 1 or not np.issubdtype(items.dtype, np.integer):
        raise RetrievalError(f"Items are removed by a list of their indices, but it is {_shown(items)}.")
    beyond = items[(items < 0) | (items >= num_items)]
    if len(beyond) > 0:
        raise RetrievalError(f"Items from 0 to {num_items - 1} are required, but these came: {_shown(beyond)}.")


def _shown(values: IntArray) -> str:
    """The first few values."""
    text = ", ".join(map(str, values.ravel()[:10].tolist()))
    return f"{text}, ..." if values.size > 10 else text
