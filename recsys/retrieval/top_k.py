"""The k best items of each row of scores in NumPy: exact, with one answer for ties.

Shape suffixes: B rows, I items, K list length.
"""

from __future__ import annotations

import numpy as np

from recsys.retrieval.candidates import NO_ITEM, Candidates
from recsys.retrieval.types import FloatArray


def top_k(scores: FloatArray, k: int) -> Candidates:
    """The ``k`` best items of each row, best first; between equal scores the lower index comes first.

    NaN (unscored) and minus infinity are never candidates. A row that has fewer than ``k`` others is filled up.

    Args:
        scores: shape [B, I], float; not changed.
        k: list length, at least 1; may exceed I.

    Returns:
        Candidates of width k.

    Example:
        >>> top_k(np.array([[1.0, 2.0, 1.0, 2.0]]), 3).items
        array([[1, 3, 0]])
    """
    num_rows, num_items = scores.shape
    scores = np.fmax(scores, -np.inf)  # of NaN and a number, the number
    if k < num_items:
        last = np.partition(scores, num_items - k, axis=1)[:, num_items - k, None]
        chosen = scores >= last
        if np.count_nonzero(chosen) > num_rows * k:
            # Of the items that share the last place the first ones get what is left of it.
            above, tied = scores > last, scores == last
            chosen = above | (tied & (np.cumsum(tied, axis=1) <= k - above.sum(axis=1, keepdims=True)))
        items = (np.flatnonzero(chosen) % num_items).reshape(num_rows, k)
        scores = np.take_along_axis(scores, items, axis=1)
    else:
        items = np.broadcast_to(np.arange(num_items), scores.shape)
    # The items stand in the order of their indices, and a stable sort leaves equal scores in it.
    order = np.argsort(-scores, axis=1, kind="stable")
    best = np.take_along_axis(scores, order, axis=1)
    found = np.where(best > -np.inf, np.take_along_axis(items, order, axis=1), NO_ITEM)
    return Candidates(found.astype(np.int64, copy=False), best).padded(k)
