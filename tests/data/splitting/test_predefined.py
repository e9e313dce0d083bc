import re

import pytest

from recsys.data.splitting.cold_users import ColdUsers
from recsys.data.splitting.leave_last_out import LeaveLastOut
from recsys.data.splitting.leave_random_out import LeaveRandomOut
from recsys.data.splitting.predefined import Predefined
from recsys.errors import SplitError
from tests.data.splitting.generated import make

TRAIN, VALID, TEST = 0, 1, 2


def test_rows_go_where_the_data_put_them() -> None:
    split = Predefined().split(make([0] * 5, folds=[TEST, TRAIN, VALID, TRAIN, TEST]))
    assert (split.train.tolist(), split.valid.tolist(), split.test.tolist()) == ([1, 3], [2], [0, 4])


def test_without_a_rule_there_is_no_validation() -> None:
    assert len(Predefined().split(make([0] * 3, folds=[TRAIN, TRAIN, TEST])).valid) == 0


def test_validation_is_drawn_out_of_training_alone() -> None:
    # Users 0 and 1 with rows 0 to 5 and 6 to 11, the last row of each for test.
    folds = [TRAIN] * 5 + [TEST]
    rows = make([0] * 6 + [1] * 6, folds=folds * 2)
    for seed in range(30):
        split = Predefined(LeaveRandomOut(num_valid=0, seed=seed)).split(rows)
        assert split.test.tolist() == [5, 11]
        first, second = split.valid.tolist()
        assert first in range(0, 5) and second in range(6, 11)
        assert sorted([*split.train, *split.valid, *split.test]) == list(range(12))


def test_users_with_one_training_interaction_have_no_validation() -> None:
    rows = make([0, 0, 1, 1, 1], folds=[TRAIN, TEST, TRAIN, TRAIN, TEST])
    split = Predefined(LeaveRandomOut(num_valid=0)).split(rows)
    assert rows.user_index[split.valid].tolist() == [1]
    assert 0 in split.train


def test_the_rule_may_use_time() -> None:
    # The newest training interaction is row 2, though test has newer ones.
    rows = make([0] * 5, timestamps=[9, 3, 4, 2, 8], folds=[TEST, TRAIN, TRAIN, TRAIN, TEST])
    assert Predefined(LeaveLastOut(num_valid=0)).split(rows).valid.tolist() == [2]


def test_what_the_rule_gives_is_given_to_validation() -> None:
    rows = make([0, 0, 0, 1, 1, 1, 0], folds=[TRAIN] * 6 + [TEST])
    split = Predefined(ColdUsers(0.5, 0, given_ratio=0.6)).split(rows)
    assert (len(split.valid), len(split.valid_fold_in), len(split.train)) == (1, 2, 3)
    assert set(rows.user_index[split.valid]) == set(rows.user_index[split.valid_fold_in])
    assert len(split.test_fold_in) == 0


def test_repetitions_of_a_drawn_interaction_leave_training_with_it() -> None:
    # The user's training interactions are item 3 twice and item 4 once.
    rows = make([0, 0, 0, 0], items=[3, 4, 3, 5], folds=[TRAIN, TRAIN, TRAIN, TEST])
    splits = {
        tuple(Predefined(LeaveRandomOut(num_valid=0, seed=seed)).split(rows).valid.tolist()) for seed in range(20)
    }
    assert splits == {(0, 2), (1,)}


def test_repetitions_of_a_drawn_interaction_are_not_given() -> None:
    rows = make([0, 0, 0, 1, 1, 1, 0], items=[3, 3, 4, 3, 3, 4, 5], folds=[TRAIN] * 6 + [TEST])
    for seed in range(20):
        split = Predefined(ColdUsers(0.5, 0, given_ratio=0.6, seed=seed)).split(rows)
        assert set(rows.item_index[split.valid]).isdisjoint(rows.item_index[split.valid_fold_in])
        assert len(split.valid) + len(split.valid_fold_in) == len(split.train) == 3


def test_validation_of_the_data_is_taken_as_it_is() -> None:
    rows = make([0] * 5, folds=[TRAIN, TRAIN, VALID, TRAIN, TEST])
    split = Predefined(LeaveRandomOut(num_valid=0)).split(rows)
    assert (split.train.tolist(), split.valid.tolist()) == ([0, 1, 3], [2])


def test_a_rule_that_holds_out_its_own_validation_is_refused() -> None:
    rows = make([0] * 6, folds=[TRAIN] * 5 + [TEST])
    with pytest.raises(
        SplitError,
        match=r"must hold out test alone; it also held out 1 interactions .*Set split.validation.num_valid=0",
    ):
        Predefined(LeaveRandomOut()).split(rows)


def test_a_rule_that_fails_says_why_and_how_to_do_without() -> None:
    rows = make([0, 1, 0], folds=[TRAIN, TRAIN, TEST])
    with pytest.raises(
        SplitError, match=r"could not draw validation out of the training.*LeaveRandomOut must .*split.validation=null"
    ):
        Predefined(LeaveRandomOut(num_valid=0)).split(rows)


def test_data_without_folds_are_refused() -> None:
    with pytest.raises(
        SplitError, match=r"have no fold column. Give data.train and data.test, or use another strategy"
    ):
        Predefined().split(make([0, 0]))


@pytest.mark.parametrize(("folds", "missing"), [([TRAIN, VALID], "test"), ([TEST, VALID], "training")])
def test_folds_without_training_or_test_are_refused(folds: list[int], missing: str) -> None:
    with pytest.raises(SplitError, match=rf"Predefined must leave interactions for {missing}; .*Mark at least one"):
        Predefined().split(make([0, 0], folds=folds))


def test_something_else_than_a_splitter_is_refused() -> None:
    with pytest.raises(
        SplitError, match=re.escape("must be a splitter or null; got 'random'. Set split.validation=null")
    ):
        Predefined("random")  # type: ignore[arg-type]
