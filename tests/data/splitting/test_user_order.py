import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.splitting.user_order import UserOrder
from tests.data.splitting.generated import interactions, make


def by_time(rows: Interactions) -> UserOrder:
    assert rows.timestamp is not None
    return UserOrder.by_time(rows)


def test_rows_are_counted_from_the_end_of_each_user() -> None:
    # user 0: times 30, 10, 20 -> the row at 30 is last; user 2: times 5, 6.
    order = by_time(make([0, 2, 0, 0, 2], timestamps=[30, 5, 10, 20, 6]))
    assert order.from_end.tolist() == [0, 1, 2, 1, 0]
    assert order.count.tolist() == [3, 0, 2]


def test_of_rows_at_the_same_time_the_later_row_is_later() -> None:
    assert by_time(make([0, 0, 0, 0], timestamps=[5, 5, 9, 5])).from_end.tolist() == [3, 2, 0, 1]


def test_negative_times_come_before_zero() -> None:
    assert by_time(make([0, 0, 0], timestamps=[0, -5, 5])).from_end.tolist() == [1, 2, 0]


@given(rows=interactions(min_rows_per_user=1))
def test_order_by_time_agrees_with_sorting_each_user_by_hand(rows: Interactions) -> None:
    assert rows.timestamp is not None
    order = by_time(rows)
    for user in range(rows.num_users):
        of_user = [row for row in range(len(rows)) if rows.user_index[row] == user]
        by_hand = sorted(of_user, key=lambda row: (rows.timestamp[row], row))  # type: ignore[index]
        assert [int(order.from_end[row]) for row in by_hand] == list(range(len(by_hand)))[::-1]


@given(rows=interactions(min_rows_per_user=1), seed=st.integers(0, 2**32))
def test_a_random_order_numbers_the_rows_of_each_user_without_gaps(rows: Interactions, seed: int) -> None:
    order = UserOrder.at_random(rows, np.random.default_rng(seed))
    for user in range(rows.num_users):
        places = order.from_end[rows.user_index == user]
        assert sorted(places.tolist()) == list(range(len(places)))


def test_each_order_of_a_user_is_equally_likely() -> None:
    # 6000 users with 3 rows each: 6 orders, 1000 of each expected. The 0.999 quantile of chi-square with 5 degrees of
    # freedom is 20.52.
    rows = make([user for user in range(6000) for _ in range(3)])
    places = UserOrder.at_random(rows, np.random.default_rng(2)).from_end.reshape(6000, 3)
    _, counts = np.unique(places, axis=0, return_counts=True)
    assert len(counts) == 6
    assert ((counts - 1000) ** 2 / 1000).sum() < 20.52


def test_each_user_keeps_a_row_and_test_is_served_first() -> None:
    # Rows of users 0 to 4: 1, 2, 3, 4, 5; two wanted for test, two for validation.
    users = [user for user in range(5) for _ in range(user + 1)]
    split = by_time(make(users, timestamps=range(15))).hold_out_last(2, 2)
    assert split.train.tolist() == [0, 1, 3, 6, 10]
    assert split.valid.tolist() == [7, 11, 12]
    assert split.test.tolist() == [2, 4, 5, 8, 9, 13, 14]


def test_each_user_may_have_numbers_of_their_own() -> None:
    order = by_time(make([0] * 4 + [1] * 4, timestamps=range(8)))
    split = order.hold_out_last(np.array([1, 2]), np.array([2, 0]))
    assert split.valid.tolist() == [1, 2]
    assert split.test.tolist() == [3, 6, 7]
