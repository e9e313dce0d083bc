import threading

import numpy as np
import pyarrow as pa
import pytest
import torch

from recsys.data.encoded_columns import encode_table
from recsys.data.histories import Histories
from recsys.errors import BundleError, RecsysError
from recsys.models.interface.protocols import Query
from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.request import RecommendationRequest
from tests.export.board_bundles import board_bundle
from tests.models.board_data import NUM_ITEMS, prepared_board
from tests.models.test_contract import fitted

EVEN = RecommendationRequest(history=["i02", "i08", "i12"], k=NUM_ITEMS + 2)


class Frozen(dict):
    """Settings that can be a key, for a bundle that several tests share."""

    def __hash__(self):
        return hash(repr(self))


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


def test_behind_a_ranker_that_does_not_know_it_a_new_item_keeps_the_place_at_which_it_was_found():
    found = BundleRecommender(Bundle.open(board_bundle("two_tower")))
    ranked = BundleRecommender(Bundle.open(board_bundle("two_tower", ranker="ease")))
    for recommender in (found, ranked):
        recommender.add_items(new_items())
    places, lists = found.recommend_one(EVEN).item_ids, ranked.recommend_one(EVEN)
    for new in ("new even", "new odd"):
        assert lists.item_ids.index(new) == places.index(new)
    assert lists.item_ids.index("new even") < NUM_ITEMS // 2  # not last, beside items of the other colour
    assert np.isfinite(lists.scores).all() and lists.scores == sorted(lists.scores, reverse=True)


def test_a_ranker_that_reads_features_scores_a_new_item_as_the_model_does_in_pytorch():
    recommender = BundleRecommender(Bundle.open(board_bundle("two_tower", ranker="two_tower")))
    recommender.add_items(pa.table({"item_id": ["unsaid"], "colours": ["even"]}))
    recommender.add_items(new_items())
    answer = recommender.recommend_one(EVEN)
    model, prepared = fitted("two_tower").model, prepared_board()
    history = torch.from_numpy(prepared.item_vocabulary.index_of(list(EVEN.history)))
    spec = model.item_encoder()
    columns = encode_table(spec.columns, new_items())
    with torch.inference_mode():
        user = model.encode_users(
            Query(torch.tensor([-1]), Histories(torch.tensor([0, len(history)]), history, None, None))
        )
        expected = (user @ spec.encoder(*map(torch.from_numpy, columns.values())).T)[0].tolist()
    found = [answer.scores[answer.item_ids.index(name)] for name in ("new even", "new odd")]
    assert found == pytest.approx(expected, rel=1e-4)
    assert answer.scores == sorted(answer.scores, reverse=True)


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


class TestWhatIsThereNow:
    """Filters of the bundle, and values of items that change while it answers."""

    @staticmethod
    def opened():
        filters = {"colours": {"none_of": ["white"]}, "title": {"none_of": ["Square 4", "never made"]}}
        return BundleRecommender(Bundle.open(board_bundle("two_tower", filters=Frozen(filters))))

    ASKED = (
        EVEN,
        RecommendationRequest(k=NUM_ITEMS),
        RecommendationRequest(user_id="u01", exclude_seen=False, k=NUM_ITEMS),
        RecommendationRequest(history=["i02"], k=NUM_ITEMS, filters={"colours": {"any_of": ["even"]}}),
        RecommendationRequest(history=["i02"], k=NUM_ITEMS, diversity="mmr"),
    )

    def lists(self, recommender):
        found = [answer.item_ids for answer in recommender.recommend(self.ASKED)]
        return [*found, *(recommender.similar(["i02"], NUM_ITEMS, by)[0].item_ids for by in ("model", "content"))]

    def test_the_filters_of_a_bundle_hold_in_every_list(self):
        for ids in self.lists(self.opened()):
            assert ids and all(int(name[1:]) % 2 == 0 for name in ids) and "i04" not in ids

    def test_they_are_combined_with_those_of_a_request(self):
        asked = RecommendationRequest(history=["i02"], filters={"colours": {"any_of": ["white"]}})
        assert self.opened().recommend_one(asked).item_ids == []

    def test_what_is_sold_out_is_in_no_list_until_it_is_back(self):
        recommender = self.opened()
        before = self.lists(recommender)
        recommender.update_items({"colours": {"i08": "white"}})
        assert all("i08" not in ids for ids in self.lists(recommender))
        with pytest.raises(RecsysError, match="i99 are not"):
            recommender.update_items({"colours": {"i08": "black", "i99": "black"}})
        assert all("i08" not in ids for ids in self.lists(recommender))
        recommender.update_items({"colours": {"i08": "black|even"}})
        assert self.lists(recommender) == before

    def test_a_column_of_the_feed_alone_can_be_asked_for(self):
        recommender = self.opened()
        recommender.update_items({"in_stock": {"i08": True, "i10": False}})
        asked = RecommendationRequest(history=["i02"], filters={"in_stock": {"any_of": [True]}})
        assert recommender.recommend_one(asked).item_ids == ["i08"]

    def test_values_that_no_filter_can_read_change_nothing(self):
        recommender = self.opened()
        state = recommender._catalogue.state
        with pytest.raises(RecsysError, match="New values of colours must be of the type string"):
            recommender.update_items({"colours": {"i08": 3}})
        assert recommender._catalogue.state is state

    def test_each_list_is_made_before_or_after_an_update(self):
        recommender, stop, wrong = self.opened(), threading.Event(), []
        left, right = ("i08", "i10", "i12"), ("i14", "i16")
        recommender.update_items({"shelf": {**dict.fromkeys(left, "left"), **dict.fromkeys(right, "right")}})
        asked = RecommendationRequest(history=["i02"], filters={"shelf": {"any_of": ["left"]}}, k=NUM_ITEMS)

        def ask():
            while not stop.is_set():
                found = set(recommender.recommend_one(asked).item_ids)
                if found not in (set(left), set(right)):
                    wrong.append(found)

        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for turn in range(40):
            here, gone = (left, right) if turn % 2 else (right, left)
            recommender.update_items({"shelf": {**dict.fromkeys(here, "left"), **dict.fromkeys(gone, "right")}})
        stop.set()
        for thread in threads:
            thread.join(600)
        assert wrong == []


def test_a_new_item_with_other_content_is_found_by_what_it_is_now(recommender):
    recommender.add_items(new_items())
    before = recommender.recommend_one(EVEN).item_ids
    recommender.update_items({"colours": {"new even": "odd|white"}, "in_stock": {"i02": True}})
    after = recommender.recommend_one(EVEN)
    scores = dict(zip(after.item_ids, after.scores, strict=True))
    assert scores["new even"] == pytest.approx(scores["new odd"], rel=1e-5)
    others = [name for name in before if name != "new even"]
    assert [name for name in after.item_ids if name != "new even"] == others
