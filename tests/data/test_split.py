import numpy as np
import pytest

from recsys.data.split import Split, Splitter
from recsys.data.splitting.cold_items import ColdItems
from recsys.data.splitting.cold_users import ColdUsers
from recsys.data.splitting.k_fold import KFold
from recsys.data.splitting.leave_last_out import LeaveLastOut
from recsys.data.splitting.leave_random_out import LeaveRandomOut
from recsys.data.splitting.predefined import Predefined
from recsys.data.splitting.random_ratio import RandomRatio
from recsys.data.splitting.temporal import Temporal

SPLIT = Split(
    train=np.array([0, 1]),
    valid=np.array([2]),
    test=np.array([3, 4]),
    valid_fold_in=np.array([5]),
    test_fold_in=np.array([6, 7]),
)


def test_validation_sees_training_and_what_is_given_of_its_users() -> None:
    assert sorted(SPLIT.known("valid").tolist()) == [0, 1, 5]


def test_test_sees_training_validation_and_everything_given() -> None:
    assert sorted(SPLIT.known("test").tolist()) == [0, 1, 2, 5, 6, 7]


def test_targets_are_the_held_out_rows_of_the_stage() -> None:
    assert SPLIT.targets("valid").tolist() == [2]
    assert SPLIT.targets("test").tolist() == [3, 4]


def test_validation_can_become_training_while_test_stays() -> None:
    whole = SPLIT.with_validation_in_training()
    assert whole.train.tolist() == [0, 1, 2, 5]
    assert whole.test.tolist() == [3, 4]
    assert whole.test_fold_in.tolist() == [6, 7]
    assert len(whole.valid) == len(whole.valid_fold_in) == 0
    assert sorted(whole.known("test").tolist()) == sorted(SPLIT.known("test").tolist())


def test_nothing_is_given_unless_said() -> None:
    split = Split(train=np.array([0]), valid=np.array([1]), test=np.array([2]))
    assert split.known("valid").tolist() == [0]
    assert split.known("test").tolist() == [0, 1]
    assert split.valid_fold_in.dtype == split.test_fold_in.dtype == np.int32


@pytest.mark.parametrize(
    "strategy", [ColdItems, ColdUsers, KFold, LeaveLastOut, LeaveRandomOut, Predefined, RandomRatio, Temporal]
)
def test_every_strategy_is_a_splitter(strategy: type) -> None:
    assert isinstance(strategy(), Splitter)


def test_a_split_may_hold_nothing_out() -> None:
    split = Split.of_all(3)
    assert (split.train.tolist(), split.valid.tolist(), split.test.tolist()) == ([0, 1, 2], [], [])
