"""Answers from a bundle in this process: ONNX Runtime, an index, filters, a ranker. No PyTorch."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import pyarrow as pa

from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.retrievers import IndexRetriever
from recsys.retrieval.seen_policy import SeenPolicy
from recsys.retrieval.types import FloatArray, IntArray
from recsys.runtime.bundle import QUERY_ENCODER, RANKER, Bundle
from recsys.runtime.catalogue import Catalogue, CatalogueState
from recsys.runtime.explanations.onnx_explainer import bundle_explainer, retriever_explainer
from recsys.runtime.item_values import ItemValues, known_values
from recsys.runtime.list_trace import ListTrace
from recsys.runtime.micro_batching import MicroBatcher
from recsys.runtime.onnx_model import OnnxModel
from recsys.runtime.onnx_stages import OnnxEncoder, OnnxRanker
from recsys.runtime.recommendation import Recommendation, SimilarItems, SimilarityKind
from recsys.runtime.recommendation_engine import RecommendationEngine, Scoring
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.request_resolution import RequestResolver, UserTables
from recsys.runtime.similar_items import SimilarItemFinder


class BundleRecommender:
    """Recommends from a bundle; see :class:`recsys.runtime.recommendation.Recommender`.

    Any number of threads may ask at once; single requests are answered in batches with those that come at the same
    time.

    Args:
        bundle: what answers.
        num_threads: that work on one model.
        max_batch: requests that are answered together, at most.
        open_model: opens a model of the bundle by its file name, where it is not to run in ONNX Runtime in this
            process.
        explain_seconds: that one call may take for explanations which are sampled, which are then as exact as that
            allows; None: as long as it takes.
        num_batches: that are answered at once; None: as many as there are processors for. Where several processes
            share the processors, fewer are faster: those who wait for a place are answered together.

    Raises:
        BundleError: a library that serving needs is missing, or a file is damaged.
    """

    def __init__(
        self,
        bundle: Bundle,
        num_threads: int = 1,
        max_batch: int = 32,
        open_model: Callable[[str], OnnxModel] | None = None,
        explain_seconds: float | None = None,
        num_batches: int | None = None,
    ) -> None:
        self.bundle = bundle
        manifest = bundle.manifest
        opened = open_model or (lambda name: OnnxModel(bundle.directory / name, num_threads))
        self._resolver = RequestResolver(
            UserTables(
                manifest.data,
                bundle.user_ids,
                bundle.item_ids,
                bundle.histories,
                bundle.user_features,
                manifest.max_history,
                SeenPolicy.parse(manifest.exclude_seen),
            )
        )
        self._catalogue = Catalogue(bundle, self._resolver, bundle.index(), opened)
        encoder = OnnxEncoder(opened(QUERY_ENCODER), manifest.floats_per_position)
        ranker: OnnxRanker | None = None
        if bundle.has_ranker:
            ranker = OnnxRanker(
                opened(RANKER), manifest.floats_per_position, manifest.data.num_items, self._new_items_of_ranker()
            )
        scoring = Scoring(
            manifest.name,
            IndexRetriever(encoder, self._catalogue.index),
            ranker,
            bundle_explainer(bundle, opened, encoder, ranker),
            manifest.num_candidates,
            manifest.folds_in,
            bundle.knowledge[0],
            None if ranker is None else bundle.knowledge[1],
            None if ranker is None else retriever_explainer(bundle, encoder),
            explain_seconds,
        )
        self._engine = RecommendationEngine(
            scoring,
            self._resolver,
            lambda: self._catalogue.state,
            manifest.data.name,
            manifest.data.num_items,
            manifest.data.content_column,
        )
        self._similar = SimilarItemFinder(bundle, self._resolver, self._catalogue)
        places = num_batches or max(1, (os.cpu_count() or 1) // num_threads)
        self._batcher = MicroBatcher(self._engine.recommend_batch, self._engine.batch_key, max_batch, places)

    def recommend(self, requests: Sequence[RecommendationRequest]) -> list[Recommendation]:
        """A list for each request, in their order.

        Raises:
            RecsysError: a filter or a user feature names what does not exist, or a rating is out of range.
        """
        return self._engine.recommend(requests)

    def recommend_one(self, request: RecommendationRequest) -> Recommendation:
        """A list for one request, answered together with those that come at the same time; errors as above."""
        return self._batcher(request)

    def trace(self, request: RecommendationRequest) -> tuple[Recommendation, ListTrace]:
        """The list of one request, and what became of each candidate; see :class:`recsys.runtime.list_trace.ListTrace`.

        It takes longer than :meth:`recommend_one`, and keeps nobody else waiting; errors as above.
        """
        return self._engine.trace(request)

    def similar(self, item_ids: Sequence[str], k: int, by: SimilarityKind = "model") -> list[SimilarItems]:
        """See :meth:`recsys.runtime.recommendation.Recommender.similar`."""
        return self._similar.find(item_ids, k, by)

    @property
    def catalogue(self) -> CatalogueState:
        """The items as they are now."""
        return self._catalogue.state

    def items_of(self, ids: Sequence[str]) -> IntArray:
        """Rows of items in the catalogue; -1 for those that are unknown."""
        return self._resolver.items_of(ids)

    def ids_of(self, items: IntArray) -> list[str]:
        """The ids of rows of the catalogue."""
        return self._resolver.ids_of(items)

    def history_of(self, user_id: str) -> RaggedItems:
        """All that the bundle has of a user; see :meth:`recsys.runtime.request_resolution.RequestResolver.history_of`.

        Its items are rows of the catalogue.
        """
        return self._resolver.history_of(user_id)

    def allows(self, request: RecommendationRequest, ids: Sequence[str]) -> list[bool]:
        """Whether each item may be in the list of a request.

        It may if it is there, the filters of the bundle and of the request allow it, and it is neither excluded nor
        seen; unknown ones may not.

        Raises:
            RecsysError: a filter names what does not exist.
        """
        context, state = self._resolver.resolve(request), self._catalogue.state
        allowed = state.available & state.mask(request.filters)
        allowed[context.seen] = False
        allowed[context.exclude_items] = False
        items = self._resolver.items_of(ids)
        return [bool(0 <= item < len(allowed) and allowed[item]) for item in items.tolist()]

    def add_items(self, items: pa.Table) -> None:
        """Recommend new items from now on, by their content; see :meth:`recsys.runtime.catalogue.Catalogue.add`.

        They are kept in memory only: train and export again to keep them. A ranker that reads features scores them as
        well; behind any other, each keeps the place among the candidates at which it was found.
        """
        self._catalogue.add(items)

    def update_items(self, values: ItemValues) -> None:
        """Give items other values from now on, such as ``{"in_stock": {"4711": False}}``, all of them at once.

        Each list is made by the values before or by those after. They are kept in memory only.

        Raises:
            RequestError: an item is unknown, or a value does not fit its column. Then nothing is changed.
        """
        self._catalogue.update(values)

    def known_values(self, values: ItemValues) -> ItemValues:
        """The values of items that are known here; columns without any are left out."""
        return known_values(values, self._resolver.items_of)

    def remove_items(self, ids: Sequence[str]) -> None:
        """Recommend these items no more; see :meth:`recsys.runtime.catalogue.Catalogue.remove`."""
        self._catalogue.remove(ids)

    def _new_items_of_ranker(self) -> Callable[[], FloatArray] | None:
        """What the ranker knows of new items, whenever it is asked; None where it scores none."""
        if self._catalogue.added_for_ranker is None:
            return None

        def added() -> FloatArray:
            assert self._catalogue.added_for_ranker is not None, "as at the start"
            return self._catalogue.added_for_ranker

        return added

    def warm_up(self) -> None:
        """Answer once, so that the first user does not wait for memory and tables."""
        first = self.bundle.item_vocabulary.ids[:1].to_pylist()
        self._engine.recommend([RecommendationRequest(), RecommendationRequest(history=first)])
        kinds: tuple[SimilarityKind, ...] = ("model", "content")
        for by in kinds:
            self._similar.find(first, 1, by)
