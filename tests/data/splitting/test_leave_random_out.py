import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.splitting.leave_random_out import LeaveRandomOut
from recsys.errors import SplitError
from tests.data.splitting.generated import interactions, make


@given(
    rows=interactions(min_rows_per_user=1),
    num_test=st.integers(1, 3),
    num_valid=st.integers(0, 3),
    seed=st.integers(0, 2**32),
)
def test_each_user_gives_what_they_can_spare(rows: Interactions, num_test: int, num_valid: int, seed: int) -> None:
    try:
        split = LeaveRandomOut(num_test, num_valid, seed).split(rows)
    except SplitError:
        assert np.bincount(rows.user_index).max() <= (1 if num_valid == 0 else num_test + 1)
        return
    for user in range(rows.num_users):
        count = int((rows.user_index == user).sum())
        of_user = [int((rows.user_index[part] == user).sum()) for part in (split.train, split.valid, split.test)]
        wanted_for_test = min(num_test, count - 1)
        wanted_for_valid = min(num_valid, count - 1 - wanted_for_test)
        assert of_user == [count - wanted_for_test - wanted_for_valid, wanted_for_valid, wanted_for_test]


def test_each_interaction_of_a_user_is_equally_likely_to_be_held_out() -> None:
    # 5000 users with 5 interactions each: 1000 at each place expected, in test and in validation. The 0.999 quantile
    # of chi-square with 4 degrees of freedom is 18.47.
    split = LeaveRandomOut(seed=3).split(make([user for user in range(5000) for _ in range(5)]))
    for part in (split.test, split.valid):
        counts = np.bincount(part % 5)
        assert counts.sum() == 5000
        assert ((counts - 1000) ** 2 / 1000).sum() < 18.47


def test_timestamps_are_neither_needed_nor_used() -> None:
    users = [0, 1] * 10
    with_time = LeaveRandomOut(seed=1).split(make(users, timestamps=range(20)))
    assert LeaveRandomOut(seed=1).split(make(users)).test.tolist() == with_time.test.tolist()


def test_users_with_one_interaction_each_cannot_be_split() -> None:
    with pytest.raises(SplitError, match="LeaveRandomOut must leave interactions for test; .*Give users with more"):
        LeaveRandomOut(num_valid=0).split(make([0, 1, 2]))


def test_arguments_out_of_range_are_refused() -> None:
    with pytest.raises(SplitError, match="num_test must be a whole number of at least 1; got 0"):
        LeaveRandomOut(num_test=0)
    with pytest.raises(SplitError, match="num_valid must be a whole number of at least 0; got 0.1"):
        LeaveRandomOut(num_valid=0.1)  # type: ignore[arg-type]
    with pytest.raises(SplitError, match="seed must be a whole number of at least 0; got -3"):
        LeaveRandomOut(seed=-3)
