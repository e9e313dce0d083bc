"""A bundle that answers from the histories of the store."""

from __future__ import annotations

import pytest

from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.request import RecommendationRequest
from recsys.studies.retraining.newest_interactions import HistoryEvent
from recsys.studies.retraining.served_histories import WithStoredHistories
from tests.export.board_bundles import board_bundle

WHITE = [HistoryEvent(f"i{number:02}", None, number) for number in (0, 2, 6)]


@pytest.fixture(scope="module")
def recommender():
    return BundleRecommender(Bundle.open(board_bundle("ease")))


def test_the_history_is_that_of_the_store(recommender):
    answer = WithStoredHistories(recommender, {"new": WHITE}).recommend_one(RecommendationRequest(user_id="new", k=5))
    same = RecommendationRequest(history=["i00", "i02", "i06"], ratings=[4.0] * 3, timestamps=[0, 2, 6], k=5)
    assert answer.item_ids == recommender.recommend_one(same).item_ids
    assert all(int(item[1:]) % 2 == 0 for item in answer.item_ids)


def test_values_beyond_the_scale_are_its_end(recommender):
    served = WithStoredHistories(recommender, {"new": [HistoryEvent("i00", 9.0, 0), HistoryEvent("i01", -3.0, 1)]})
    same = RecommendationRequest(history=["i00", "i01"], ratings=[5.0, 1.0], timestamps=[0, 1], k=5)
    assert (
        served.recommend_one(RecommendationRequest(user_id="new", k=5)).item_ids
        == recommender.recommend_one(same).item_ids
    )


def test_whoever_has_none_is_asked_for_as_they_are(recommender):
    request = RecommendationRequest(user_id="u03", k=5, exclude_seen=False)
    served = WithStoredHistories(recommender, {}).recommend([request])
    assert served[0].item_ids == recommender.recommend_one(request).item_ids


def test_similar_items_are_those_of_the_bundle(recommender):
    served = WithStoredHistories(recommender, {"new": WHITE})
    assert served.similar(["i00"], 3)[0].item_ids == recommender.similar(["i00"], 3)[0].item_ids
