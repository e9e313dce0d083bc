"""The stages from a request to a list: retrieve, filter, rank, diversify, explain; the same code offline and online.

Shape suffixes: B requests, C candidates, K list length.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.candidates import Candidates
from recsys.retrieval.explanation import BatchExplainer, BatchExplanation
from recsys.retrieval.filtering.filters import BlocklistFilter, CompositeFilter, Filter, SeenFilter
from recsys.retrieval.pipeline_trace import PipelineTrace, RecordingRetriever, removed_by
from recsys.retrieval.ranker import Ranker, reordered
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.reranking.reranker import Reranker
from recsys.retrieval.retrievers import Retriever
from recsys.retrieval.types import FloatArray, IntArray

STAGES = ("retrieve", "filter", "rank", "diversify", "explain")

#: How much deeper the retriever is asked at once, at most, where filters leave too little.
MAX_GROWTH = 8


@dataclass(frozen=True, slots=True, eq=False)
class Shortlist:
    """What is left to choose from before the list is made.

    Args:
        retrieved: the allowed candidates in the order of the retriever, width C.
        ranked: the same in the order of the ranker, with its scores.
        seconds: of the stages up to here, by their names.
    """

    retrieved: Candidates
    ranked: Candidates
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True, eq=False)
class RankedLists:
    """Lists for B requests.

    Args:
        items: internal item indices, shape [B, K], int64, best first; -1 where a list has ended.
        scores: of the ranker, or of the retriever where there is none, shape [B, K]; not in descending order where the
            list was diversified; minus infinity where the ranker does not score or the list has ended.
        explanation: of the items; None without an explainer.
        seconds: of each stage that ran, for all requests together, by the names in :data:`STAGES`.
    """

    items: IntArray
    scores: FloatArray
    explanation: BatchExplanation | None
    seconds: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class _Stopwatch:
    """Adds up the seconds of stages."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        start = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - start


