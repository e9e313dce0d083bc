"""One way from requests to recommendations, whatever scores: resolve, retrieve, filter, rank, diversify, explain.

A model in PyTorch and a bundle in process differ in what they put in; the lists are made here.

Shape suffixes: B requests of a batch, K list length.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from recsys.retrieval.candidates import Candidates
from recsys.retrieval.explanation import BatchExplainer
from recsys.retrieval.filtering.filters import Filter, ItemMaskFilter
from recsys.retrieval.pipeline import Pipeline, RankedLists
from recsys.retrieval.ranker import Ranker
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.reranking.rerankers import make_reranker
from recsys.retrieval.retrievers import Retriever, StaticRetriever
from recsys.retrieval.types import BoolArray, IntArray
from recsys.runtime.byte_cache import ByteCache
from recsys.runtime.catalogue import CatalogueState
from recsys.runtime.explanations.explaining_time import ExplainingTime
from recsys.runtime.explanations.item_explanations import ItemExplainer
from recsys.runtime.list_trace import ListTrace, trace_of
from recsys.runtime.notes import notes_of
from recsys.runtime.personalization.knowledge import InformedRanker, Knowledge
from recsys.runtime.personalization.popularity_fallback import CandidateResult, with_popularity_fallback
from recsys.runtime.recommendation import Recommendation
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.request_resolution import RequestResolver, UserContext, batch_of

#: Bytes of the combinations of filters and re-rankers that are kept ready: each has a mask of the catalogue, and what
#: its pipelines hold besides.
MAX_KEPT_BYTES = 2**26
_BYTES_OF_PIPELINES = 2**14


class _Pipelines(NamedTuple):
    """Two ways to a list, the user's own and what is popular, and values of the filters that no item has."""

    own: Pipeline
    popular: Pipeline
    mask: BoolArray
    unknown_filter_values: tuple[str, ...]

    @property
    def num_bytes(self) -> int:
        """About what they hold."""
        return self.mask.nbytes + _BYTES_OF_PIPELINES


@dataclass(frozen=True, slots=True, eq=False)
class Scoring:
    """What scores requests.

    Args:
        name: of the run or bundle, for answers.
        retriever: finds candidates.
        ranker: orders them; None: the order of the retriever.
        explainer: splits the scores that lists show.
        num_candidates: candidates that are ranked or diversified, unless the list is longer.
        folds_in: whether users that were not trained with are scored from a history.
        knowledge: of what finds candidates: for whom it has a list of their own.
        ranker_knowledge: of the ranker; None where there is none.
        retriever_explainer: splits the scores of the retriever, which lists show that the ranker knows nothing about.
        explain_seconds: that one call may take for contributions which are sampled; None: as long as it takes.
    """

    name: str
    retriever: Retriever
    ranker: Ranker | None
    explainer: BatchExplainer
    num_candidates: int
    folds_in: bool
    knowledge: Knowledge
    ranker_knowledge: Knowledge | None = None
    retriever_explainer: BatchExplainer | None = None
    explain_seconds: float | None = None

    def ranks(self, request: RequestBatch) -> bool:
        """Whether the list of one request shows the scores of the ranker, where there is one."""
        return self.ranker_knowledge is None or bool(self.ranker_knowledge.told(request)[0])

    def told(self, requests: RequestBatch) -> BoolArray:
        """Whether each request tells one of the models something, shape [B]."""
        told = self.knowledge.told(requests)
        return told if self.ranker_knowledge is None else told | self.ranker_knowledge.told(requests)


