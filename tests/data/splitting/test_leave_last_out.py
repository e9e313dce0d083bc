import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.splitting.leave_last_out import LeaveLastOut
from recsys.errors import SplitError
from tests.data.splitting.generated import interactions, make


def test_the_last_is_test_and_the_one_before_is_validation() -> None:
    # user 0 at times 10, 40, 20, 30 (rows 0, 2, 3, 5); user 1 at times 3, 1, 2 (rows 1, 4, 6).
    split = LeaveLastOut().split(make([0, 1, 0, 0, 1, 0, 1], timestamps=[10, 3, 40, 20, 1, 30, 2]))
    assert split.test.tolist() == [1, 2]
    assert split.valid.tolist() == [5, 6]
    assert split.train.tolist() == [0, 3, 4]


def test_of_interactions_at_the_same_time_the_later_row_is_the_last() -> None:
    split = LeaveLastOut().split(make([0, 0, 0, 0], timestamps=[7, 7, 7, 7]))
    assert (split.train.tolist(), split.valid.tolist(), split.test.tolist()) == ([0, 1], [2], [3])


def test_users_with_few_interactions_keep_one_for_training() -> None:
    # user 0 has one interaction, user 1 two, user 2 three.
    split = LeaveLastOut().split(make([0, 1, 1, 2, 2, 2], timestamps=range(6)))
    assert (split.train.tolist(), split.valid.tolist(), split.test.tolist()) == ([0, 1, 3], [4], [2, 5])


def test_more_than_one_can_be_held_out() -> None:
    split = LeaveLastOut(num_test=2, num_valid=3).split(make([0] * 7, timestamps=range(7)))
    assert (split.train.tolist(), split.valid.tolist(), split.test.tolist()) == ([0, 1], [2, 3, 4], [5, 6])


def test_validation_can_be_left_out() -> None:
    split = LeaveLastOut(num_valid=0).split(make([0, 0, 0], timestamps=range(3)))
    assert (split.train.tolist(), split.valid.tolist(), split.test.tolist()) == ([0, 1], [], [2])


@given(rows=interactions(), num_test=st.integers(1, 3), num_valid=st.integers(0, 1))
def test_nothing_known_of_a_user_is_later_than_their_targets(rows: Interactions, num_test: int, num_valid: int) -> None:
    assert rows.timestamp is not None
    try:
        split = LeaveLastOut(num_test, num_valid).split(rows)
    except SplitError:
        assert num_valid == 1  # where no user has more than num_test + 1 interactions
        return
    for stage in ("valid", "test"):
        for target in split.targets(stage):
            known = [row for row in split.known(stage) if rows.user_index[row] == rows.user_index[target]]
            assert known
            assert all((rows.timestamp[row], row) < (rows.timestamp[target], target) for row in known)


def test_missing_timestamps_point_at_the_random_strategy() -> None:
    with pytest.raises(SplitError, match=r"LeaveLastOut needs timestamps.*use split=leave_random_out"):
        LeaveLastOut().split(make([0, 0, 0]))


def test_users_with_one_interaction_each_cannot_be_split() -> None:
    with pytest.raises(SplitError, match="LeaveLastOut must leave interactions for test and validation"):
        LeaveLastOut().split(make([0, 1, 2], timestamps=[1, 2, 3]))


def test_users_with_two_interactions_each_have_no_validation() -> None:
    rows = make([0, 0, 1, 1], timestamps=[1, 2, 3, 4])
    with pytest.raises(SplitError, match=re.escape("set split.num_valid=0 for none")):
        LeaveLastOut().split(rows)
    assert LeaveLastOut(num_valid=0).split(rows).test.tolist() == [1, 3]


def test_arguments_out_of_range_are_refused() -> None:
    with pytest.raises(SplitError, match="num_test must be a whole number of at least 1; got 0"):
        LeaveLastOut(num_test=0)
    with pytest.raises(SplitError, match="num_valid must be a whole number of at least 0; got -1"):
        LeaveLastOut(num_valid=-1)


def test_parts_of_a_second_tell_which_is_last() -> None:
    rows = make([0, 0, 0, 1, 1, 1], timestamps=[7] * 6, subsecond_ns=[500, 900, 100, 3, 1, 2])
    split = LeaveLastOut().split(rows)
    assert (split.valid.tolist(), split.test.tolist()) == ([0, 5], [1, 3])
