from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.splitting.hashed import HashSplit
from recsys.errors import SplitError
from tests.data.splitting.generated import many

PARTS = ("train", "valid", "test", "valid_fold_in", "test_fold_in")


def part_of_rows(splitter: HashSplit, interactions: Interactions) -> list[str]:
    split = splitter.split(interactions)
    found = [""] * len(interactions)
    for name in PARTS:
        for row in getattr(split, name).tolist():
            found[row] = name
    return found


def grid(users: int, items: int) -> Interactions:
    user, item = (column.ravel().astype(np.int32) for column in np.mgrid[:users, :items])
    return Interactions(user, item, None, None, None, users, items)


@pytest.mark.parametrize("by", ["pair", "user", "item"])
def test_a_row_stays_in_its_part_whatever_is_added_or_taken(by):
    every, splitter = grid(80, 60), HashSplit(0.2, 0.2, by=by, seed=3)
    whole = part_of_rows(splitter, every)
    rows = np.random.default_rng(0).permutation(len(every))[:3000]
    some = replace(every.take(rows), num_users=500, num_items=900)
    assert part_of_rows(splitter, some) == [whole[row] for row in rows]


def test_shares_are_near_the_ratios():
    split = HashSplit(0.1, 0.2).split(grid(300, 200))
    assert abs(len(split.test) / 60_000 - 0.1) < 0.005
    assert abs(len(split.valid) / 60_000 - 0.2) < 0.007


def test_whole_users_are_held_out_with_a_share_that_is_given():
    every = grid(200, 50)
    split = HashSplit(0.2, 0.1, by="user", given_ratio=0.5).split(every)
    tested, given_users = set(every.user_index[split.test]), set(every.user_index[split.test_fold_in])
    assert tested == given_users and tested.isdisjoint(every.user_index[split.train])
    assert abs(len(split.test_fold_in) / (len(tested) * 50) - 0.5) < 0.05


def test_whole_items_are_held_out():
    every = grid(50, 200)
    split = HashSplit(0.2, 0.1, by="item").split(every)
    assert set(every.item_index[split.test]).isdisjoint(every.item_index[split.train])


@given(extra=st.lists(st.tuples(st.integers(0, 9), st.integers(20, 39)), max_size=30), min_train=st.integers(1, 4))
def test_first_interactions_stay_in_training_and_later_ones_move_nothing(extra, min_train):
    base = grid(10, 20)
    user, item = (np.array([pair[place] for pair in extra], dtype=np.int32) for place in (0, 1))
    grown = Interactions(np.append(base.user_index, user), np.append(base.item_index, item), None, None, None, 10, 40)
    splitter = HashSplit(0.4, 0.4, min_train=min_train)
    before, after = part_of_rows(splitter, base), part_of_rows(splitter, grown)
    assert after[: len(base)] == before
    first = np.flatnonzero(base.item_index < min_train)
    assert all(before[row] == "train" for row in first)


def test_another_seed_holds_out_other_rows():
    tests = [set(HashSplit(seed=seed).split(many()).test.tolist()) for seed in (0, 1)]
    assert tests[0] != tests[1]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"by": "week"}, "by must be pair, user or item"),
        ({"test_ratio": 0.6, "valid_ratio": 0.5}, "must be below 1"),
        ({"min_train": -1}, "min_train must be a whole number"),
        ({"by": "user", "min_train": 1}, "min_train keeps interactions of users in training, but by=user"),
        ({"given_ratio": 1.0}, "given_ratio must be a number"),
    ],
)
def test_wrong_settings_are_told(settings, message):
    with pytest.raises(SplitError, match=message):
        HashSplit(**settings)
