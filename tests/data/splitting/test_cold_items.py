from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.splitting.cold_items import ColdItems
from recsys.errors import SplitError
from tests.data.splitting.generated import interactions, make


def items_of(rows: Interactions, part: Any) -> set[int]:
    return set(rows.item_index[part].tolist())


@given(rows=interactions(), seed=st.integers(0, 2**32))
def test_no_item_is_in_two_parts(rows: Interactions, seed: int) -> None:
    try:
        split = ColdItems(test_ratio=0.3, valid_ratio=0.3, seed=seed).split(rows)
    except SplitError:
        assume(False)
        raise
    train, valid, test = (items_of(rows, part) for part in (split.train, split.valid, split.test))
    assert not (train & valid or train & test or valid & test)


def test_shares_are_of_items_and_not_of_interactions() -> None:
    # 10 items: two with 20 interactions, eight with one.
    items = [item for item in range(10) for _ in range(20 if item < 2 else 1)]
    rows = make([0] * len(items), items=items)
    for seed in range(20):
        split = ColdItems(test_ratio=0.2, valid_ratio=0.3, seed=seed).split(rows)
        assert [len(items_of(rows, part)) for part in (split.train, split.valid, split.test)] == [5, 3, 2]


def test_items_without_interactions_are_never_drawn() -> None:
    # 100 items of the vocabulary, of which 0, 10, 20, 30 and 40 have an interaction.
    rows = replace(make([0] * 5, items=[0, 10, 20, 30, 40]), num_items=100)
    for seed in range(20):
        split = ColdItems(test_ratio=0.4, valid_ratio=0.2, seed=seed).split(rows)
        assert (len(split.train), len(split.valid), len(split.test)) == (2, 1, 2)


def test_each_item_is_as_likely_to_be_held_out_as_any_other() -> None:
    # 2000 seeds, 1 of 5 items for test: 400 each. The 0.999 quantile of chi-square with 4 degrees of freedom is 18.47.
    items = [item for item in range(5) for _ in range(item + 1)]
    rows = make([0] * len(items), items=items)
    drawn = [rows.item_index[ColdItems(0.2, 0.2, seed=seed).split(rows).test[0]] for seed in range(2000)]
    assert ((np.bincount(drawn, minlength=5) - 400) ** 2 / 400).sum() < 18.47


def test_nothing_is_given() -> None:
    split = ColdItems().split(make([0] * 5))
    assert len(split.test_fold_in) == len(split.valid_fold_in) == 0


def test_too_few_items_are_counted() -> None:
    with pytest.raises(SplitError, match="interactions for training; .*2 items have interactions: give more items"):
        ColdItems().split(make([0, 1], items=[0, 1]))
    with pytest.raises(SplitError, match="interactions for training; .*1 items have interactions"):
        ColdItems(valid_ratio=0).split(make([0, 1], items=[0, 0]))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"test_ratio": 0}, "test_ratio must be a number above 0 and below 1; got 0"),
        ({"valid_ratio": 1}, "valid_ratio must be a number of at least 0 and below 1; got 1"),
        ({"test_ratio": 0.5, "valid_ratio": 0.5}, "must be below 1, so that training keeps a share"),
        ({"seed": -1}, "seed must be a whole number of at least 0; got -1"),
    ],
)
def test_arguments_out_of_range_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(SplitError, match=message):
        ColdItems(**arguments)
