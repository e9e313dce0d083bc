"""Small interactions for the tests of the rules."""

from typing import Any

import numpy as np
from hypothesis import strategies as st

from recsys.data.interactions import Interactions

NUM_USERS, NUM_ITEMS = 6, 5


def make(
    pairs: list[tuple[int, int]],
    rating: list[float] | None = None,
    timestamp: list[int] | None = None,
    fold: list[int] | None = None,
    weight: list[float] | None = None,
    subsecond_ns: list[int] | None = None,
) -> Interactions:
    users, items = np.array(pairs, dtype=np.int32).reshape(-1, 2).T

    def column(values: list[Any] | None, dtype: type) -> Any:
        return None if values is None else np.array(values, dtype=dtype)

    return Interactions(
        np.ascontiguousarray(users),
        np.ascontiguousarray(items),
        column(rating, np.float32),
        column(timestamp, np.int64),
        column(fold, np.int8),
        NUM_USERS,
        NUM_ITEMS,
        column(weight, np.float32),
        column(subsecond_ns, np.int32),
    )


def listed(values: Any) -> list[float]:
    assert values is not None
    return [float(value) for value in values]


PAIRS = st.lists(st.tuples(st.integers(0, NUM_USERS - 1), st.integers(0, NUM_ITEMS - 1)), min_size=1, max_size=40)
