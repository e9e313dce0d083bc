from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.errors import EvaluationError
from recsys.evaluation.known_items import KnownItems
from recsys.evaluation.ranking_task import RankingTask
from recsys.retrieval.seen_policy import SeenPolicy

INF = math.inf
BUY_AGAIN = KnownItems(SeenPolicy(False), "keep")


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


def test_users_are_those_with_new_held_out_items(interactions, split):
    assert RankingTask.from_split(interactions, split, "test").users.tolist() == [1]
    assert RankingTask.from_split(interactions, split, "test", known_items=BUY_AGAIN).users.tolist() == [0, 1]
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


@pytest.mark.parametrize("repeats", ["drop", "keep"])
def test_known_items_are_masked(interactions, split, repeats):
    task = RankingTask.from_split(interactions, split, "test", known_items=KnownItems(repeats=repeats))
    scores = torch.tensor([[1.0, 2.0, 3.0, 4.0, 5.0], [6.0, 7.0, 8.0, 9.0, 10.0]])
    task.mask_seen(scores, torch.tensor([0, 1]))
    # user 0 knows 1, 0 and 3, and item 3 is held out; user 1 knows 3
    assert scores.tolist() == [[-INF, -INF, 3.0, -INF, 5.0], [6.0, 7.0, 8.0, -INF, 10.0]]


def test_known_pairs_are_not_to_be_found_unless_they_are_kept(interactions, split):
    new = RankingTask.from_split(interactions, split, "test")
    assert [index.tolist() for index in (new.targets.users, new.targets.items)] == [[1], [2]]
    assert (new.repeated, new.known_share) == (None, 0.5)
    both = RankingTask.from_split(interactions, split, "test", known_items=BUY_AGAIN)
    assert [index.tolist() for index in (both.targets.users, both.targets.items)] == [[0, 1], [3, 2]]
    assert [index.tolist() for index in (both.repeated.users, both.repeated.items)] == [[0], [3]]
    assert (both.known_share, len(both.seen)) == (0.5, 0)
    assert RankingTask.from_split(interactions, split, "valid").known_share == 0


def test_items_come_back_some_days_after_their_last_interaction(interactions, split):
    days = SeenPolicy(True, 1.0)
    # User 0 is recommended to on day 11 and had items 1, 3 and 0 on days 1, 9 and 10; user 1 on day 2, item 3 on day 1.
    daily = replace(interactions, timestamp=interactions.timestamp * 86_400)
    task = RankingTask.from_split(daily, split, "test", known_items=KnownItems(days, "keep"))
    assert list(zip(task.seen.users.tolist(), task.seen.items.tolist(), strict=True)) == []
    days = SeenPolicy(True, 1.5)
    task = RankingTask.from_split(daily, split, "test", known_items=KnownItems(days, "keep"))
    assert list(zip(task.seen.users.tolist(), task.seen.items.tolist(), strict=True)) == [(0, 0), (1, 3)]


def test_items_cannot_come_back_after_days_without_times(interactions, split):
    timeless = replace(interactions, timestamp=None)
    with pytest.raises(EvaluationError, match=r"exclude_seen=\{after_days: 1\} needs the times of interactions"):
        RankingTask.from_split(timeless, split, "test", known_items=KnownItems(SeenPolicy(True, 1.0)))


def test_what_preparation_merged_was_known_before(interactions, split):
    # Row 4, the test of user 1, stands for two interactions of which one was in time for training.
    merged = replace(interactions, first_timestamp=np.where(np.arange(7) == 4, 0, interactions.timestamp))
    marked = replace(split, seen_before=np.array([4]))
    task = RankingTask.from_split(merged, marked, "test")
    assert (task.users.tolist(), task.known_share) == ([], 1.0)
    assert task.seen.contains(torch.tensor([1]), torch.tensor([2])).tolist() == [True]
    kept = RankingTask.from_split(merged, marked, "test", known_items=BUY_AGAIN)
    assert kept.repeated.counts.tolist() == [1, 1, 0, 0]


def test_what_repeats_counts_once_in_popularity_and_activity(interactions):
    rows = np.array([0, 1, 6, 3])  # user 0 has item 3 twice
    task = RankingTask.from_split(interactions, Split(rows, rows[:0], np.array([5])), "test")
    assert task.training_item_counts.tolist() == [0, 1, 0, 2, 0]
    assert task.training_user_counts.tolist() == [2, 1, 0, 0]


def test_rows_are_masked_in_the_order_of_the_users_given(interactions, split):
    task = RankingTask.from_split(interactions, split, "test")
    scores = torch.zeros(2, 5)
    task.mask_seen(scores, torch.tensor([1, 3]))
    assert scores.tolist() == [[0, 0, 0, -INF, 0], [0, 0, 0, 0, 0]]


def test_held_out_items_are_targets_and_no_item_never_is(interactions, split):
    task = RankingTask.from_split(interactions, split, "test", known_items=BUY_AGAIN)
    items = torch.tensor([[3, 2, -1], [3, 2, 0]])
    assert task.is_target(torch.tensor([0, 1]), items).tolist() == [[True, False, False], [False, True, False]]


def test_no_item_is_no_target_even_where_item_zero_is(interactions, split):
    task = RankingTask.from_split(interactions, split, "valid")  # item 0 is held out for user 0
    assert task.is_target(torch.tensor([0]), torch.tensor([[-1, 0]])).tolist() == [[False, True]]


class TestLikesAmongRatings:
    # rows:                0     1     2      3     4     5      6
    positive = np.array([True, False, True, True, False, True, True])

    def test_only_likes_are_to_be_found(self, interactions, split):
        task = RankingTask.from_split(interactions, split, "test", positive=self.positive, known_items=BUY_AGAIN)
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


def test_a_sample_of_users_is_the_same_for_a_seed_and_keeps_all_else():
    users = np.arange(100, dtype=np.int32)
    pairs = Interactions(users, np.zeros(100, dtype=np.int32), None, None, None, num_users=100, num_items=1)
    nothing = np.empty(0, dtype=np.int64)
    task = RankingTask.from_split(pairs, Split(nothing, nothing, np.arange(100)), "test")
    some, again, other = (task.sampled(30, seed) for seed in (1, 1, 2))
    assert some.users.equal(again.users) and not some.users.equal(other.users)
    assert (some.users.unique().equal(some.users), len(some.users), some.sampled_from) == (True, 30, 100)
    assert some.targets is task.targets
    assert task.sampled(100) is task.sampled(None) is task