class Pipeline:
    """Recommends by stages, each of which may be exchanged.

    What a user has seen or blocked never comes back, and no item comes twice. A list has K items if the retriever knows
    K that the filters allow: it is asked for more and more until there are as many candidates as wanted, or no more in
    the catalogue.

    Args:
        retriever: finds candidates.
        filters: what may be recommended, besides what is seen or blocked.
        num_candidates: candidates for each request that are ranked and diversified, C, if there are as many; never
            fewer than the list is long.
        ranker: orders the candidates; None keeps the order of the retriever.
        reranker: chooses the list; None takes the first K.
        explainer: says why; None says nothing.

    Raises:
        RetrievalError: ``num_candidates`` is not positive.
    """

    def __init__(
        self,
        retriever: Retriever,
        filters: Sequence[Filter] = (),
        num_candidates: int = 200,
        ranker: Ranker | None = None,
        reranker: Reranker | None = None,
        explainer: BatchExplainer | None = None,
    ) -> None:
        _check_positive("num_candidates", num_candidates)
        self._retriever = retriever
        self._rules: tuple[Filter, ...] = (SeenFilter(), BlocklistFilter(), *filters)
        self._num_candidates = num_candidates
        self._ranker = ranker
        self._diversifier = reranker
        self._explainer = explainer

    def recommend(self, requests: RequestBatch, k: int, filters: Sequence[Filter] = ()) -> RankedLists:
        """Recommend to each request.

        Args:
            requests: B of them.
            k: length of the lists.
            filters: further filters, for these requests alone.

        Raises:
            RetrievalError: ``k`` is not positive.
        """
        return self.complete(requests, self.shortlist(requests, k, filters), k)

    def shortlist(self, requests: RequestBatch, k: int, filters: Sequence[Filter] = ()) -> Shortlist:
        """The first three stages: retrieve, filters, rank; arguments as for :meth:`recommend`."""
        _check_positive("k", k)
        watch = _Stopwatch()
        retrieved = self._retrieve(
            requests, max(k, self._num_candidates), CompositeFilter([*self._rules, *filters]), watch
        )
        ranked = retrieved
        if self._ranker is not None:
            with watch("rank"):
                ranked = reordered(retrieved, self._ranker.score(requests, retrieved.items))
        return Shortlist(retrieved, ranked, watch.seconds)

    def complete(self, requests: RequestBatch, shortlist: Shortlist, k: int) -> RankedLists:
        """The last two stages: diversify, explain."""
        _check_positive("k", k)
        watch = _Stopwatch(dict(shortlist.seconds))
        chosen = shortlist.ranked.padded(k)
        if self._diversifier is not None:
            with watch("diversify"):
                chosen = shortlist.ranked.at(self._diversifier.rerank(requests, shortlist.ranked, k))
        explanation = None
        if self._explainer is not None:
            with watch("explain"):
                explanation = self._explainer.explain(requests, chosen.items)
        return RankedLists(chosen.items, chosen.scores, explanation, watch.seconds)

    def trace(self, requests: RequestBatch, k: int) -> tuple[RankedLists, PipelineTrace]:
        """The lists of :meth:`recommend`, and all that was looked at on the way.

        It takes longer: each filter is asked alone. The filters of a trace are in the order of seen items, excluded
        ones, and those of the pipeline.

        Raises:
            RetrievalError: ``k`` is not positive.
        """
        recorder = RecordingRetriever(self._retriever)
        own = copy(self)
        own._retriever = recorder
        shortlist = own.shortlist(requests, k)
        found = Candidates.empty(len(requests), 0) if recorder.deepest is None else recorder.deepest
        removed = removed_by(self._rules, requests, found)
        return own.complete(requests, shortlist, k), PipelineTrace(
            found, removed, shortlist.retrieved, shortlist.ranked
        )

    def _retrieve(self, requests: RequestBatch, wanted: int, allows: Filter, watch: _Stopwatch) -> Candidates:
        """The ``wanted`` best allowed candidates of each request, if there are as many.

        The first question is deep enough for all that a request itself excludes, unless the retriever leaves that out
        (``retrieve_allowed``); the next ones go deeper for requests that lack candidates, by what share of theirs was
        allowed, and at least twice as deep.
        """
        found = Candidates.empty(len(requests), wanted)
        rows = np.arange(len(requests))
        retrieve_allowed = getattr(self._retriever, "retrieve_allowed", None)
        retrieve = retrieve_allowed or self._retriever.retrieve
        depths = wanted + (requests.num_excluded if retrieve_allowed is None else np.zeros(len(requests), np.int64))
        while len(rows) > 0:
            depths = self._questions(depths)
            lacking, deeper = [], []
            for depth in np.unique(depths).tolist():
                own = rows[depths == depth]
                asking = requests if len(own) == len(requests) else requests.take(own)
                with watch("retrieve"):
                    retrieved = retrieve(asking, depth)
                with watch("filter"):
                    allowed = allows.allows(asking, np.maximum(retrieved.items, 0)) & retrieved.first_of_each_item()
                    kept = retrieved.allowed(allowed, wanted)
                    found.items[own], found.scores[own] = kept.items, kept.scores
                    more = (kept.counts < wanted) & retrieved.present[:, -1] & (depth < self._retriever.num_items)
                    growth = np.clip(1.2 * wanted / np.maximum(kept.counts[more], 1), 2, MAX_GROWTH)
                    lacking.append(own[more])
                    deeper.append((depth * growth).astype(np.int64))
            rows, depths = np.concatenate(lacking), np.concatenate(deeper)
        return found

    def _questions(self, depths: IntArray) -> IntArray:
        """How deep the retriever is asked for requests that need ``depths``.

        An exact one finds the same best items however deep it is asked, so that all are asked at once. Of another one
        the depth decides what it finds, and then it must not depend on the company that a request has: it is the next
        power of two, so that there are few questions.
        """
        if getattr(self._retriever, "exact", False):
            wanted = np.full_like(depths, depths.max(initial=1))
        else:
            wanted = 2 ** np.ceil(np.log2(np.maximum(depths, 1))).astype(np.int64)
        return np.minimum(wanted, max(1, self._retriever.num_items))


def _check_positive(name: str, value: object) -> None:
    if not isinstance(value, int) or value < 1:
        raise RetrievalError(f"{name} must be a whole number of at least 1, but it is {value}.")