class RecommendationEngine:
    """Makes lists for requests. Any number of threads may use it at once.

    Args:
        scoring: what scores.
        resolver: of the requests.
        catalogue: gives the items as they are now.
        data_name: of the data, for notes.
        num_known: items that the models know.
        content_column: by which lists are diverse where a request names no column; None where there is none.
    """

    def __init__(
        self,
        scoring: Scoring,
        resolver: RequestResolver,
        catalogue: Callable[[], CatalogueState],
        data_name: str,
        num_known: int,
        content_column: str | None,
    ) -> None:
        self._scoring = scoring
        self._resolver = resolver
        self._catalogue = catalogue
        self._data_name = data_name
        self._num_known = num_known
        self._content_column = content_column
        self._latest_state = catalogue()
        self._popularity = StaticRetriever(self._latest_state.popularity)
        self._pipelines = ByteCache(self._make_pipelines, lambda made: made.num_bytes, MAX_KEPT_BYTES)
        self._item_explainer = lru_cache(2)(self._make_item_explainer)

    @staticmethod
    def batch_key(request: RecommendationRequest) -> Hashable:
        """Requests of one key make one batch: a list is the same in any company."""
        return (
            request.k,
            request.filters,
            request.diversity,
            request.diversity_weight if request.diversity else None,
            request.diversity_column if request.diversity else None,
        )

    def recommend(self, requests: Sequence[RecommendationRequest]) -> list[Recommendation]:
        """A list for each request, in their order.

        Raises:
            RecsysError: a filter or a user feature names what does not exist, or a rating is out of range.
        """
        explaining = self._explaining_time(requests)
        groups: dict[Hashable, list[int]] = {}
        for place, request in enumerate(requests):
            groups.setdefault(self.batch_key(request), []).append(place)
        answers: dict[int, Recommendation] = {}
        for places in groups.values():
            lists = self.recommend_batch([requests[place] for place in places], explaining)
            answers.update(zip(places, lists, strict=True))
        return [answers[place] for place in range(len(requests))]

    def recommend_batch(
        self, requests: Sequence[RecommendationRequest], explaining: ExplainingTime | None = None
    ) -> list[Recommendation]:
        """The same for requests of one :meth:`batch_key`; None: this call has all the time for explanations."""
        explaining = explaining or self._explaining_time(requests)
        contexts = [self._resolver.resolve(request) for request in requests]
        batch = batch_of(contexts)
        state = self._current_state()
        first = requests[0]
        pipelines = self._pipelines(state, *self._choices(first))
        k = min(first.k, self._scoring.retriever.num_items)  # a list is no longer than the catalogue
        told = self._scoring.told(batch)
        # A model that reads nothing has one list for everybody, and that is what is popular for it.
        asked = np.arange(len(batch)) if self._scoring.knowledge.reads.nothing else np.flatnonzero(told)
        own = _lists(pipelines.own, batch, asked, k)
        result = with_popularity_fallback(own, told, lambda rows: _lists(pipelines.popular, batch.take(rows), None, k))
        return [
            self._recommendation(request, context, batch, row, result, bool(told[row]), state, pipelines, explaining)
            for row, (request, context) in enumerate(zip(requests, contexts, strict=True))
        ]

    def trace(self, request: RecommendationRequest) -> tuple[Recommendation, ListTrace]:
        """The list of one request, and what became of each candidate; slower than :meth:`recommend`, the same list.

        Raises:
            RecsysError: as for :meth:`recommend`.
        """
        context = self._resolver.resolve(request)
        batch = batch_of([context])
        state = self._current_state()
        pipelines = self._pipelines(state, *self._choices(request))
        k = min(request.k, self._scoring.retriever.num_items)
        told = bool(self._scoring.told(batch)[0])
        asks_model = told or self._scoring.knowledge.reads.nothing
        # In place of the popular items that are allowed, all of them, so that the trace shows what filters take away.
        everything = Pipeline(StaticRetriever(state.popularity), [ItemMaskFilter(pipelines.mask)], num_candidates=1)
        lists, steps = (pipelines.own if asks_model else everything).trace(batch, k)
        if is_empty := asks_model and not (lists.items[0] >= 0).any():
            lists, steps = everything.trace(batch, k)
        result = CandidateResult(_finite(lists, k), np.array([told and not is_empty]))
        start = time.perf_counter()
        answer = self._recommendation(
            request, context, batch, 0, result, told, state, pipelines, self._explaining_time([request])
        )
        seconds = {**lists.seconds, **({"explain": time.perf_counter() - start} if request.explain else {})}
        by_model = asks_model and not is_empty
        allowed = state.available & state.mask(None)
        ranks = by_model and self._scoring.ranker is not None
        return answer, trace_of(
            steps, result.candidates, allowed, self._resolver.ids_of, seconds, by_model=by_model, ranks=ranks
        )

    def _explaining_time(self, requests: Sequence[RecommendationRequest]) -> ExplainingTime:
        return ExplainingTime(self._scoring.explain_seconds, sum(request.explain for request in requests))

    def _current_state(self) -> CatalogueState:
        """The catalogue as it is now; what was made for an earlier one is let go."""
        state = self._catalogue()
        if state is not self._latest_state:
            if state.popularity is not self._latest_state.popularity:
                self._popularity = StaticRetriever(state.popularity)
            self._latest_state = state
            self._pipelines.clear()
            self._item_explainer.cache_clear()
        return state

    def _recommendation(
        self,
        request: RecommendationRequest,
        context: UserContext,
        batch: RequestBatch,
        row: int,
        result: CandidateResult,
        told: bool,
        state: CatalogueState,
        pipelines: _Pipelines,
        explaining: ExplainingTime,
    ) -> Recommendation:
        items = result.candidates.items[row]
        items = items[items >= 0]
        personalized = bool(result.personalized[row])
        explanations, method = None, None
        if request.explain and personalized:
            own = batch.take(np.array([row]))
            explainer = self._item_explainer(state, self._scoring.ranks(own))
            scores = result.candidates.scores[row, : len(items)]
            explanations, method = explainer.explain(own, items, scores, explaining.share())
        return Recommendation(
            item_ids=self._resolver.ids_of(items),
            scores=result.candidates.scores[row, : len(items)].tolist(),
            personalized=personalized,
            model_version=self._scoring.name,
            notes=notes_of(
                request,
                context,
                personalized,
                len(items),
                self._scoring.folds_in,
                self._data_name,
                told=told,
                same_for_all=self._scoring.knowledge.reads.nothing,
                unknown_filter_values=pipelines.unknown_filter_values,
            ),
            unknown_items=context.unknown_items,
            unknown_values=context.unknown_values,
            unknown_filter_values=pipelines.unknown_filter_values,
            explanations=explanations,
            explanation_method=method,
        )

    def _make_item_explainer(self, state: CatalogueState, ranks: bool) -> ItemExplainer:
        of_retriever = self._scoring.retriever_explainer
        return ItemExplainer(
            self._scoring.explainer if ranks or of_retriever is None else of_retriever,
            state.attributes(),
            state.num_interactions,
            self._num_known,
            self._resolver.ids_of,
        )

    @staticmethod
    def _choices(request: RecommendationRequest) -> tuple[Hashable, str | None, float, str | None]:
        if request.diversity is None:
            return request.filters, None, 0.0, None
        return request.filters, request.diversity, request.diversity_weight, request.diversity_column

    def _make_pipelines(
        self, state: CatalogueState, filters: object, diversity: str | None, weight: float, column: str | None
    ) -> _Pipelines:
        mask = state.available & state.mask(filters)
        allowed: list[Filter] = [ItemMaskFilter(mask)]
        # Where nothing chooses among the candidates, as many as the list is long are enough.
        chooses = self._scoring.ranker is not None or diversity is not None
        ranker, knowledge = self._scoring.ranker, self._scoring.ranker_knowledge
        own = Pipeline(
            self._scoring.retriever,
            allowed,
            num_candidates=self._scoring.num_candidates if chooses else 1,
            ranker=ranker if ranker is None or knowledge is None else InformedRanker(ranker, knowledge),
            reranker=make_reranker(diversity, weight, state.columns, column or self._content_column),
        )
        popularity = self._popularity
        if popularity.scores is not state.popularity:  # the catalogue has changed since
            popularity = StaticRetriever(state.popularity)
        popular = Pipeline(popularity.allowing(mask), allowed, num_candidates=1)
        return _Pipelines(own, popular, mask, state.without_item(filters))


def _lists(pipeline: Pipeline, batch: RequestBatch, rows: IntArray | None, k: int) -> Candidates:
    """The lists of the requests at some rows (None: of all); the others are empty. All scores are finite."""
    if rows is None or len(rows) == len(batch):
        return _finite(pipeline.recommend(batch, k), k)
    found = Candidates.empty(len(batch), k)
    if len(rows) > 0:
        lists = _finite(pipeline.recommend(batch.take(rows), k), k)
        found.items[rows], found.scores[rows] = lists.items, lists.scores
    return found


def _finite(lists: RankedLists, k: int) -> Candidates:
    """Without the items whose scores are no numbers, as of a model that has diverged."""
    candidates = Candidates(lists.items, lists.scores)
    finite = np.isfinite(candidates.scores)
    return candidates if finite[candidates.present].all() else candidates.allowed(finite, k)
