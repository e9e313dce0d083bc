import numpy as np
from recsys_serving.recommending.catalogue.catalogued_bundle import AVAILABLE, CataloguedBundle

from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.request import RecommendationRequest
from tests.export.board_bundles import board_bundle


def test_it_is_the_same_bundle_with_one_more_column():
    plain, catalogued = (kind.open(board_bundle("ease")) for kind in (Bundle, CataloguedBundle))
    assert catalogued.fingerprint == plain.fingerprint
    assert catalogued.items.column_names == [*plain.items.column_names, AVAILABLE]
    assert np.all(catalogued.items.column(AVAILABLE).to_numpy())
    asked = RecommendationRequest(history=["i02", "i08"], k=30)
    lists = [BundleRecommender(bundle).recommend_one(asked) for bundle in (plain, catalogued)]
    assert lists[0] == lists[1]


def test_an_item_goes_and_comes_back():
    recommender = BundleRecommender(CataloguedBundle.open(board_bundle("ease")))
    asked = RecommendationRequest(history=["i02", "i08"], k=30)
    before = recommender.recommend_one(asked).item_ids
    recommender.update_items({AVAILABLE: {before[0]: False}})
    assert recommender.recommend_one(asked).item_ids == before[1:]
    assert before[0] not in recommender.similar([before[1]], 30)[0].item_ids
    recommender.update_items({AVAILABLE: {before[0]: True}})
    assert recommender.recommend_one(asked).item_ids == before


def test_filters_of_the_bundle_hold_as_well():
    class Frozen(dict):
        def __hash__(self):
            return hash(repr(self))

    black = Frozen(colours=Frozen(any_of=("black",)))
    recommender = BundleRecommender(CataloguedBundle.open(board_bundle("ease", filters=black)))
    recommender.update_items({AVAILABLE: {"i04": False}})
    found = recommender.recommend_one(RecommendationRequest(k=30)).item_ids
    assert set(found) == {f"i{item:02}" for item in range(0, 30, 2)} - {"i04"}
