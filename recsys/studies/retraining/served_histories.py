"""A bundle that answers from the histories of the store, as it does when the service has it live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.recommendation import Recommendation, SimilarItems, SimilarityKind
from recsys.runtime.request import RecommendationRequest
from recsys.studies.retraining.newest_interactions import HistoryEvent


class WithStoredHistories:
    """Answers as a bundle, and gives it the history of each user.

    Args:
        recommender: has the bundle.
        histories: of users, oldest first; whoever has none is asked for as they are.
    """

    def __init__(self, recommender: BundleRecommender, histories: Mapping[str, Sequence[HistoryEvent]]) -> None:
        self._recommender, self._histories = recommender, histories

    def recommend(self, requests: Sequence[RecommendationRequest]) -> list[Recommendation]:
        """A list for each request."""
        return self._recommender.recommend([self._with_history(request) for request in requests])

    def recommend_one(self, request: RecommendationRequest) -> Recommendation:
        """A list."""
        return self.recommend([request])[0]

    def similar(self, item_ids: Sequence[str], k: int, by: SimilarityKind = "model") -> list[SimilarItems]:
        """Similar items, for which no history counts."""
        return self._recommender.similar(item_ids, k, by)

    def _with_history(self, request: RecommendationRequest) -> RecommendationRequest:
        events = self._histories.get(request.user_id or "")
        if not events or request.history is not None:
            return request
        return replace(
            request,
            history=[one.item_id for one in events],
            ratings=self._ratings(events),
            timestamps=[one.timestamp for one in events],
        )

    def _ratings(self, events: Sequence[HistoryEvent]) -> list[float] | None:
        """Ratings on the bundle's scale; what has none counts as just good enough to be liked."""
        data = self._recommender.bundle.manifest.data
        if data.rating_range is None:
            return None
        low, high = data.rating_range
        usual = high if data.min_rating is None else data.min_rating
        return [usual if one.value is None else min(max(one.value, low), high) for one in events]
