from types import SimpleNamespace

import numpy as np
import pytest

from recsys.export.history_truncation import cost_of_cut
from recsys.export.served_models import ExportedModels
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch

NUM_ITEMS = 24


def scores_near_the_first(requests: RequestBatch) -> np.ndarray:
    """The nearer an item to the first one of the history, by its index, the better; with no item, to item 0."""
    scores = np.zeros((len(requests), NUM_ITEMS), dtype=np.float32)
    for row in range(len(requests)):
        history = requests.history.take(np.array([row])).items
        scores[row] = -np.abs(np.arange(NUM_ITEMS) - (history[0] if len(history) else 0) - 0.1)
    return scores


def models(rank: object = None, item_vectors: np.ndarray | None = None, encode=scores_near_the_first) -> ExportedModels:
    return ExportedModels(encode, rank, item_vectors, 0, {})


def batch(*histories: list[int], seen: list[list[int]] | None = None) -> RequestBatch:
    nobody = np.full(len(histories), -1)
    return RequestBatch.of(nobody, RaggedItems.of(histories), RaggedItems.of(seen or [[] for _ in histories]))


def test_a_cut_that_changes_no_list_costs_nothing():
    whole = batch([0, 1, 2], [5])
    assert cost_of_cut(models(), whole, whole, 10) == {
        "top_10_overlap": 1.0,
        "share_of_users": 0.0,
        "top_10_overlap_of_these": 1.0,
    }


def test_the_overlap_of_all_and_of_those_whose_history_is_cut():
    # The first list is 0 to 9 with the whole history, and 2 to 11, the nearest to 6.1, with the cut one: 8 of 10 stay.
    # Those of the second user stay all.
    cost = cost_of_cut(models(), batch([0, 6], [20]), batch([6], [20]), 10)
    assert cost == pytest.approx({"top_10_overlap": 0.9, "share_of_users": 0.5, "top_10_overlap_of_these": 0.8})


def test_what_was_seen_is_in_no_list():
    # Only items 0 and 1 are left, so that both lists are the same two, whatever they are asked with.
    seen = [list(range(2, NUM_ITEMS))]
    cost = cost_of_cut(models(), batch([0, 20], seen=seen), batch([20], seen=seen), 10)
    assert cost["top_10_overlap_of_these"] == 1.0


def test_lists_without_items_are_as_they_were():
    nothing_left = [list(range(NUM_ITEMS))]
    cost = cost_of_cut(models(), batch([0, 20], seen=nothing_left), batch([20], seen=nothing_left), 10)
    assert cost == {"top_10_overlap": 1.0, "share_of_users": 1.0, "top_10_overlap_of_these": 1.0}


def test_vectors_meet_those_of_the_items():
    vectors = np.eye(NUM_ITEMS, dtype=np.float32)[::-1]
    turned = cost_of_cut(models(item_vectors=vectors), batch([0, 6]), batch([6]), 10)
    # The last item has the first number of an encoded row, so that all is mirrored, and as much stays.
    assert turned["top_10_overlap"] == pytest.approx(0.8)


def test_a_ranker_chooses_the_list_from_the_candidates():
    ranker = SimpleNamespace(score=lambda requests, items: items.astype(np.float64))  # the highest index first
    # Of candidates 0 to 11 it takes 2 to 11; of the 12 nearest to 7.1, which are 2 to 13, it takes 4 to 13.
    cost = cost_of_cut(models(ranker), batch([0, 7]), batch([7]), 12)
    assert cost["top_10_overlap"] == pytest.approx(0.8)
