import threading

import pyarrow as pa
import pytest

from recsys.errors import BundleError, RecsysError
from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.request import RecommendationRequest
from tests.export.board_bundles import board_bundle
from tests.models.board_data import NUM_ITEMS

EVEN = RecommendationRequest(history=["i02", "i08", "i12"], k=NUM_ITEMS + 2)


def new_items(**columns):
    return pa.table({"item_id": ["new even", "new odd"], "colours": ["black|even", "odd|white"], **columns})


@pytest.fixture
def recommender():
    return BundleRecommender(Bundle.open(board_bundle("two_tower")))


def test_new_items_are_recommended_by_their_content(recommender):
    before = recommender.recommend_one(EVEN)
    recommender.add_items(new_items())
    answer = recommender.recommend_one(EVEN)
    ids = answer.item_ids
    assert len(ids) == len(before.item_ids) + 2
    assert ids.index("new even") < ids.index("new odd")
    old = [(name, score) for name, score in zip(ids, answer.scores, strict=True) if not name.startswith("new")]
    assert [name for name, _ in old] == before.item_ids
    # colours are all that is known of a new item, and old ones of the same colour are near it
    assert all(int(name[1:]) % 2 == 0 for name in ids[: ids.index("new even")] if name != "new even")


def test_new_items_obey_filters_and_may_be_in_a_history(recommender):
    recommender.add_items(new_items(title=["An even one", None]))
    black = recommender.recommend_one(
        RecommendationRequest(history=["i02"], k=NUM_ITEMS, filters={"colours": {"any_of": ["black"]}})
    ).item_ids
    assert "new even" in black and "new odd" not in black
    seen = recommender.recommend_one(
        RecommendationRequest(history=["i02", "new even"], k=NUM_ITEMS + 2, explain=True, diversity="mmr")
    )
    assert "new even" not in seen.item_ids and "new odd" in seen.item_ids and seen.unknown_items == ()
    assert "new odd" in recommender.recommend_one(RecommendationRequest(k=NUM_ITEMS + 2)).item_ids


def test_items_that_are_taken_out_do_not_come_back(recommender):
    first = recommender.recommend_one(EVEN).item_ids[:2]
    recommender.add_items(new_items())
    recommender.remove_items([*first, "new odd"])
    for asked in (EVEN, RecommendationRequest(k=NUM_ITEMS + 2)):
        assert not {*first, "new odd"} & set(recommender.recommend_one(asked).item_ids)
    assert recommender.recommend_one(RecommendationRequest(history=[*first, "i12"])).personalized


def test_new_items_have_similar_ones_by_their_vectors(recommender):
    assert recommender.similar(["i06"], k=3)[0].measure == "cosine of vectors"
    recommender.add_items(new_items())
    recommender.remove_items(["i08"])
    similar = recommender.similar(["new even"], k=NUM_ITEMS)[0]
    assert similar.measure == "cosine of vectors" and "new even" not in similar.item_ids
    assert "i08" not in similar.item_ids
    assert int(similar.item_ids[0][1:]) % 2 == 0
    assert "new even" in recommender.similar(["i06"], k=NUM_ITEMS)[0].item_ids
    assert "added since" in recommender.similar(["new even"], k=3, by="content")[0].measure


def test_a_ranker_leaves_items_behind_that_it_does_not_know():
    ranked = BundleRecommender(Bundle.open(board_bundle("two_tower", ranker="ease")))
    before = ranked.recommend_one(EVEN).item_ids
    ranked.add_items(new_items())
    assert ranked.recommend_one(EVEN).item_ids[: len(before)] == before
    assert sorted(ranked.recommend_one(EVEN).item_ids[len(before) :]) == ["new even", "new odd"]


def test_several_values_of_a_new_item_may_be_a_list(recommender):
    recommender.add_items(pa.table({"item_id": ["listed"], "colours": [["black", "even"]]}))
    recommender.add_items(pa.table({"item_id": ["written"], "colours": ["black|even"]}))
    answer = recommender.recommend_one(
        RecommendationRequest(history=["i02"], k=100, filters={"colours": {"any_of": ["even"]}})
    )
    assert {"listed", "written"} <= set(answer.item_ids)


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ({"item_id": ["i02"], "colours": ["black"]}, "i02 are known already"),
        ({"item_id": ["a", "a"], "colours": ["black", "black"]}, "some are missing or come twice"),
        ({"item_id": ["a", None], "colours": ["black", "black"]}, "some are missing or come twice"),
        ({"item_id": [7], "colours": ["black"]}, "need a column item_id of strings"),
        ({"colours": ["black"]}, "need a column item_id of strings"),
        ({"item_id": ["a"], "colours": [{"black": 1}]}, "The column colours must be as in training"),
    ],
)
def test_wrong_items_are_refused_and_none_is_added(recommender, items, message):
    with pytest.raises(RecsysError, match=message):
        recommender.add_items(pa.table(items))
    assert len(recommender.recommend_one(EVEN).item_ids) == NUM_ITEMS - 3


def test_only_items_that_are_there_are_taken_out(recommender):
    recommender.remove_items(["i04"])
    with pytest.raises(RecsysError, match="Items that are there are required, but i04, nothing are not"):
        recommender.remove_items(["i05", "i04", "nothing"])
    assert "i05" in recommender.recommend_one(RecommendationRequest(k=NUM_ITEMS)).item_ids


def test_a_model_that_does_not_know_content_takes_no_new_items():
    ease = BundleRecommender(Bundle.open(board_bundle("ease")))
    with pytest.raises(BundleError, match="knows new items by their content is required, but EASE"):
        ease.add_items(new_items())
    ease.remove_items(["i04"])
    assert "i04" not in ease.recommend_one(RecommendationRequest(history=["i02"], k=NUM_ITEMS)).item_ids


def test_items_come_and_go_while_requests_are_answered(recommender):
    errors, stop = [], threading.Event()

    def ask():
        while not stop.is_set():
            try:
                answer = recommender.recommend_one(
                    RecommendationRequest(history=["i02"], k=100, diversity="mmr", explain=True)
                )
                assert len(answer.item_ids) == len(set(answer.item_ids)) >= NUM_ITEMS - 1
            except Exception as error:
                errors.append(error)
                return

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    for turn in range(30):
        recommender.add_items(pa.table({"item_id": [f"n{turn}"], "colours": ["black|even"]}))
        if turn % 2:
            recommender.remove_items([f"n{turn}"])
    stop.set()
    for client in clients:
        client.join()
    assert not errors
    assert len(recommender.recommend_one(RecommendationRequest(history=["i02"], k=100)).item_ids) == NUM_ITEMS - 1 + 15
