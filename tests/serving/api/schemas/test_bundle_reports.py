from recsys_serving.api.schemas.bundle_reports import BundleEvaluationResponse, ItemMapResponse

from recsys.runtime.bundle import Bundle
from recsys.runtime.item_map import ItemMap
from tests.export.board_bundles import board_bundle


def test_a_bundle_with_a_ranker_tells_of_both_models():
    told = BundleEvaluationResponse.of(Bundle.open(board_bundle("ease", "two_tower")))
    assert [(one.role, one.model, one.before_refit) for one in told.models] == [
        ("retriever", "EASE", False),
        ("ranker", "TwoTower", False),
    ]


def test_a_map_without_items_says_why():
    told = ItemMapResponse.of("first", ItemMap((), note="no vectors"))
    assert (told.bundle, told.items, told.note) == ("first", [], "no vectors")
