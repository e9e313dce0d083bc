from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.evaluation.ranking_task import RankingTask

INF = math.inf


@pytest.fixture
def interactions():
    # rows:           0  1  2  3  4  5  6
    users = np.array([0, 0, 0, 1, 1, 2, 0], dtype=np.int32)
    items = np.array([3, 1, 0, 3, 2, 1, 3], dtype=np.int32)  # row 6: user 0 comes back to item 3
    time = np.array([9, 1, 10, 1, 2, 1, 11], dtype=np.int64)
    return Interactions(users, items, None, time, None, num_users=4, num_items=5)


@pytest.fixture
def split():
    def rows(*positions):
        return np.array(positions, dtype=np.int64)

    return Split(train=rows(0, 1, 3, 5), valid=rows(2), test=rows(4, 6))


def test_users_are_those_with_held_out_items(interactions, split):
    assert RankingTask.from_split(interactions, split, "test").users.tolist() == [0, 1]
    assert RankingTask.from_split(interactions, split, "valid").users.tolist() == [0]


def test_a_split_without_held_out_rows_has_no_users(interactions, split):
    none = np.empty(0, dtype=np.int64)
    assert RankingTask.from_split(interactions, Split(split.train, none, none), "test").users.tolist() == []


def test_validation_items_are_known_at_test_time_and_in_order_of_time(interactions, split):
    query = RankingTask.from_split(interactions, split, "test").query(torch.tensor([0, 1]))
    assert query.users.tolist() == [0, 1]
    assert query.histories.items.tolist() == [1, 3, 0, 3]
    assert query.histories.offsets.tolist() == [0, 3, 4]


def test_only_training_is_known_at_validation_time(interactions, split):
    query = RankingTask.from_split(interactions, split, "valid").query(torch.tensor([0]))
    assert query.histories.items.tolist() == [1, 3]


@pytest.mark.parametrize("stage", ["valid", "test"])
def test_popularity_and_activity_come_from_training_in_every_stage(interactions, split, stage):
    task = RankingTask.from_split(interactions, split, stage)
    assert task.training_item_counts.tolist() == [0, 2, 0, 2, 0]
    assert task.training_user_counts.tolist() == [2, 1, 1, 0]


def test_known_items_are_masked_but_a_held_out_one_keeps_its_score(interactions, split):
    task = RankingTask.from_split(interactions, split, "test")
    scores = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]])
    task.mask_seen(scores, torch.tensor([0, 1]))
    # user 0 knows 1, 0 and 3, and item 3 is held out; user 1 knows 3
    assert scores.tolist() == [[-INF, -INF, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, -INF, 10.0]]


def test_rows_are_masked_in_the_order_of_the_users_given(interactions, split):
    task = RankingTask.from_split(interactions, split, "test")
    scores = torch.zeros(2, 5)
    task.mask_seen(scores, torch.tensor([1, 3]))
    assert scores.tolist() == [[0, 0, 0, -INF, 0], [0, 0, 0, 0, 0]]


def test_held_out_items_are_targets_and_no_item_never_is(interactions, split):
    task = RankingTask.from_split(interactions, split, "test")
    items = torch.tensor([[3, 2, -1], [3, 2, 0]])
    assert task.is_target(torch.tensor([0, 1]), items).tolist() == [[True, False, False], [False, True, False]]


def test_no_item_is_no_target_even_where_item_zero_is(interactions, split):
    task = RankingTask.from_split(interactions, split, "valid")  # item 0 is held out for user 0
    assert task.is_target(torch.tensor([0]), torch.tensor([[-1, 0]])).tolist() == [[False, True]]


class TestLikesAmongRatings:
    # rows:                0     1     2      3     4     5      6
    positive = np.array([True, False, True, True, False, True, True])

    def test_only_likes_are_to_be_found(self, interactions, split):
        task = RankingTask.from_split(interactions, split, "test", positive=self.positive)
        assert task.users.tolist() == [0]  # the one held-out item of user 1 is not liked
        assert task.targets.pairs_of(torch.tensor([0]))[1].tolist() == [3]

    @pytest.mark.parametrize("rated", [True, False])
    def test_every_known_item_is_seen(self, interactions, split, rated):
        task = RankingTask.from_split(interactions, split, "test", positive=self.positive, rated_histories=rated)
        assert task.seen.pairs_of(torch.tensor([0]))[1].tolist() == [0, 1, 3]

    def test_a_model_of_likes_is_given_likes_and_a_model_of_ratings_everything(self, interactions, split):
        likes = RankingTask.from_split(interactions, split, "test", positive=self.positive)
        ratings = RankingTask.from_split(interactions, split, "test", positive=self.positive, rated_histories=True)
        assert likes.query(torch.tensor([0])).histories.items.tolist() == [3, 0]
        assert ratings.query(torch.tensor([0])).histories.items.tolist() == [1, 3, 0]
