import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.recommending.types import CatalogueItem

from recsys.retrieval.filtering.filter_language import parse_filters
from recsys.runtime.request import RecommendationRequest
from tests.export.board_bundles import board_bundle
from tests.models.board_data import NUM_ITEMS, NUM_USERS

WHITE = parse_filters({"colours": {"any_of": ["white"]}})


def test_it_says_what_it_is(classic):
    told = classic.describe(live=True)
    assert (told.name, told.model, told.live, told.data) == ("ease", "EASE", True, "board")
    assert (told.num_items, told.num_users) == (NUM_ITEMS, NUM_USERS)
    assert told.memory_bytes >= 0 and len(told.fingerprint) == 64 and told.created_at


def test_a_mask_is_kept_until_the_items_change(by_content):
    first = by_content.mask(WHITE)
    assert by_content.mask(WHITE) is first and first.sum() == NUM_ITEMS // 2
    by_content.lay_over([CatalogueItem("i04", properties={"colours": "white"})])
    assert by_content.mask(WHITE).sum() == NUM_ITEMS // 2 + 1


def test_changed_titles_are_found_by_a_search_that_was_made_before(by_content):
    assert by_content.search().search("square 4")[0][0].item_id == "i04"
    by_content.lay_over([CatalogueItem("i04", "Round"), CatalogueItem("n1", "Fresh", {"colours": "black"})])
    assert [match.item_id for match in by_content.search().search("round")[0]] == ["i04"]
    assert [match.item_id for match in by_content.search().search("fresh")[0]] == ["n1"]
    by_content.lay_over([CatalogueItem("i04", deleted=True)])
    assert by_content.search().search("round")[0] == []


def test_items_that_were_gone_before_the_first_search_are_not_found(by_content):
    by_content.lay_over([CatalogueItem("i04", deleted=True)])
    found = {match.item_id for match in by_content.search().search("square", limit=100)[0]}
    assert len(found) == NUM_ITEMS - 1 and "i04" not in found


def test_new_items_make_it_larger(by_content):
    before = by_content.describe(live=False).num_items
    by_content.lay_over([CatalogueItem("n1", "Fresh", {"colours": "black"}), CatalogueItem("i04", available=False)])
    by_content.lay_over([CatalogueItem("n2", "Fresh", {"colours": "black"})])
    assert by_content.describe(live=False).num_items == before + 1
    assert isinstance(by_content.recommender.catalogue.available, np.ndarray)


def test_as_many_batches_are_answered_at_once_as_are_said():
    opened = OpenBundle(board_bundle("ease"), num_batches=1)
    running, most = [], []

    def answer(requests):
        running.append(requests)
        most.append(len(running))
        time.sleep(0.01)
        running.remove(requests)
        return answered(requests)

    batcher = opened.recommender._batcher
    answered, batcher._answer = batcher._answer, answer
    with ThreadPoolExecutor(6) as pool:
        lists = list(pool.map(opened.recommender.recommend_one, [RecommendationRequest(k=k) for k in range(1, 7)]))
    assert [len(one.item_ids) for one in lists] == [1, 2, 3, 4, 5, 6]
    assert set(most) == {1}
