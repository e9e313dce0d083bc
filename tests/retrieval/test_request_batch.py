import numpy as np
import pytest

from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch


def lists(ragged):
    return [
        ragged.items[start:end].tolist() for start, end in zip(ragged.offsets[:-1], ragged.offsets[1:], strict=True)
    ]


@pytest.fixture
def batch():
    return RequestBatch(
        np.array([4, -1, 7]),
        RaggedItems.of([[1, 2, 3], [], [5]]),
        RaggedItems.of([[1, 2, 3], [], [5, 6]]),
        RaggedItems.of([[], [8], [9, 10, 11]]),
        {"age": np.array([20, 30, 40], dtype=np.float32), "tags": np.array([[0, 1], [-1, -1], [2, -1]])},
    )


def test_users_who_exclude_nothing_have_empty_lists():
    history = RaggedItems.of([[1], [2]])
    made = RequestBatch.of(np.array([0, 1]), history, history)
    assert len(made) == 2
    assert lists(made.exclude_items) == [[], []] and made.features == {}


def test_excluded_items_are_kept():
    history, exclude_items = RaggedItems.of([[1]]), RaggedItems.of([[3]])
    assert RequestBatch.of(np.array([0]), history, history, exclude_items).exclude_items is exclude_items


def test_each_request_excludes_what_it_has_seen_and_what_it_names(batch):
    assert batch.num_excluded.tolist() == [3 + 0, 0 + 1, 2 + 3]


def test_an_empty_batch_excludes_nothing():
    none = RaggedItems.empty(0)
    made = RequestBatch.of(np.zeros(0, dtype=np.int64), none, none)
    assert (len(made), len(made.num_excluded)) == (0, 0)


def test_only_the_history_is_cut_to_its_latest_items(batch):
    cut = batch.latest(2)
    assert lists(cut.history) == [[2, 3], [], [5]]
    assert lists(cut.seen) == [[1, 2, 3], [], [5, 6]]
    assert lists(cut.exclude_items) == lists(batch.exclude_items) and cut.features is batch.features


def test_without_a_limit_nothing_is_cut(batch):
    assert batch.latest(None) is batch


def test_requests_are_taken_in_any_order_with_all_that_is_known(batch):
    taken = batch.take(np.array([2, 0, 2]))
    assert taken.users.tolist() == [7, 4, 7]
    assert lists(taken.history) == [[5], [1, 2, 3], [5]]
    assert lists(taken.seen) == [[5, 6], [1, 2, 3], [5, 6]]
    assert lists(taken.exclude_items) == [[9, 10, 11], [], [9, 10, 11]]
    assert taken.features["age"].tolist() == [40, 20, 40]
    assert taken.features["tags"].tolist() == [[2, -1], [0, 1], [2, -1]]
