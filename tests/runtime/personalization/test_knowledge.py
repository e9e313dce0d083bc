import numpy as np
import pytest

from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from recsys.runtime.personalization.knowledge import ITEMS, RATINGS, InformedRanker, Knowledge, Reads

NAN = float("nan")

#: Items 0 and 2 of three, and users 0 and 1 of three were in training.
KNOWN_ITEMS, KNOWN_USERS = np.array([True, False, True]), np.array([True, True, False])


def batch(users, histories=None, ratings=None, features=None):
    history = RaggedItems.of(histories or [[] for _ in users])
    rating = None if ratings is None else np.array(ratings, dtype=np.float32)
    history = RaggedItems(history.offsets, history.items, rating)
    return RequestBatch(
        np.array(users, dtype=np.int64), history, history, RaggedItems.empty(len(users)), features or {}
    )


def told(reads, requests):
    return Knowledge(reads, KNOWN_ITEMS, KNOWN_USERS).told(requests).tolist()


def test_a_model_that_reads_nothing_is_told_nothing():
    reads = Reads(None, False)
    assert reads.nothing
    assert told(reads, batch([0, -1], [[0], [2]])) == [False, False]


def test_an_id_tells_where_it_was_trained():
    assert told(Reads(None, True), batch([0, 1, 2, -1, 7], [[], [], [0], [0], [0]])) == [
        True,
        True,
        False,
        False,
        False,
    ]


def test_a_history_tells_by_the_items_that_were_trained():
    reads = Reads(ITEMS, False)
    assert not reads.nothing
    assert told(reads, batch([0, -1, -1, -1], [[], [1], [1, 2], [0]])) == [False, False, True, True]
    assert told(reads, batch([-1], [[3]])) == [False]  # one that came later than the model


def test_a_history_of_which_ratings_count_tells_nothing_without_them():
    reads = Reads(RATINGS, False)
    assert told(reads, batch([-1, -1], [[0], [2]])) == [False, False]
    assert told(reads, batch([-1, -1, -1], [[0], [1, 2], [1]], [NAN, 3, 4, 5])) == [False, True, False]


def test_columns_tell_where_a_value_is_known():
    features = {
        "age": np.array([NAN, 24, NAN], dtype=np.float32),
        "tags": np.array([[-1, -1], [-1, -1], [-1, 3]]),
        "other": np.array([1.0, 1.0, 1.0], dtype=np.float32),
    }
    assert told(Reads(None, False, ("age", "tags")), batch([-1, -1, -1], features=features)) == [False, True, True]
    assert told(Reads(None, False, ("shoes",)), batch([-1], features={})) == [False]


def test_any_of_them_is_enough():
    assert told(Reads(ITEMS, True), batch([0, -1, 2, -1], [[], [0], [1], [1]])) == [True, True, False, False]


def test_of_no_requests_and_of_no_items_nothing_is_told():
    assert told(Reads(ITEMS, True), batch([])) == []
    empty = Knowledge.whole(0, 0, Reads(ITEMS, True))
    assert empty.told(batch([0], [[0]])).tolist() == [False]


class Counts:
    """Scores candidates by their numbers, and keeps how many requests it was asked about."""

    def __init__(self):
        self.asked = []

    def score(self, requests, items):
        self.asked.append(len(requests))
        return items.astype(np.float32)


@pytest.mark.parametrize(
    ("users", "asked"), [([0, -1, 1], [2]), ([0, 1, 0], [3]), ([-1, 2, -1], [])], ids=["some", "all", "none"]
)
def test_a_ranker_scores_for_whom_it_knows(users, asked):
    ranker, items = Counts(), np.array([[5, 6]] * 3)
    scores = InformedRanker(ranker, Knowledge(Reads(None, True), KNOWN_ITEMS, KNOWN_USERS)).score(batch(users), items)
    assert ranker.asked == asked
    known = [0 <= user < 2 for user in users]
    np.testing.assert_array_equal(scores, [[5, 6] if one else [NAN, NAN] for one in known])
