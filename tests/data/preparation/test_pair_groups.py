import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.preparation.pair_groups import (
    distinct_sorted,
    group_starts,
    num_distinct,
    order_by_key_and_time,
    pair_keys,
    rows_of_repeated,
)
from tests.data.preparation.made_interactions import make

KEYS = st.lists(st.integers(0, 6), max_size=20).map(lambda keys: np.array(keys, dtype=np.int64))


def test_interactions_of_two_folds_have_two_keys() -> None:
    assert num_distinct(pair_keys(make([(0, 1), (0, 1), (1, 1)], fold=[0, 2, 0]))) == 3
    assert num_distinct(pair_keys(make([(0, 1), (0, 1), (1, 1)]))) == 2


@given(KEYS)
def test_rows_of_repeated_keys_are_found_in_their_order(keys: np.ndarray) -> None:
    listed = keys.tolist()
    assert rows_of_repeated(keys).tolist() == [row for row, key in enumerate(listed) if listed.count(key) > 1]
    assert num_distinct(keys) == len(set(listed))
    assert distinct_sorted(keys).tolist() == sorted(set(listed))


def test_rows_are_ordered_by_key_then_moment_then_row() -> None:
    rows = make([(1, 0), (0, 0), (1, 0), (1, 0)], timestamp=[5, 9, 5, 5], subsecond_ns=[7, 0, 3, 7])
    assert order_by_key_and_time(rows, rows.pairs, np.arange(4)).tolist() == [1, 2, 0, 3]


@given(KEYS)
def test_groups_of_ordered_keys_start_where_the_key_changes(keys: np.ndarray) -> None:
    ordered = np.sort(keys)
    group_of, starts = group_starts(ordered)
    assert ordered[starts].tolist() == sorted(set(keys.tolist()))
    assert ordered[starts][group_of].tolist() == ordered.tolist()
