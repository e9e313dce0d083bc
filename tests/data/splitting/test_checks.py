from typing import Any

import numpy as np
import pytest

from recsys.data.split import Split
from recsys.data.splitting.checks import (
    require_integer,
    require_interactions,
    require_one_of,
    require_parts,
    require_ratio,
    require_room_for_training,
    require_seed,
    require_timestamps,
)
from recsys.errors import SplitError
from tests.data.splitting.generated import make


@pytest.mark.parametrize("value", [2, 3, np.int64(2)])
def test_a_whole_number_from_the_minimum_on_is_accepted(value: Any) -> None:
    require_integer("num_test", value, 2)


@pytest.mark.parametrize("value", [1, -1, 2.0, 2.5, "2", None, True, float("nan")])
def test_anything_else_is_no_whole_number(value: Any) -> None:
    with pytest.raises(SplitError, match=r"num_test must be a whole number of at least 2; got .*Set split.num_test"):
        require_integer("num_test", value, 2)


@pytest.mark.parametrize("seed", [0, 7, 2**63])
def test_a_seed_may_be_any_whole_number_from_zero(seed: int) -> None:
    require_seed(seed)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", None, False])
def test_a_seed_that_is_none_is_refused(seed: Any) -> None:
    with pytest.raises(SplitError, match=r"seed must be a whole number of at least 0; got .*Set seed"):
        require_seed(seed)


@pytest.mark.parametrize("value", [0.001, 0.5, 0.999, np.float32(0.5)])
def test_a_ratio_is_between_zero_and_one(value: Any) -> None:
    require_ratio("test_ratio", value)


@pytest.mark.parametrize("value", [0, 0.0])
def test_a_ratio_may_be_zero_where_that_is_allowed(value: float) -> None:
    require_ratio("valid_ratio", value, zero_allowed=True)
    with pytest.raises(SplitError, match=r"valid_ratio must be a number above 0 and below 1; got 0"):
        require_ratio("valid_ratio", value)


@pytest.mark.parametrize("value", [-0.1, 1, 1.0, 80, float("nan"), float("inf"), "0.2", None, True])
def test_anything_else_is_no_ratio(value: Any) -> None:
    with pytest.raises(SplitError, match=r"a must be a number of at least 0 and below 1; got .*Set split.a"):
        require_ratio("a", value, zero_allowed=True)


@pytest.mark.parametrize(("test_ratio", "valid_ratio"), [(0.5, 0.5), (0.9, 0.2)])
def test_ratios_must_leave_a_share_for_training(test_ratio: float, valid_ratio: float) -> None:
    with pytest.raises(
        SplitError, match=rf"must be below 1.*got {test_ratio} \+ {valid_ratio}. Lower split.test_ratio"
    ):
        require_room_for_training(test_ratio, valid_ratio)


def test_ratios_that_leave_a_share_are_accepted() -> None:
    require_room_for_training(0.5, 0.49)


def test_one_of_two_is_accepted_even_where_it_is_zero() -> None:
    require_one_of("a", 0, "b", None)
    require_one_of("a", None, "b", 0)


def test_both_of_two_are_refused() -> None:
    with pytest.raises(SplitError, match=r"exactly one of a and b must be given; got a=1 and b=2. Set split.a=null or"):
        require_one_of("a", 1, "b", 2)


def test_neither_of_two_is_refused() -> None:
    with pytest.raises(SplitError, match=r"exactly one of a and b must be given; got neither"):
        require_one_of("a", None, "b", None)


def test_interactions_must_not_be_empty() -> None:
    require_interactions(make([0]))
    with pytest.raises(SplitError, match="at least one interaction; got none"):
        require_interactions(make([]))


def test_timestamps_are_handed_on() -> None:
    assert require_timestamps(make([0, 0], timestamps=[4, 2]), "Temporal", "split=k_fold").tolist() == [4, 2]


def test_missing_timestamps_name_the_strategy_and_a_way_out() -> None:
    with pytest.raises(
        SplitError, match=r"Temporal needs timestamps; these interactions have none.*use split=k_fold\."
    ):
        require_timestamps(make([0, 0]), "Temporal", "split=k_fold")


def rows(train: int, valid: int, test: int) -> Split:
    return Split(train=np.arange(train), valid=np.arange(valid), test=np.arange(test))


def require(split: Split, wants_valid: bool) -> Split:
    return require_parts(split, "S", wants_valid=wants_valid, remedy="Do this", no_valid="split.v=0")


def test_a_split_with_every_part_is_handed_on() -> None:
    split = rows(1, 1, 1)
    assert require(split, wants_valid=True) is split


def test_validation_may_be_empty_where_none_was_asked_for() -> None:
    assert len(require(rows(1, 0, 1), wants_valid=False).valid) == 0


def test_empty_validation_names_the_setting_for_none() -> None:
    with pytest.raises(
        SplitError,
        match=r"S must leave interactions for validation; it would give training 1, validation 0, test 2. "
        r"Do this, or set split.v=0 for none\.",
    ):
        require(rows(1, 0, 2), wants_valid=True)


@pytest.mark.parametrize("wants_valid", [True, False])
def test_empty_training_is_refused(wants_valid: bool) -> None:
    with pytest.raises(SplitError, match=r"interactions for training; it would give training 0.*Do this\.$"):
        require(rows(0, 1, 1), wants_valid)


def test_all_empty_parts_are_named() -> None:
    with pytest.raises(SplitError, match=r"interactions for test and validation; .*Do this\.$"):
        require(rows(1, 0, 0), wants_valid=True)
