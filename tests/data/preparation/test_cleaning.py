from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recsys.data.interactions import Interactions
from recsys.data.preparation.cleaning import k_core, present
from recsys.errors import DataError

NUM_USERS, NUM_ITEMS = 6, 5


def make(
    pairs: list[tuple[int, int]],
    rating: list[float] | None = None,
    timestamp: list[int] | None = None,
    fold: list[int] | None = None,
) -> Interactions:
    users, items = np.array(pairs, dtype=np.int32).reshape(-1, 2).T
    return Interactions(
        np.ascontiguousarray(users),
        np.ascontiguousarray(items),
        None if rating is None else np.array(rating, dtype=np.float32),
        None if timestamp is None else np.array(timestamp, dtype=np.int64),
        None if fold is None else np.array(fold, dtype=np.int8),
        NUM_USERS,
        NUM_ITEMS,
    )


PAIRS = st.lists(st.tuples(st.integers(0, NUM_USERS - 1), st.integers(0, NUM_ITEMS - 1)), min_size=1, max_size=60)


# --- k-core ----------------------------------------------------------------------------------------------------------


def naive_core(rows: list[tuple[int, int, float]], users_need: int, items_need: int, threshold: float) -> list[int]:
    """Remove one user or item at a time until every one that is left has enough positive interactions."""
    kept = list(range(len(rows)))
    while True:
        per_user = Counter(dict.fromkeys((rows[row][0] for row in kept), 0))
        per_item = Counter(dict.fromkeys((rows[row][1] for row in kept), 0))
        for user, item in {rows[row][:2] for row in kept if rows[row][2] >= threshold}:
            per_user[user] += 1
            per_item[item] += 1
        poor_users = [user for user, count in per_user.items() if users_need > 1 and count < users_need]
        poor_items = [item for item, count in per_item.items() if items_need > 1 and count < items_need]
        if poor_users:
            kept = [row for row in kept if rows[row][0] != poor_users[0]]
        elif poor_items:
            kept = [row for row in kept if rows[row][1] != poor_items[0]]
        else:
            return kept


def test_removing_an_item_can_remove_a_user() -> None:
    # Item 2 has one interaction and goes; user 1 then has one left and goes; items 0 and 1 keep users 0 and 2.
    pairs = [(0, 0), (0, 1), (1, 0), (1, 2), (2, 0), (2, 1)]
    rows, rule = k_core(make(pairs), min_user_interactions=2, min_item_interactions=2)
    assert rows.tolist() == [0, 1, 4, 5]
    assert rule.removed == {"interactions": 2, "users": 1, "items": 1}


def test_a_minimum_of_one_removes_nothing() -> None:
    rows, rule = k_core(make([(0, 0), (1, 4)], rating=[1, 5]), 1, 1, positive_threshold=3)
    assert rows.tolist() == [0, 1]
    assert rule.removed == {"interactions": 0, "users": 0, "items": 0}


def test_only_positive_interactions_count_but_the_others_stay_with_their_user() -> None:
    # User 0 has two ratings of 4 or higher and keeps the 1 as well; user 1 has one and goes.
    interactions = make([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)], rating=[4, 5, 1, 5, 3])
    rows, rule = k_core(interactions, min_user_interactions=2, min_item_interactions=1, positive_threshold=4)
    assert rows.tolist() == [0, 1, 2]
    assert rule.removed == {"interactions": 2, "users": 1, "items": 0}


def test_a_user_whose_items_all_go_is_counted_as_removed() -> None:
    rows, rule = k_core(make([(0, 0), (1, 1), (2, 1)]), min_user_interactions=1, min_item_interactions=2)
    assert rows.tolist() == [1, 2]
    assert rule.removed == {"interactions": 1, "users": 1, "items": 1}


def test_what_is_bought_again_counts_once() -> None:
    # User 0 bought item 0 three times and nothing else: one pair, where two are needed.
    rows, _ = k_core(make([(0, 0), (0, 0), (0, 0), (1, 0), (1, 1), (1, 0)]), 2, 1)
    assert rows.tolist() == [3, 4, 5]


def test_too_high_a_minimum_leaves_nothing() -> None:
    rows, rule = k_core(make([(0, 0), (1, 1)]), min_user_interactions=9, min_item_interactions=1)
    assert rows.tolist() == []
    assert rule.removed == {"interactions": 2, "users": 2, "items": 2}


def test_a_given_split_is_not_filtered() -> None:
    interactions = make([(0, 0), (1, 1)], fold=[0, 2])
    with pytest.raises(DataError, match=r"already split, and min_user_interactions=2.*Set both to 1"):
        k_core(interactions, min_user_interactions=2, min_item_interactions=1)
    assert k_core(interactions, 1, 1)[0].tolist() == [0, 1]


@given(PAIRS, st.data(), st.integers(1, 4), st.integers(1, 4))
def test_the_core_agrees_with_removing_one_at_a_time(
    pairs: list[tuple[int, int]], data: st.DataObject, users_need: int, items_need: int
) -> None:
    ratings = data.draw(st.lists(st.sampled_from([1.0, 2.0, 3.0]), min_size=len(pairs), max_size=len(pairs)))
    rows, _ = k_core(make(pairs, rating=ratings), users_need, items_need, positive_threshold=2.0)
    rated = [(user, item, rating) for (user, item), rating in zip(pairs, ratings, strict=True)]
    assert rows.tolist() == naive_core(rated, users_need, items_need, 2.0)


def test_present_marks_what_occurs() -> None:
    assert present(np.array([3, 0, 3], dtype=np.int32), 5).tolist() == [True, False, False, True, False]
