from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.splitting.k_fold import KFold
from recsys.errors import SplitError
from tests.data.splitting.generated import interactions, make, many


@given(rows=interactions(), num_folds=st.integers(2, 6), seed=st.integers(0, 2**32))
def test_each_row_is_test_in_exactly_one_fold(rows: Interactions, num_folds: int, seed: int) -> None:
    tests = [KFold(num_folds, fold, seed=seed).split(rows).test for fold in range(num_folds)]
    assert sorted(np.concatenate(tests).tolist()) == list(range(len(rows)))
    sizes = [len(test) for test in tests]
    assert max(sizes) - min(sizes) <= 1


@pytest.mark.parametrize("fold", [0, 2, 4])
def test_validation_is_a_share_of_all_rows_out_of_the_other_folds(fold: int) -> None:
    split = KFold(5, fold, valid_ratio=0.3).split(make([0] * 20))
    assert (len(split.train), len(split.valid), len(split.test)) == (10, 6, 4)


def test_validation_can_be_left_out() -> None:
    split = KFold(5, valid_ratio=0).split(make([0] * 20))
    assert (len(split.train), len(split.valid), len(split.test)) == (16, 0, 4)


def test_rows_are_drawn_and_not_cut_in_order() -> None:
    test = KFold(num_folds=2).split(many(num_rows=1000)).test
    assert 200 < (test < 500).sum() < 300
    assert (np.diff(test) > 1).sum() > 100


def test_fewer_rows_than_folds_are_refused() -> None:
    with pytest.raises(
        SplitError, match=r"one interaction in each of 5 folds; got 4 interactions. Lower split.num_fold"
    ):
        KFold(num_folds=5).split(make([0] * 4))


def test_as_many_rows_as_folds_are_enough() -> None:
    split = KFold(num_folds=5, valid_ratio=0.2).split(make([0] * 5))
    assert (len(split.train), len(split.valid), len(split.test)) == (3, 1, 1)


def test_validation_that_leaves_no_training_is_refused() -> None:
    with pytest.raises(SplitError, match="KFold must leave interactions for training; .*Give more interactions"):
        KFold(num_folds=2, valid_ratio=0.4).split(make([0] * 2))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_folds": 1}, "num_folds must be a whole number of at least 2; got 1"),
        ({"fold": -1}, "fold must be a whole number of at least 0; got -1"),
        ({"fold": 5}, "fold must be below num_folds=5; got 5. The first fold is split.fold=0"),
        ({"valid_ratio": 1}, "valid_ratio must be a number of at least 0 and below 1; got 1"),
        ({"num_folds": 2, "valid_ratio": 0.5}, "must leave something for training; got valid_ratio=0.5"),
        ({"seed": -1}, "seed must be a whole number of at least 0; got -1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SplitError, match=message):
        KFold(**arguments)
