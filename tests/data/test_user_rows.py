import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.user_rows import UserRows


def make(users: list[int], times: list[int] | None, subseconds: list[int] | None = None) -> Interactions:
    index = np.array(users, dtype=np.int32)
    timestamp = None if times is None else np.array(times, dtype=np.int64)
    subsecond_ns = None if subseconds is None else np.array(subseconds, dtype=np.int32)
    return Interactions(index, index, None, timestamp, None, 6, 6, subsecond_ns=subsecond_ns)


ROWS = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=25)


@given(rows=ROWS)
def test_rows_are_ordered_by_user_then_time_then_position(rows: list[tuple[int, int]]) -> None:
    found = UserRows.by_time(make([user for user, _ in rows], [time for _, time in rows]))
    assert found.rows.tolist() == sorted(range(len(rows)), key=lambda row: (*rows[row], row))
    assert found.counts.tolist() == [sum(user == other for other, _ in rows) for user in range(6)]
    assert found.offsets[-1] == len(rows)


@given(rows=ROWS, seed=st.integers(0, 9))
def test_a_given_order_is_kept_within_each_user(rows: list[tuple[int, int]], seed: int) -> None:
    users = np.array([user for user, _ in rows], dtype=np.int32)
    order = np.random.default_rng(seed).permutation(len(rows))
    found = UserRows.in_order(users, 6, order)
    expected = [row for user in range(6) for row in order.tolist() if users[row] == user]
    assert found.rows.tolist() == expected


def test_without_times_rows_keep_their_order() -> None:
    assert UserRows.by_time(make([1, 0, 1, 0], None)).rows.tolist() == [1, 3, 0, 2]


def test_parts_of_a_second_count() -> None:
    assert UserRows.by_time(make([0, 0, 0], [5, 5, 4], [9, 3, 0])).rows.tolist() == [2, 1, 0]


def test_rows_take_four_bytes() -> None:
    assert UserRows.by_time(make([0, 1], [3, 4])).rows.dtype == np.int32
