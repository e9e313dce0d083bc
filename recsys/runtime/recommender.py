"""Answers from a bundle in this process: ONNX Runtime, an index, rules, a ranker. No PyTorch.

Shape suffixes: B requests of a batch, K list length, L history.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from recsys.errors import RecsysError
from recsys.retrieval.arrays import FloatArray, IntArray
from recsys.retrieval.item_lists import ItemLists
from recsys.retrieval.pipeline import Pipeline
from recsys.retrieval.re_rankers import re_ranker
from recsys.retrieval.requests import Requests
from recsys.retrieval.retrievers import IndexRetriever, SameForAll
from recsys.retrieval.rules import Rule, between, only, without
from recsys.runtime.asking import Asked, Recommendation
from recsys.runtime.bundle import Bundle
from recsys.runtime.micro_batching import MicroBatcher
from recsys.runtime.stages import OnnxEncoder, OnnxRanker

#: Combinations of rules, and of re-rankers and strengths, that are kept ready.
MAX_KEPT = 256
#: Causes that are named for each item.
NUM_CAUSES = 3


class _Known(NamedTuple):
    """What is known of one user who asks."""

    user: int
    history: IntArray
    ratings: FloatArray | None
    timestamps: IntArray | None
    seen: IntArray
    blocked: IntArray
    unknown_items: tuple[str, ...]


class BundleRecommender:
    """Recommends from a bundle. Any number of threads may ask at once; they are answered in batches.

    Args:
        bundle: what answers.
        num_threads: that work on one model; as many batches are answered at once as there are processors for them.
        max_batch: requests that are answered together, at most.

    Raises:
        BundleError: a library that serving needs is missing, or a file is damaged.
    """

    def __init__(self, bundle: Bundle, num_threads: int = 1, max_batch: int = 32) -> None:
        self.bundle = bundle
        numbers = bundle.manifest.numbers_per_interaction
        self._retriever = IndexRetriever(OnnxEncoder(bundle.query_encoder(num_threads), numbers), bundle.index())
        self._ranker = OnnxRanker(bundle.ranker(num_threads), numbers) if bundle.has_ranker else None
        self._popular = Pipeline(SameForAll(bundle.popularity.astype(np.float32)), num_candidates=1)
        self._rules = lru_cache(MAX_KEPT)(self._rules_of)
        self._pipelines = lru_cache(MAX_KEPT)(self._pipeline_of)
        workers = max(1, (os.cpu_count() or 1) // num_threads)
        self._batcher = MicroBatcher(self._answer, _key_of, max_batch, workers)

    def recommend(self, asked: Asked) -> Recommendation:
        """A list for one user, answered together with those who ask at the same time.

        Raises:
            RecsysError: a rule names what does not exist, or a rating is out of range.
        """
        return self._batcher(asked)

    def recommend_all(self, asked: Sequence[Asked]) -> list[Recommendation]:
        """Lists for many users at once, as :meth:`recommend`."""
        groups: dict[Hashable, list[int]] = {}
        for place, one in enumerate(asked):
            groups.setdefault(_key_of(one), []).append(place)
        answers: dict[int, Recommendation] = {}
        for places in groups.values():
            answers.update(zip(places, self._answer([asked[place] for place in places]), strict=True))
        return [answers[place] for place in range(len(asked))]

    def warm_up(self) -> None:
        """Answer once, so that the first user does not wait for memory and tables."""
        self._answer([Asked(), Asked(history=self.bundle.item_vocabulary.ids[:1].to_pylist())])
        _ = self.bundle.histories, self.bundle.user_vocabulary, self.bundle.neighbours

    def _answer(self, asked: Sequence[Asked]) -> list[Recommendation]:
        """Answer a batch whose rules and re-ranker are the same."""
        known = [self._known(one) for one in asked]
        requests = _requests(known)
        rules = self._rules(asked[0].rules)
        k = max(one.k for one in asked)
        lists = self._pipelines(asked[0].diversity, asked[0].strength).recommend(requests, k, rules)
        items, scores = lists.items, lists.scores
        personal = items[:, 0] >= 0
        if not personal.all():
            rows = np.flatnonzero(~personal)
            popular = self._popular.recommend(requests.take(rows), k, rules)
            items, scores = items.copy(), scores.astype(np.float64)
            items[rows], scores[rows] = popular.items, popular.scores
        ids = self.bundle.item_vocabulary.ids_of(np.maximum(items.ravel(), 0)).to_pylist()
        answers = []
        for row, one in enumerate(asked):
            length = int((items[row, : one.k] >= 0).sum())
            causes = None
            if one.explain and personal[row] and self.bundle.neighbours is not None:
                causes = [self._causes(item, known[row].history) for item in items[row, :length]]
            answers.append(
                Recommendation(
                    item_ids=ids[row * k : row * k + length],
                    scores=scores[row, :length].tolist(),
                    personal=bool(personal[row]),
                    unknown_items=known[row].unknown_items,
                    causes=causes,
                    bundle=self.bundle.manifest.name,
                )
            )
        return answers

    def _causes(self, item: int, history: IntArray) -> list[tuple[str, float]]:
        assert self.bundle.neighbours is not None, "checked by the caller"
        causes = self.bundle.neighbours.causes(item, history, NUM_CAUSES)
        ids = self.bundle.item_vocabulary.ids_of(np.array([cause for cause, _ in causes], dtype=np.int64))
        return list(zip(ids.to_pylist(), (weight for _, weight in causes), strict=True))

    def _known(self, asked: Asked) -> _Known:
        """Look up who asks; of what a user has twice the last counts."""
        data = self.bundle.manifest.data
        user = -1
        if asked.user_id is not None:
            user = int(self.bundle.user_vocabulary.index_of([asked.user_id])[0])
        blocked, unknown = self._items_of(asked.blocked)
        if asked.history is None:
            own = self.bundle.histories.take(np.array([user])) if user >= 0 else ItemLists.empty(1)
            items, ratings, timestamps = own.items, own.rating, own.timestamp
        else:
            items, unknown_history = self._items_of(asked.history)
            unknown = (*unknown_history, *unknown)
            there = np.flatnonzero(items >= 0)
            _, last = np.unique(items[there][::-1], return_index=True)
            kept = there[np.sort(len(there) - 1 - last)]
            items = items[kept]
            ratings = None if asked.ratings is None else _in_range(asked.ratings, data.rating_range, data.name)[kept]
            timestamps = None if asked.timestamps is None else np.array(asked.timestamps, dtype=np.int64)[kept]
        seen = items
        if ratings is not None and data.min_rating is not None:
            liked = ~(ratings < data.min_rating)
            items, ratings = items[liked], ratings[liked]
            timestamps = None if timestamps is None else timestamps[liked]
        return _Known(user, items, ratings, timestamps, seen, blocked[blocked >= 0], tuple(dict.fromkeys(unknown)))

    def _items_of(self, ids: Sequence[str]) -> tuple[IntArray, tuple[str, ...]]:
        """Indices of items, -1 for those that are unknown, and the ids of these."""
        if not ids:
            return np.zeros(0, dtype=np.int64), ()
        indices = self.bundle.item_vocabulary.index_of(list(ids)).astype(np.int64)
        return indices, tuple(ids[place] for place in np.flatnonzero(indices < 0).tolist())

    def _rules_of(self, rules: Any) -> Sequence[Rule]:
        wanted, unwanted, ranges = (dict(part) for part in rules)
        columns = self.bundle.item_columns
        return [*only(columns, wanted), *without(columns, unwanted), *between(columns, ranges)]

    def _pipeline_of(self, diversity: str | None, strength: float) -> Pipeline:
        # Where nothing chooses among the candidates, as many as the list is long are enough.
        chooses = self._ranker is not None or diversity is not None
        return Pipeline(
            self._retriever,
            num_candidates=self.bundle.manifest.num_candidates if chooses else 1,
            ranker=self._ranker,
            diversifier=re_ranker(
                diversity, strength, self.bundle.item_columns, self.bundle.manifest.data.content_column
            ),
        )


def _key_of(asked: Asked) -> Hashable:
    """What those have in common who are answered together."""
    return asked.rules, asked.diversity, asked.strength


def _requests(known: Sequence[_Known]) -> Requests:
    """The requests of a batch."""
    counts = [len(one.history) for one in known]
    history = ItemLists(
        np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        np.concatenate([one.history for one in known]),
        _joined([one.ratings for one in known], counts, np.nan, np.float32),
        _joined([one.timestamps for one in known], counts, np.iinfo(np.int64).min, np.int64),
    )
    return Requests(
        np.array([one.user for one in known], dtype=np.int64),
        history,
        _lists([one.seen for one in known]),
        _lists([one.blocked for one in known]),
    )


def _lists(arrays: Sequence[IntArray]) -> ItemLists:
    offsets = np.concatenate([[0], np.cumsum([len(array) for array in arrays])]).astype(np.int64)
    return ItemLists(offsets, np.concatenate(arrays))


def _joined(columns: Sequence[Any], counts: Sequence[int], missing: float, dtype: type[np.generic]) -> Any:
    """One column of several; None where nobody has it."""
    if all(column is None for column in columns):
        return None
    parts = [
        np.full(count, missing, dtype=dtype) if column is None else column.astype(dtype, copy=False)
        for column, count in zip(columns, counts, strict=True)
    ]
    return np.concatenate(parts)


def _in_range(ratings: Sequence[float], scale: tuple[float, float] | None, name: str) -> FloatArray:
    """The ratings as an array.

    Raises:
        RecsysError: the data have no ratings, or others.
    """
    if scale is None:
        raise RecsysError(f"Ratings were given, but {name} has none. Leave ratings out.")
    values = np.array(ratings, dtype=np.float32)
    wrong = values[(values < scale[0]) | (values > scale[1])]
    if len(wrong) > 0:
        raise RecsysError(
            f"Ratings of {name} are from {scale[0]:g} to {scale[1]:g}, but {wrong[0]:g} came. Correct it."
        )
    return values
