import numpy as np
import pytest
import torch

from recsys.recommendation.model_queries import query_of, ragged_items_of, requests_of
from recsys.recommendation.request_batches import requests_of_task
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from tests.models.board_data import NUM_USERS
from tests.models.test_contract import everyone, fitted

COLUMNS = ("offsets", "items", "rating", "timestamp")


@pytest.fixture
def batch():
    history = RaggedItems(
        np.array([0, 2, 2]), np.array([4, 7]), np.array([5, 3], dtype=np.float32), np.array([100, 200])
    )
    features = {"age": np.array([20, np.nan], dtype=np.float32), "tags": np.array([[0, 1], [-1, -1]])}
    return RequestBatch(
        np.array([3, -1]), history, RaggedItems.of([[4, 7, 8], []]), RaggedItems.of([[], [2]]), features
    )


def test_a_query_has_users_histories_and_features(batch):
    query = query_of(batch)
    assert query.users.tolist() == [3, -1] and query.users.dtype == torch.int64
    assert {name: getattr(query.histories, name).tolist() for name in COLUMNS} == {
        "offsets": [0, 2, 2],
        "items": [4, 7],
        "rating": [5, 3],
        "timestamp": [100, 200],
    }
    assert query.features["tags"].tolist() == [[0, 1], [-1, -1]]
    assert query.features["age"].dtype == torch.float32 and query.features["age"].isnan().tolist() == [False, True]


def test_without_ratings_and_times_a_query_has_none():
    histories = query_of(RequestBatch.of(np.array([0]), RaggedItems.of([[1]]), RaggedItems.of([[1]]))).histories
    assert histories.rating is None and histories.timestamp is None


def test_a_query_does_not_share_memory_with_the_requests(batch):
    query = query_of(batch)
    batch.history.items[0] = 9
    assert query.histories.items.tolist() == [4, 7]


def test_there_and_back_everything_but_what_is_excluded_is_the_same(batch):
    back = requests_of(query_of(batch))
    assert back.users.tolist() == [3, -1]
    for name in COLUMNS:
        given, kept = getattr(batch.history, name), getattr(back.history, name)
        assert kept.tolist() == given.tolist() and kept.dtype == given.dtype, name
    for name, values in batch.features.items():
        np.testing.assert_array_equal(back.features[name], values)
    assert len(back) == 2 and back.num_excluded.tolist() == [0, 0]


def test_histories_without_ratings_and_times_have_none_in_numpy():
    histories = query_of(RequestBatch.of(np.array([0]), RaggedItems.of([[1, 2]]), RaggedItems.of([[]]))).histories
    ragged = ragged_items_of(histories)
    assert ragged.items.tolist() == [1, 2] and ragged.rating is None and ragged.timestamp is None


def test_the_query_of_evaluated_users_is_that_of_their_histories():
    board = fitted("ease")
    query, expected = query_of(requests_of_task(board.task, np.arange(NUM_USERS))), everyone(board)
    assert query.users.equal(expected.users)
    for name in COLUMNS:
        given = getattr(query.histories, name)
        assert given.equal(getattr(expected.histories, name)), name
        assert given.dtype == getattr(expected.histories, name).dtype, name
