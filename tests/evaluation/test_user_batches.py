from __future__ import annotations

import torch

from recsys.evaluation.user_batches import UserBatch, UserBatches
from tests.evaluation.test_ranking import make_task

# User 0 has three known items, user 1 none, user 2 one; user 3 has two and nothing to be found.
TASK = make_task([(0, 1), (0, 2), (0, 3), (2, 0), (3, 0), (3, 1)], [(0, 4), (1, 4), (2, 4)], num_users=4, num_items=5)


def test_users_come_in_their_order_and_once():
    batches = list(UserBatches(TASK, 2))
    assert [batch.users.tolist() for batch in batches] == [[0, 1], [2]]
    assert len(UserBatches(TASK, 2)) == 2


def test_sizes_are_those_that_the_device_would_tell():
    for batch in UserBatches(TASK, 2):
        assert batch.history_lengths.tolist() == TASK.histories.counts[batch.users].tolist()
        assert batch.num_seen == TASK.seen.counts[batch.users].sum()


def test_a_batch_of_known_sizes_has_the_same_query_and_the_same_seen_items():
    batch = UserBatches(TASK, 3).at(slice(1, 3))
    known, asked = TASK.query(batch.users, batch.history_lengths), TASK.query(batch.users)
    assert known.histories.items.tolist() == asked.histories.items.tolist() == [0]
    assert known.histories.offsets.tolist() == asked.histories.offsets.tolist() == [0, 0, 1]
    scores = torch.zeros(2, 5)
    TASK.mask_seen(scores, batch.users, batch.num_seen)
    assert scores.isinf().nonzero().tolist() == [[1, 0]]


def test_a_slice_beyond_the_users_ends_with_them():
    assert UserBatches(TASK, 2).at(slice(2, 9)).users.tolist() == [2]


def test_a_batch_is_as_long_as_its_users():
    assert len(UserBatch(torch.tensor([3, 1]))) == 2
