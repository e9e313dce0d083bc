"""Interactions to split: written down by hand, drawn by Hypothesis, or random but fixed."""

from collections.abc import Sequence

import numpy as np
from hypothesis import strategies as st

from recsys.data.interactions import Interactions


def make(
    users: Sequence[int],
    items: Sequence[int] | None = None,
    timestamps: Sequence[int] | None = None,
    folds: Sequence[int] | None = None,
    num_users: int | None = None,
    subsecond_ns: Sequence[int] | None = None,
    first_timestamps: Sequence[int] | None = None,
) -> Interactions:
    """Interactions of ``users`` with ``items`` (0, 1, 2, ... unless given)."""
    items = range(len(users)) if items is None else items
    return Interactions(
        user_index=np.array(users, dtype=np.int32),
        item_index=np.array(items, dtype=np.int32),
        rating=None,
        timestamp=None if timestamps is None else np.array(timestamps, dtype=np.int64),
        fold=None if folds is None else np.array(folds, dtype=np.int8),
        num_users=max(users, default=-1) + 1 if num_users is None else num_users,
        num_items=max(items, default=-1) + 1,
        subsecond_ns=None if subsecond_ns is None else np.array(subsecond_ns, dtype=np.int32),
        first_timestamp=None if first_timestamps is None else np.array(first_timestamps, dtype=np.int64),
    )


@st.composite
def interactions(draw: st.DrawFn, min_rows_per_user: int = 3) -> Interactions:
    """Three to six users with a few interactions each, in any order, with many ties in time."""
    counts = draw(st.lists(st.integers(min_rows_per_user, 7), min_size=3, max_size=6))
    users = draw(st.permutations([user for user, count in enumerate(counts) for _ in range(count)]))

    def column(largest: int) -> list[int]:
        return draw(st.lists(st.integers(0, largest), min_size=len(users), max_size=len(users)))

    folds = [(0, 0, 0, 2)[choice] for choice in column(3)]
    return make(users, items=column(9), timestamps=column(20), folds=folds)


def many(num_rows: int = 3000, num_users: int = 150, num_items: int = 80, seed: int = 0) -> Interactions:
    """Random interactions, of which one row in ten is marked as test."""
    generator = np.random.default_rng(seed)
    return Interactions(
        user_index=generator.integers(0, num_users, num_rows, dtype=np.int32),
        item_index=generator.integers(0, num_items, num_rows, dtype=np.int32),
        rating=None,
        timestamp=generator.integers(0, 40, num_rows),
        fold=np.where(generator.random(num_rows) < 0.1, 2, 0).astype(np.int8),
        num_users=num_users,
        num_items=num_items,
    )
