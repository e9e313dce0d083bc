from __future__ import annotations

import numpy as np
import pytest
import torch

from recsys.evaluation.item_segments import ItemSegments


#: Items 0 and 1 are head, 2 and 3 are tail.
def segments(rows, targets, num_users):
    pairs = torch.tensor(rows), torch.tensor(targets)
    return ItemSegments("item_popularity", ("head", "tail"), torch.tensor([0, 0, 1, 1]), 2, pairs, num_users)


# User 0 has held out 0 and 3, user 1 has held out 3, user 2 has held out 0.
SEGMENTS = segments([0, 0, 1, 2], [0, 3, 3, 0], 3)
HEAD, TAIL = "item_popularity=head/recall@2", "item_popularity=tail/recall@2"


def test_each_segment_has_a_column():
    assert SEGMENTS.columns == [HEAD, TAIL]


def test_held_out_items_are_counted_by_user_and_segment():
    assert SEGMENTS.num_relevant.tolist() == [[1, 1], [0, 1], [1, 0]]


def test_recall_is_over_the_held_out_items_of_the_segment():
    # User 0 is recommended 0 and 2; user 1 is recommended 3 alone.
    items, hits = torch.tensor([[0, 2], [3, -1]]), torch.tensor([[True, False], [True, False]])
    recalls = SEGMENTS.recalls(items, hits, slice(0, 2))
    assert list(recalls) == SEGMENTS.columns
    assert recalls[HEAD][0].item() == 1.0
    assert recalls[HEAD][1].isnan()  # nothing of the head is held out
    assert recalls[TAIL].tolist() == [0.0, 1.0]


def test_a_batch_is_measured_by_what_its_own_users_have_held_out():
    recalls = SEGMENTS.recalls(torch.tensor([[0, 2]]), torch.tensor([[True, False]]), slice(2, 3))
    assert recalls[HEAD].tolist() == [1.0]
    assert recalls[TAIL].isnan().all()


def test_ranks_beyond_the_cut_off_do_not_count():
    recalls = segments([0], [0], 1).recalls(
        torch.tensor([[2, 3, 0]]), torch.tensor([[False, False, True]]), slice(0, 1)
    )
    assert recalls[HEAD].tolist() == [0.0]


def test_means_are_over_the_users_with_a_held_out_item():
    head, tail = SEGMENTS.means(
        {HEAD: np.array([1.0, np.nan, 0.5]), TAIL: np.array([np.nan] * 3), "ndcg@2": np.ones(3)}
    )
    assert (head.group, head.name, head.num_users, head.means) == ("item_popularity", "head", 2, {"recall@2": 0.75})
    assert (tail.name, tail.num_users) == ("tail", 0)
    assert np.isnan(tail.means["recall@2"])


def test_a_missing_column_is_an_error():
    with pytest.raises(KeyError, match="item_popularity=head/recall@2"):
        SEGMENTS.means({})
