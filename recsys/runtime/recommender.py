"""Answers from a bundle in this process: ONNX Runtime, an index, rules, a ranker. No PyTorch.

Shape suffixes: B requests of a batch, K list length, L history.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa

from recsys.retrieval.candidates import Candidates
from recsys.retrieval.filters import Filter, ItemMaskFilter, between, only, without
from recsys.retrieval.pipeline import Pipeline
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.rerankers import make_reranker
from recsys.retrieval.retrievers import IndexRetriever, StaticRetriever
from recsys.retrieval.types import IntArray
from recsys.runtime.bundle import Bundle
from recsys.runtime.catalogue import Catalogue
from recsys.runtime.micro_batching import MicroBatcher
from recsys.runtime.onnx_stages import OnnxEncoder, OnnxRanker
from recsys.runtime.popularity_fallback import with_popularity_fallback
from recsys.runtime.request import Recommendation, RecommendationRequest
from recsys.runtime.request_resolution import RequestResolver, requests_of

#: Combinations of rules, re-rankers and strengths that are kept ready.
MAX_KEPT = 256
#: Causes that are named for each item.
NUM_CONTRIBUTIONS = 3


class _Pipelines(NamedTuple):
    """Two ways to a list: the user's own, and what is popular."""

    own: Pipeline
    popular: Pipeline


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
        numbers = bundle.manifest.floats_per_position
        self._lookup = RequestResolver(bundle)
        self._catalogue = Catalogue(bundle, self._lookup, bundle.index())
        encode = OnnxEncoder(bundle.query_encoder(num_threads), numbers)
        self._retriever = IndexRetriever(encode, self._catalogue.index)
        self._ranker: OnnxRanker | None = None
        if bundle.has_ranker:
            self._ranker = OnnxRanker(bundle.ranker(num_threads), numbers, bundle.manifest.data.num_items)
        self._ways = self._ways_now()
        workers = max(1, (os.cpu_count() or 1) // num_threads)
        self._batcher = MicroBatcher(self._answer, _key_of, max_batch, workers)

    def recommend(self, asked: RecommendationRequest) -> Recommendation:
        """A list for one user, answered together with those who ask at the same time.

        Raises:
            RecsysError: a rule or a user feature names what does not exist, or a rating is out of range.
        """
        return self._batcher(asked)

    def recommend_all(self, asked: Sequence[RecommendationRequest]) -> list[Recommendation]:
        """Lists for many users at once, as :meth:`recommend`."""
        groups: dict[Hashable, list[int]] = {}
        for place, one in enumerate(asked):
            groups.setdefault(_key_of(one), []).append(place)
        answers: dict[int, Recommendation] = {}
        for places in groups.values():
            answers.update(zip(places, self._answer([asked[place] for place in places]), strict=True))
        return [answers[place] for place in range(len(asked))]

    def add_items(self, items: pa.Table) -> None:
        """Recommend new items from now on, by their content; see :meth:`recsys.runtime.catalogue.Catalogue.add`.

        They are kept in memory only: train and export again to keep them. A ranker, which does not know them, leaves
        them behind all others.
        """
        self._catalogue.add(items)
        self._ways = self._ways_now()

    def remove_items(self, ids: Sequence[str]) -> None:
        """Recommend these items no more; see :meth:`recsys.runtime.catalogue.Catalogue.remove`."""
        self._catalogue.remove(ids)
        self._ways = self._ways_now()

    def warm_up(self) -> None:
        """Answer once, so that the first user does not wait for memory and tables."""
        self._answer(
            [RecommendationRequest(), RecommendationRequest(history=self.bundle.item_vocabulary.ids[:1].to_pylist())]
        )
        self._lookup.warm_up()
        _ = self.bundle.neighbours

    def _answer(self, asked: Sequence[RecommendationRequest]) -> list[Recommendation]:
        """Answer a batch whose rules and re-ranker are the same."""
        known = [self._lookup.resolve(one) for one in asked]
        requests = requests_of(known)
        way = self._ways(*_key_of(asked[0]))
        k = min(max(one.k for one in asked), self._retriever.num_items)  # a list is no longer than all
        own = _listed(way.own, requests, k)
        found = with_popularity_fallback(own, lambda rows: _listed(way.popular, requests.take(rows), k))
        items, scores, personalized = found.candidates.items, found.candidates.scores, found.personalized
        answers = []
        for row, one in enumerate(asked):
            length = int((items[row, : one.k] >= 0).sum())
            contributions = None
            if one.explain and personalized[row] and self.bundle.neighbours is not None:
                contributions = [self._causes(item, known[row].history) for item in items[row, :length]]
            answers.append(
                Recommendation(
                    item_ids=self._lookup.ids_of(items[row, :length]),
                    scores=scores[row, :length].tolist(),
                    personalized=bool(personalized[row]),
                    unknown_items=known[row].unknown_items,
                    unknown_values=known[row].unknown_values,
                    contributions=contributions,
                    bundle=self.bundle.manifest.name,
                )
            )
        return answers

    def _causes(self, item: int, history: IntArray) -> list[tuple[str, float]]:
        assert self.bundle.neighbours is not None, "checked by the caller"
        if item >= self.bundle.manifest.data.num_items:
            return []  # it came later
        contributions = self.bundle.neighbours.contributions(item, history, NUM_CONTRIBUTIONS)
        ids = self._lookup.ids_of(np.array([cause for cause, _ in contributions], dtype=np.int64))
        return list(zip(ids, (weight for _, weight in contributions), strict=True))

    def _ways_now(self) -> Callable[[Any, str | None, float], _Pipelines]:
        """Makes pipelines of the catalogue as it is now, and keeps them."""
        state = self._catalogue.state

        def ways(rules: Any, diversity: str | None, diversity_weight: float) -> _Pipelines:
            wanted, unwanted, ranges = (dict(part) for part in rules)
            allowed: list[Filter] = [
                *only(state.columns, wanted),
                *without(state.columns, unwanted),
                *between(state.columns, ranges),
                ItemMaskFilter(state.available),
            ]
            # Where nothing chooses among the candidates, as many as the list is long are enough.
            chooses = self._ranker is not None or diversity is not None
            manifest = self.bundle.manifest
            own = Pipeline(
                self._retriever,
                allowed,
                num_candidates=manifest.num_candidates if chooses else 1,
                ranker=self._ranker,
                reranker=make_reranker(diversity, diversity_weight, state.columns, manifest.data.content_column),
            )
            return _Pipelines(own, Pipeline(StaticRetriever(state.popularity), allowed, num_candidates=1))

        return lru_cache(MAX_KEPT)(ways)


def _listed(pipeline: Pipeline, requests: RequestBatch, k: int) -> Candidates:
    lists = pipeline.recommend(requests, k)
    return Candidates(lists.items, lists.scores)


def _key_of(asked: RecommendationRequest) -> tuple[Hashable, str | None, float]:
    """What those have in common who are answered together."""
    return asked.rules, asked.diversity, asked.diversity_weight
