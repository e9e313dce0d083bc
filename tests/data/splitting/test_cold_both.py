from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.splitting.cold_both import ColdBoth
from recsys.data.splitting.cold_items import ColdItems
from recsys.data.splitting.cold_users import ColdUsers
from recsys.errors import SplitError
from tests.data.splitting.generated import interactions, make, many


def users_of(rows: Interactions, part: Any) -> set[int]:
    return set(rows.user_index[part].tolist())


def items_of(rows: Interactions, part: Any) -> set[int]:
    return set(rows.item_index[part].tolist())


def grid(num_users: int, num_items: int) -> Interactions:
    """Every user has every item."""
    return make([user for user in range(num_users) for _ in range(num_items)], items=list(range(num_items)) * num_users)


@given(rows=interactions(min_rows_per_user=2), seed=st.integers(0, 2**32))
def test_held_out_users_and_items_are_nowhere_in_training(rows: Interactions, seed: int) -> None:
    splitter = ColdBoth(ColdItems(0.3, 0.3, seed=seed), ColdUsers(0.3, 0.3, seed=seed))
    try:
        split = splitter.split(rows)
        by_item = splitter.items.split(rows)
    except SplitError:
        assume(False)
        raise
    held_out_items = items_of(rows, by_item.test) | items_of(rows, by_item.valid)
    assert not items_of(rows, split.train) & held_out_items
    assert not users_of(rows, split.train) & (users_of(rows, split.test_fold_in) | users_of(rows, split.valid_fold_in))
    # what is given has no held-out item, and test items are unknown until the test is over
    assert not items_of(rows, np.concatenate([split.test_fold_in, split.valid_fold_in])) & held_out_items
    assert not items_of(rows, split.known("test")) & items_of(rows, by_item.test)
    assert not users_of(rows, split.known("valid")) & users_of(rows, split.test_fold_in)


def test_every_interaction_of_what_is_held_out_is_to_be_recovered_but_what_is_given() -> None:
    # 10 x 10: 2 test items, 1 validation item, 7 others; 2 test users with 5 of these 7 given, 1 validation user.
    rows = grid(10, 10)
    users = ColdUsers(0.2, 0.1, given_ratio=None, num_given=5)
    split = ColdBoth(ColdItems(0.2, 0.1), users).split(rows)
    assert (len(split.test_fold_in), len(split.valid_fold_in)) == (2 * 5, 1 * 5)
    # test: 2 users with 10 - 5 each, and the 2 items with the 8 other users; validation: 1 user with 10 - 5 - 2 test
    # items, and the item with the 7 users that are in training; training: 7 users with 7 items
    assert len(split.test) == 2 * 5 + 2 * 8
    assert len(split.valid) == 3 + 7
    assert len(split.train) == 7 * 7


def test_held_out_users_are_asked_for_known_and_for_new_items() -> None:
    rows = grid(20, 20)
    split = ColdBoth().split(rows)
    new_users = np.isin(rows.user_index[split.test], rows.user_index[split.test_fold_in])
    new_items = ~np.isin(rows.item_index[split.test], rows.item_index[split.train])
    kinds = set(zip(new_users.tolist(), new_items.tolist(), strict=True))
    assert kinds == {(True, True), (True, False), (False, True)}


def test_users_are_drawn_by_what_they_did_with_the_other_items() -> None:
    # Users 0 to 4 have 3 items each and shares of them may be drawn; no user has the 4 that it takes to be given 3.
    rows = make([user for user in range(5) for _ in range(3)], items=[0, 1, 2] * 5)
    with pytest.raises(SplitError, match="0 users have the 4 interactions that it takes"):
        ColdBoth(ColdItems(0.3, 0), ColdUsers(0.3, 0, given_ratio=None, num_given=3)).split(rows)


def test_either_may_do_without_validation() -> None:
    rows = many()
    split = ColdBoth(ColdItems(valid_ratio=0), ColdUsers(valid_ratio=0)).split(rows)
    assert len(split.valid) == len(split.valid_fold_in) == 0
    items_only = ColdBoth(ColdItems(), ColdUsers(valid_ratio=0)).split(rows)
    assert len(items_only.valid) > 0
    assert len(items_only.valid_fold_in) == 0


def test_the_held_out_items_are_those_of_the_split_of_items() -> None:
    rows = many()
    both, alone = ColdBoth(ColdItems(seed=3)).split(rows), ColdItems(seed=3).split(rows)
    assert set(alone.test.tolist()) <= set(both.test.tolist())


def test_too_few_items_or_users_are_counted() -> None:
    with pytest.raises(SplitError, match="2 items have interactions: give more items"):
        ColdBoth().split(make([0, 1], items=[0, 1]))
    with pytest.raises(SplitError, match="ColdUsers must leave interactions"):
        ColdBoth().split(make([0] * 10))
