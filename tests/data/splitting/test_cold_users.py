from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.splitting.cold_users import ColdUsers
from recsys.errors import SplitError
from tests.data.splitting.generated import interactions, make, many


def users_of(rows: Interactions, part: Any) -> set[int]:
    return set(rows.user_index[part].tolist())


@given(rows=interactions(min_rows_per_user=1), seed=st.integers(0, 2**32))
def test_no_user_is_in_two_parts(rows: Interactions, seed: int) -> None:
    try:
        split = ColdUsers(test_ratio=0.3, valid_ratio=0.3, seed=seed).split(rows)
    except SplitError:
        assume(False)
        raise
    train, valid, test = (users_of(rows, part) for part in (split.train, split.valid, split.test))
    assert not (train & valid or train & test or valid & test)
    assert users_of(rows, split.valid_fold_in) == valid
    assert users_of(rows, split.test_fold_in) == test


def test_shares_are_of_users_and_not_of_interactions() -> None:
    # 8 users with 2 interactions and 2 with 50.
    rows = make([user for user in range(10) for _ in range(50 if user < 2 else 2)])
    for seed in range(20):
        split = ColdUsers(test_ratio=0.2, valid_ratio=0.3, seed=seed).split(rows)
        assert [len(users_of(rows, part)) for part in (split.train, split.valid, split.test)] == [5, 3, 2]


def test_each_user_is_as_likely_to_be_held_out_as_any_other() -> None:
    # 2000 seeds, 1 of 5 users for test: 400 each. The 0.999 quantile of chi-square with 4 degrees of freedom is 18.47.
    rows = make([user for user in range(5) for _ in range(user + 2)])
    drawn = [rows.user_index[ColdUsers(0.2, 0.2, seed=seed).split(rows).test[0]] for seed in range(2000)]
    assert ((np.bincount(drawn, minlength=5) - 400) ** 2 / 400).sum() < 18.47


def test_the_share_to_recover_is_rounded_down_but_is_at_least_one() -> None:
    # 2, 5, 9 and 10 interactions, 0.2 of each: 0.4, 1, 1.8, 2.
    for count, targets in ((2, 1), (5, 1), (9, 1), (10, 2)):
        rows = make([0] * count + [1] * count + [2] * count)
        split = ColdUsers(0.3, 0.3).split(rows)
        assert (len(split.test), len(split.test_fold_in)) == (targets, count - targets)
        assert (len(split.valid), len(split.valid_fold_in)) == (targets, count - targets)


def test_a_number_of_interactions_can_be_given() -> None:
    rows = make([0] * 10 + [1] * 10 + [2] * 10)
    split = ColdUsers(0.3, 0.3, given_ratio=None, num_given=3).split(rows)
    assert (len(split.test_fold_in), len(split.test)) == (3, 7)
    assert (len(split.valid_fold_in), len(split.valid)) == (3, 7)


def test_nothing_at_all_can_be_given() -> None:
    rows = make([0] * 3 + [1] * 3 + [2])
    split = ColdUsers(0.4, 0, given_ratio=None, num_given=0).split(rows)
    assert len(split.test_fold_in) == 0
    assert len(split.test) in (1, 3)


def test_users_with_too_few_interactions_stay_in_training() -> None:
    # Users 0 to 5 have one interaction: of the other four, 0.5 are test and 0.25 validation.
    rows = make([0, 1, 2, 3, 4, 5, *[user for user in range(6, 10) for _ in range(2)]])
    for seed in range(20):
        split = ColdUsers(0.5, 0.25, seed=seed).split(rows)
        assert users_of(rows, split.train) >= {0, 1, 2, 3, 4, 5}
        assert [len(users_of(rows, part)) for part in (split.train, split.valid, split.test)] == [7, 1, 2]


