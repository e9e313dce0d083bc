from __future__ import annotations

import pytest
import torch

from recsys.evaluation.ranked_batch import rank_users
from recsys.evaluation.ranked_lists import TaskRanker
from tests.evaluation.score_table import ScoreTable
from tests.evaluation.test_ranking import random_case


class SmallDevice(ScoreTable):
    """Has memory for ``most`` users at once."""

    def __init__(self, scores, most):
        super().__init__(scores)
        self.most = most
        self.asked = []

    def score(self, query):
        self.asked.append(len(query))
        if len(query) > self.most:
            raise torch.OutOfMemoryError("no room")
        return super().score(query)


@pytest.mark.parametrize("batch_size", [1, 7, 1000])
def test_the_lists_are_those_of_a_batch_of_all_users(batch_size):
    task, scores, *_ = random_case(seed=1)
    lists = TaskRanker(task, 5).make(ScoreTable(scores), batch_size)
    assert lists.items.equal(rank_users(ScoreTable(scores), task, task.users, 5).items.int())
    assert lists.cold is None


def test_some_items_are_ranked_among_themselves_as_well():
    task, scores, *_ = random_case(seed=2)
    cold = torch.tensor([3, 4, 11, 20])
    lists = TaskRanker(task, 5, cold, 3).make(ScoreTable(scores), 4)
    others = scores.clone()
    others[:, [item for item in range(25) if item not in cold.tolist()]] = torch.nan
    assert lists.cold is not None
    assert lists.cold.equal(rank_users(ScoreTable(others), task, task.users, 3).items.int())


def test_batches_are_halved_until_they_fit_the_memory():
    task, scores, *_ = random_case(seed=3)
    model = SmallDevice(scores, most=5)
    ranked = []
    lists = TaskRanker(task, 5).make(model, 1000, ranked.append)
    assert lists.items.equal(TaskRanker(task, 5).make(ScoreTable(scores), 1000).items)
    num_users = len(task.users)
    assert model.asked[0] == num_users
    assert max(ranked) <= 5 < 2 * max(ranked) + 1
    assert sum(ranked) == num_users


def test_a_device_without_room_for_one_user_is_an_error():
    task, scores, *_ = random_case(seed=3)
    with pytest.raises(torch.OutOfMemoryError, match="no room"):
        TaskRanker(task, 5).make(SmallDevice(scores, most=0), 8)
