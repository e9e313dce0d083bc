"""Held-out interactions of items that their user had before."""

from __future__ import annotations

import numpy as np

from recsys.data.interactions import IntArray, Interactions
from recsys.data.split import Split


def rows_seen_before(interactions: Interactions, rows: IntArray, start: int | IntArray) -> IntArray:
    """Those of ``rows`` that stand for repeated interactions, of which the first was before ``start``.

    Args:
        interactions: with ``first_timestamp`` where any of them stands for several.
        rows: held-out rows, int64.
        start: when what is held out starts, in seconds; one for all or one for each of ``rows``.
    """
    if interactions.first_timestamp is None:
        return rows[:0]
    return rows[interactions.first_timestamp[rows] < start]


def seen_before_by_user(interactions: Interactions, split: Split) -> IntArray:
    """Held-out rows whose item the user had before the first held-out interaction of the same part."""
    if interactions.timestamp is None or interactions.first_timestamp is None:
        return split.test[:0]
    found = []
    for rows in (split.valid, split.test):
        users = interactions.user_index[rows]
        start = np.full(interactions.num_users, np.iinfo(np.int64).max)
        np.minimum.at(start, users, interactions.timestamp[rows])
        found.append(rows_seen_before(interactions, rows, start[users]))
    return np.concatenate(found)
