"""Groups of interactions of the same user with the same item.

Shape suffixes: N interactions, M interactions of pairs that repeat.
"""

from __future__ import annotations

import numpy as np

from recsys.data.interactions import IntArray, Interactions


def pair_keys(interactions: Interactions) -> IntArray:
    """Equal for interactions of the same user, item and fold, shape [N]."""
    keys = interactions.pairs
    if interactions.fold is not None:
        keys *= np.int64(interactions.fold.max(initial=0)) + 1
        keys += interactions.fold
    return keys


def distinct_sorted(values: IntArray) -> IntArray:
    """The distinct values in ascending order, by sorting: NumPy's hashing takes ten times as long where many differ."""
    ordered = np.sort(values)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]


def num_distinct(keys: IntArray) -> int:
    """How many different keys there are."""
    ordered = np.sort(keys)
    return len(ordered) - int((ordered[1:] == ordered[:-1]).sum())


def rows_of_repeated(keys: IntArray) -> IntArray:
    """Rows whose key occurs more than once, in their order.

    Sorting the keys alone takes a fraction of the time and memory of sorting the rows, and most data have few
    repetitions or none.
    """
    ordered = np.sort(keys)
    repeated = distinct_sorted(ordered[1:][ordered[1:] == ordered[:-1]])
    if len(repeated) == 0:
        return np.empty(0, dtype=np.int64)
    position = np.minimum(np.searchsorted(repeated, keys), len(repeated) - 1)
    return np.flatnonzero(repeated[position] == keys)


def order_by_key_and_time(interactions: Interactions, keys: IntArray, rows: IntArray) -> IntArray:
    """The order of ``rows`` (shape [M]) by key, then time, then row."""
    moments = interactions.moments
    if moments is None:
        return np.argsort(keys[rows], kind="stable")
    return np.lexsort((moments[rows], keys[rows]))


def group_starts(ordered: IntArray) -> tuple[IntArray, IntArray]:
    """The group of each of some ordered keys, shape [M], and where each group starts."""
    is_first = np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]
    return np.cumsum(is_first) - 1, np.flatnonzero(is_first)
