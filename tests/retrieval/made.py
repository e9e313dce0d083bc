"""Made catalogues, requests and retrievers for tests of retrieval."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st

from recsys.retrieval.candidates import Candidates
from recsys.retrieval.item_columns import Values
from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.top_k import top_k


class TableRetriever:
    """Retrieves by a table of scores, a row for each user, and writes down how deep it was asked."""

    def __init__(self, scores, exact=True):
        self.exact = exact
        self.scores = np.asarray(scores, dtype=np.float64)
        self.num_items = self.scores.shape[1]
        self.asked: list[tuple[int, int]] = []

    def retrieve(self, requests, num_candidates):
        self.asked.append((len(requests), num_candidates))
        return top_k(self.scores[requests.users], num_candidates)


class TableRanker:
    """Ranks by a table of scores, a row for each user."""

    def __init__(self, scores):
        self.scores = np.asarray(scores, dtype=np.float64)

    def score(self, requests, items):
        return self.scores[requests.users[:, None], np.maximum(items, 0)]


def requests(history=None, seen=None, exclude_items=None, num_requests=None):
    """Requests of the users 0, 1, ..., of lists of items."""
    given = next(lists for lists in (history, seen, exclude_items, [[]] * (num_requests or 0)) if lists is not None)
    none = [[]] * len(given)
    history, seen, exclude_items = (
        RaggedItems.of(none if lists is None else lists) for lists in (history, seen, exclude_items)
    )
    return RequestBatch(np.arange(len(given)), history, seen, exclude_items)


def candidates(items, scores):
    return Candidates(np.array(items, dtype=np.int64), np.array(scores, dtype=np.float64))


def clustered(num_items=2000, dim=16, num_queries=40, seed=3):
    """Vectors of items around a few tastes, of lengths that differ, and queries between tastes."""
    rng = np.random.default_rng(seed)
    tastes = rng.normal(size=(25, dim))
    items = tastes[rng.integers(0, 25, num_items)] + 0.4 * rng.normal(size=(num_items, dim))
    items *= rng.lognormal(0, 0.4, (num_items, 1))
    queries = tastes[rng.integers(0, 25, (num_queries, 2))].mean(axis=1) + 0.1 * rng.normal(size=(num_queries, dim))
    return items.astype(np.float32), queries.astype(np.float32)


def values(of_items, num_values):
    """Coded values out of a list of codes for each item."""
    items = [item for item, codes in enumerate(of_items) for _ in codes]
    codes = [code for codes in of_items for code in sorted(codes)]
    return Values(
        np.array(items, dtype=np.int64),
        np.array(codes, dtype=np.int64),
        tuple(f"v{code}" for code in range(num_values)),
        len(of_items),
    )


@st.composite
def worlds(draw, max_users=4, max_items=14, num_values=4):
    """Scores of a small catalogue (ties and unscored items included), what was seen and blocked, and genres."""
    num_users, num_items = draw(st.integers(1, max_users)), draw(st.integers(1, max_items))
    number = st.sampled_from([float("nan"), -1.0, 0.0, 0.25, 0.5, 1.0, 3.0])
    row = st.lists(number, min_size=num_items, max_size=num_items)
    items = st.lists(st.integers(0, num_items - 1), max_size=num_items, unique=True)
    genre = st.lists(st.integers(0, num_values - 1), max_size=3, unique=True)

    def lists(of):
        return st.lists(of, min_size=num_users, max_size=num_users)

    return {
        "scores": np.array(draw(lists(row))),
        "seen": draw(lists(items)),
        "exclude_items": draw(lists(items)),
        "genres": values(draw(st.lists(genre, min_size=num_items, max_size=num_items)), num_values),
        "mask": np.array(draw(st.lists(st.booleans(), min_size=num_items, max_size=num_items))),
        "k": draw(st.integers(1, num_items + 2)),
        "num_candidates": draw(st.integers(1, num_items + 2)),
    }


def recall(found, best):
    """The mean share of the best items that was found, over queries that find anything."""
    return np.mean(
        [len(set(row) & set(other)) / len(other) for row, other in zip(found, best, strict=True) if other[0] >= 0]
    )
