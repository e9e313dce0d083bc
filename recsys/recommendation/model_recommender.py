"""Recommends straight from a model in PyTorch."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from functools import lru_cache

import torch

from recsys.data.interactions import Interactions
from recsys.data.prepared import PreparedDataset
from recsys.models.interface.protocols import FoldsIn, ScoringModel
from recsys.recommendation.model_knowledge import knowledge_of
from recsys.recommendation.model_stages import ModelRanker, ScoreRetriever
from recsys.recommendation.prepared_tables import catalogue_of, user_tables
from recsys.recommendation.sampled_explanation import batch_explainer_of
from recsys.recommendation.similar_items import ItemSimilarity, content_similarity, model_similarity
from recsys.retrieval.seen_policy import SeenPolicy
from recsys.retrieval.types import IntArray
from recsys.runtime.item_values import ItemValues
from recsys.runtime.recommendation import Recommendation, SimilarItems, SimilarityKind
from recsys.runtime.recommendation_engine import RecommendationEngine, Scoring
from recsys.runtime.request import RecommendationRequest
from recsys.runtime.request_resolution import RequestResolver
from recsys.runtime.similar_items import check_similar_request, nothing_learnt, nothing_measures, unknown_item


class ModelRecommender:
    """Makes the lists of a fitted model; see :class:`recsys.runtime.recommendation.Recommender`.

    Args:
        model: on the CPU, in evaluation mode; it scores the whole catalogue to find candidates.
        prepared: the data that it was fitted on.
        ranker: another model of the same data, which orders the candidates; None: there is none.
        num_candidates: candidates that are ranked or diversified, unless the list is longer.
        max_history: latest interactions of a history that the models are given; None: all.
        name: of the run, for answers.
        training: the interactions that the models were fitted on, which say of whom and of what they know something;
            None: all of the data.
        exclude_seen: what happens to seen items where a request does not say, see
            :class:`recsys.retrieval.seen_policy.SeenPolicy`.
        filters: which items may be in any list, as requests have it; None: all.
        popular_days: what is popular is that of so many days before the newest interaction; None: of all time.
        users: internal indices of the users that requests are for, where these are few: the histories of the others are
            left out; None: any.

    Raises:
        RecsysError: a setting is malformed, or a filter names a column that does not exist.
    """

    def __init__(
        self,
        model: ScoringModel,
        prepared: PreparedDataset,
        ranker: ScoringModel | None = None,
        num_candidates: int = 200,
        max_history: int | None = None,
        name: str = "",
        training: Interactions | None = None,
        exclude_seen: SeenPolicy | Mapping[str, float] | bool = True,
        filters: object = None,
        popular_days: float | None = None,
        users: IntArray | None = None,
    ) -> None:
        self._model = model
        self._prepared = prepared
        tables = user_tables(prepared, (model, ranker), max_history, SeenPolicy.parse(exclude_seen), users)
        self._resolver = RequestResolver(tables)
        self._state = catalogue_of(prepared, filters, popular_days)
        self._updating = threading.Lock()
        self._knowledge = knowledge_of(model, prepared, training)
        self._engine = RecommendationEngine(
            Scoring(
                name,
                ScoreRetriever(model, prepared.schema.num_items),
                None if ranker is None else ModelRanker(ranker),
                batch_explainer_of(
                    model if ranker is None else ranker, prepared.schema.num_items, ranks=ranker is not None
                ),
                num_candidates,
                isinstance(model, FoldsIn),
                self._knowledge,
                None if ranker is None else knowledge_of(ranker, prepared, training),
                None if ranker is None else batch_explainer_of(model, prepared.schema.num_items),
            ),
            self._resolver,
            lambda: self._state,
            prepared.schema.name,
            prepared.schema.num_items,
            tables.data.content_column,
        )
        self._similarity = lru_cache(2)(self._measure)

    @property
    def same_for_all(self) -> bool:
        """Whether the model has one list for everyone."""
        return self._knowledge.reads.nothing

    def recommend(self, requests: Sequence[RecommendationRequest]) -> list[Recommendation]:
        """A list for each request, in their order.

        Raises:
            RecsysError: a filter or a user feature names what does not exist, or a rating is out of range.
        """
        return self._engine.recommend(requests)

    def recommend_one(self, request: RecommendationRequest) -> Recommendation:
        """A list for one request; errors as above."""
        return self._engine.recommend([request])[0]

    def update_items(self, values: ItemValues) -> None:
        """See :meth:`recsys.runtime.bundle_recommender.BundleRecommender.update_items`."""
        with self._updating:
            self._state = self._state.updated(values, self._resolver.items_of)

    def similar(self, item_ids: Sequence[str], k: int, by: SimilarityKind = "model") -> list[SimilarItems]:
        """See :meth:`recsys.runtime.recommendation.Recommender.similar`."""
        check_similar_request(k, by)
        similarity = self._similarity(by)
        found = []
        for item_id, item in zip(item_ids, self._resolver.items_of(item_ids).tolist(), strict=True):
            if item < 0:
                near = self._prepared.item_vocabulary.near(item_id)
                raise unknown_item(item_id, self._prepared.schema.name, near)
            if similarity is None:
                found.append(nothing_measures(item_id, by))
                continue
            if by == "model" and not self._knowledge.items[item]:
                found.append(nothing_learnt(item_id))
                continue
            available = torch.from_numpy(self._state.available)
            items, values = (row[0] for row in similarity.nearest(torch.tensor([item]), k, available))
            kept = items >= 0
            ids = self._resolver.ids_of(items[kept].numpy())
            found.append(SimilarItems(item_id, ids, values[kept].tolist(), similarity.measure))
        return found

    def _measure(self, by: SimilarityKind) -> ItemSimilarity | None:
        if by == "content":
            return content_similarity(self._prepared)
        return model_similarity(self._model, self._prepared, self._knowledge.items)