def test_users_who_could_be_given_everything_stay_in_training() -> None:
    # User 0 has no interaction beyond the 3 that would be given.
    rows = make([0] * 3 + [1] * 4 + [2] * 4)
    for seed in range(20):
        split = ColdUsers(0.5, 0.4, given_ratio=None, num_given=3, seed=seed).split(rows)
        assert users_of(rows, split.train) == {0}
        assert (len(split.test), len(split.test_fold_in)) == (1, 3)


def test_by_time_the_oldest_are_given() -> None:
    # Times of each user, in the order of rows: 40, 10, 30, 20, 20; two are to be recovered: 30 and 40.
    times = [40, 10, 30, 20, 20]
    rows = make([0] * 5 + [1] * 5 + [2] * 5, timestamps=times * 3)
    split = ColdUsers(0.3, 0.3, given_ratio=0.6, order="time").split(rows)
    assert (split.test % 5).tolist() == (split.valid % 5).tolist() == [0, 2]
    assert (split.test_fold_in % 5).tolist() == [1, 3, 4]


def test_by_time_the_earlier_row_of_a_tie_is_given() -> None:
    rows = make([0] * 4 + [1] * 4, timestamps=[5] * 8)
    split = ColdUsers(0.5, 0, given_ratio=0.5, order="time").split(rows)
    assert (split.test_fold_in % 4).tolist() == [0, 1]


def test_at_random_each_interaction_is_as_likely_to_be_given() -> None:
    # 5000 test users with 5 interactions, one to recover: 1000 at each place. The 0.999 quantile of chi-square with 4
    # degrees of freedom is 18.47.
    split = ColdUsers(0.5, 0).split(make([user for user in range(10_000) for _ in range(5)]))
    counts = np.bincount(split.test % 5)
    assert counts.sum() == 5000
    assert ((counts - 1000) ** 2 / 1000).sum() < 18.47


def test_the_same_users_are_held_out_in_either_order() -> None:
    rows = many()
    at_random, by_time = (ColdUsers(order=order, seed=2).split(rows) for order in ("random", "time"))  # type: ignore[arg-type]
    assert users_of(rows, at_random.test) == users_of(rows, by_time.test)
    assert users_of(rows, at_random.valid) == users_of(rows, by_time.valid)


def test_missing_timestamps_point_at_the_random_order() -> None:
    with pytest.raises(SplitError, match=r"ColdUsers with order=time needs timestamps.*use split.order=random"):
        ColdUsers(order="time").split(make([0] * 3 + [1] * 3 + [2] * 3))


def test_too_few_users_are_counted() -> None:
    rows = make([0, 0, 1, 2])
    with pytest.raises(
        SplitError, match="interactions for validation; .*1 users have the 2 interactions that it takes"
    ):
        ColdUsers().split(rows)
    with pytest.raises(SplitError, match="interactions for training; .*2 users have the 2 interactions that it takes"):
        ColdUsers().split(make([0, 0, 1, 1]))
    with pytest.raises(SplitError, match="for test and validation; .*0 users have the 6 interactions that it takes"):
        ColdUsers(given_ratio=None, num_given=5).split(make([0, 0, 1, 1, 2, 2]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test_ratio": 0}, "test_ratio must be a number above 0 and below 1; got 0"),
        ({"valid_ratio": 1}, "valid_ratio must be a number of at least 0 and below 1; got 1"),
        ({"test_ratio": 0.5, "valid_ratio": 0.5}, "must be below 1, so that training keeps a share"),
        ({"given_ratio": 1.0}, "given_ratio must be a number above 0 and below 1; got 1.0"),
        ({"num_given": 5}, "must be given; got given_ratio=0.8 and num_given=5. Set split.given_ratio=null"),
        ({"given_ratio": None}, "exactly one of given_ratio and num_given must be given; got neither"),
        ({"given_ratio": None, "num_given": -1}, "num_given must be a whole number of at least 0; got -1"),
        ({"order": "rating"}, "order must be random or time; got 'rating'. Set split.order"),
        ({"seed": -1}, "seed must be a whole number of at least 0; got -1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SplitError, match=message):
        ColdUsers(**arguments)
