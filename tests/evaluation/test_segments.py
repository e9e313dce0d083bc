from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.evaluation.segments import (
    Segment,
    cold_status_of,
    item_popularity_of,
    relevant_by_segment,
    segment_means,
    user_activity_of,
)


def test_users_are_divided_into_thirds():
    assert user_activity_of(torch.tensor([5, 1, 9, 2, 7, 3])).tolist() == [1, 0, 2, 0, 2, 1]


def test_equal_users_go_to_the_lower_part_together():
    # the first third of six is two users; the second smallest count is 1, and three users have it
    assert user_activity_of(torch.tensor([1, 1, 1, 2, 2, 9])).tolist() == [0, 0, 0, 1, 1, 2]


def test_users_who_are_all_alike_are_all_low():
    assert user_activity_of(torch.tensor([4, 4, 4, 4])).tolist() == [0] * 4


def test_one_user_is_low():
    assert user_activity_of(torch.tensor([3])).tolist() == [0]


def test_no_users_have_no_segments():
    assert user_activity_of(torch.zeros(0, dtype=torch.int64)).tolist() == []


@given(st.lists(st.integers(0, 8), min_size=1, max_size=40))
def test_each_part_reaches_its_share_of_users_with_as_few_counts_as_possible(counts):
    activity = user_activity_of(torch.tensor(counts)).numpy()
    ordered = np.array(counts)
    for part, share in ((0, 1 / 3), (1, 2 / 3)):
        end = min(count for count in counts if (ordered <= count).mean() >= share - 1e-9)
        np.testing.assert_array_equal(activity <= part, ordered <= end)


def test_items_are_divided_at_half_and_four_fifths_of_training():
    # 40 + 10 = 50 of 100 make the head; 20 + 10 = 30 the middle; 15 + 5 the tail. Equal items by index.
    counts = torch.tensor([10, 40, 5, 20, 10, 15])
    #  descending: 40 (item 1), 20 (item 3), 15 (item 5), 10 (item 0), 10 (item 4), 5 (item 2)
    #  before:     0            40           60           75           85           95
    assert item_popularity_of(counts).tolist() == [1, 0, 2, 0, 2, 1]


def test_the_item_that_reaches_a_share_exactly_is_the_last_of_its_part():
    # 50, 30, 20 of 100: before them 0, 50, 80
    assert item_popularity_of(torch.tensor([20, 50, 30])).tolist() == [2, 0, 1]


def test_equally_popular_items_are_divided_by_index():
    assert item_popularity_of(torch.tensor([1] * 10)).tolist() == [0] * 5 + [1] * 3 + [2] * 2


def test_items_without_training_are_tail():
    assert item_popularity_of(torch.tensor([0, 7, 0])).tolist() == [2, 0, 2]
    assert item_popularity_of(torch.tensor([0, 0])).tolist() == [2, 2]


def test_an_empty_catalogue_has_no_segments():
    assert item_popularity_of(torch.zeros(0, dtype=torch.int64)).tolist() == []


def test_boundaries_are_exact_for_large_counts():
    # The first item has exactly four fifths, or one interaction less: in 32-bit floating point both are equal.
    counts = torch.tensor([4 * 2**26 + 4, 2**26 + 1])
    assert item_popularity_of(counts).tolist() == [0, 2]
    assert item_popularity_of(counts - torch.tensor([1, 0])).tolist() == [0, 1]


def test_what_has_no_training_interaction_is_cold():
    assert cold_status_of(torch.tensor([3, 0, 1, 0])).tolist() == [0, 1, 0, 1]
    assert cold_status_of(torch.zeros(0, dtype=torch.int64)).tolist() == []


def test_relevant_items_are_counted_by_segment():
    popularity = torch.tensor([0, 0, 1, 2])
    rows, items = torch.tensor([0, 0, 0, 2]), torch.tensor([0, 1, 3, 2])
    assert relevant_by_segment(rows, items, popularity, 3, 3).tolist() == [[2, 0, 1], [0, 0, 0], [0, 1, 0]]


def test_means_are_taken_within_each_segment():
    values = np.array([[1.0, 0.0], [0.0, 0.5], [1.0, np.nan]])
    low, mid, high = segment_means("user_activity", ("low", "mid", "high"), np.array([0, 2, 0]), ["a", "b"], values)
    assert low == Segment("user_activity", "low", 2, {"a": 1.0, "b": 0.0})
    assert (mid.name, mid.num_users) == ("mid", 0)
    assert list(mid.means.values()) == pytest.approx([np.nan, np.nan], nan_ok=True)
    assert high == Segment("user_activity", "high", 1, {"a": 0.0, "b": 0.5})
