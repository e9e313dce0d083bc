from __future__ import annotations

import math

import pytest
import torch

from recsys.errors import ModelError
from recsys.evaluation.known_items import KnownItems
from recsys.evaluation.ranked_batch import rank_users
from recsys.retrieval.seen_policy import SeenPolicy
from tests.evaluation.score_table import SharedRow
from tests.evaluation.test_ranking import make_task


def test_known_items_are_left_out_and_held_out_ones_are_hits():
    task = make_task(train=[(0, 3), (1, 0)], test=[(0, 1), (1, 3), (1, 2)], num_users=2, num_items=4)
    ranked = rank_users(SharedRow([1.0, 2.0, 3.0, 4.0]), task, torch.tensor([0, 1]), 3)
    assert ranked.items.tolist() == [[2, 1, 0], [3, 2, 1]]
    assert ranked.hits.tolist() == [[False, True, False], [True, True, False]]
    assert ranked.num_relevant.tolist() == [1, 2]


def test_what_the_model_keeps_is_not_changed():
    task = make_task(train=[(0, 3)], test=[(0, 1)], num_users=1, num_items=4)
    model = SharedRow([1.0, 2.0, 3.0, 4.0])
    rank_users(model, task, torch.tensor([0]), 3)
    assert model.row.tolist() == [1.0, 2.0, 3.0, 4.0]


def test_a_unscored_held_out_item_is_not_found():
    task = make_task(train=[], test=[(0, 1)], num_users=1, num_items=3)
    ranked = rank_users(SharedRow([1.0, math.nan, 3.0]), task, torch.tensor([0]), 3)
    assert ranked.items.tolist() == [[2, 0, -1]]
    assert not ranked.hits.any()
    assert ranked.num_relevant.tolist() == [1]


@pytest.mark.parametrize(
    ("exclude_seen", "items", "hits"),
    [(False, [2, 1, 0], [True, False, False]), (True, [0, -1, -1], [False, False, False])],
)
def test_a_repeated_item_can_be_found_where_it_may_be_recommended(exclude_seen, items, hits):
    known_items = KnownItems(SeenPolicy(exclude_seen), "keep")
    task = make_task(train=[(0, 2), (0, 1)], test=[(0, 2)], num_users=1, num_items=3, known_items=known_items)
    ranked = rank_users(SharedRow([1.0, 2.0, 3.0]), task, torch.tensor([0]), 3)
    assert (ranked.items.tolist(), ranked.hits.tolist()) == ([items], [hits])
    assert ranked.num_relevant.tolist() == [1]


@pytest.mark.parametrize(
    ("row", "came"), [([1.0, 2.0], r"torch.float32 of shape \[1, 2\]"), ([1, 2, 3], r"torch.int64 of shape \[1, 3\]")]
)
def test_scores_of_another_catalogue_or_type_are_an_error(row, came):
    task = make_task(train=[], test=[(0, 1)], num_users=1, num_items=3)
    with pytest.raises(ModelError, match=rf"\[users, items\] = \[1, 3\]; SharedRow returned {came}"):
        rank_users(SharedRow(row), task, torch.tensor([0]), 3)
