import shutil
import threading
import time

import pytest

from recsys.errors import BundleError, RequestError
from recsys.runtime.bundle import Bundle
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.hot_swap import HotSwapRecommender
from recsys.runtime.request import RecommendationRequest
from tests.export.board_bundles import board_bundle

ASKED = RecommendationRequest(history=["i02", "i08"], k=5)


def test_bundles_are_exchanged_under_load_and_none_is_lost():
    directories = [board_bundle("ease"), board_bundle("pure_svd")]
    expected = {
        directory.name: BundleRecommender(Bundle.open(directory)).recommend_one(ASKED).scores
        for directory in directories
    }
    live, answers, errors = HotSwapRecommender(directories[0]), [], []

    def ask():
        for _ in range(500):
            try:
                answers.append(live.recommend_one(ASKED))
            except Exception as error:
                errors.append(error)

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    for turn in range(6):
        live.activate(directories[(turn + 1) % 2])
    live.roll_back()
    for client in clients:
        client.join()
    assert not errors and len(answers) == 2000
    assert {answer.model_version for answer in answers} == {"ease", "pure_svd"}
    for answer in answers:
        assert answer.scores == pytest.approx(expected[answer.model_version], rel=1e-5)


def test_rolling_back_goes_to_the_one_before():
    live = HotSwapRecommender(board_bundle("ease"))
    with pytest.raises(BundleError, match="is the first"):
        live.roll_back()
    live.activate(board_bundle("pure_svd"))
    assert live.bundle.manifest.name == "pure_svd"
    live.roll_back()
    assert live.bundle.manifest.name == "ease"


def test_a_damaged_bundle_changes_nothing(tmp_path):
    broken = shutil.copytree(board_bundle("pure_svd"), tmp_path / "broken")
    (broken / "item_vectors.npy").write_bytes(b"")
    live = HotSwapRecommender(board_bundle("ease"))
    with pytest.raises(BundleError, match="changed or damaged"):
        live.activate(broken)
    assert live.recommend_one(ASKED).model_version == "ease"


def test_follows_what_is_wanted(tmp_path, caplog):
    wanted = [board_bundle("ease")]
    live, stop = HotSwapRecommender(wanted[0]), threading.Event()
    thread = live.watch(lambda: wanted[-1], interval_seconds=0.01, stop=stop)
    wanted.append(tmp_path / "none")
    until(lambda: "stays live" in caplog.text)
    assert live.bundle.manifest.name == "ease"
    wanted.append(board_bundle("pure_svd"))
    until(lambda: live.bundle.manifest.name == "pure_svd")
    stop.set()
    thread.join(600)
    assert caplog.text.count("stays live") == 1


def test_a_bundle_that_comes_under_the_same_name_is_not_served_stale(tmp_path, caplog):
    place = shutil.copytree(board_bundle("ease"), tmp_path / "live")
    live, stop = HotSwapRecommender(place), threading.Event()
    thread = live.watch(lambda: place, interval_seconds=0.01, stop=stop)
    shutil.rmtree(place)
    until(lambda: "stays live" in caplog.text)
    assert live.recommend_one(ASKED).model_version == "ease"
    shutil.copytree(board_bundle("pure_svd"), tmp_path / "new")
    (tmp_path / "new").rename(place)
    until(lambda: live.recommend_one(ASKED).model_version == "pure_svd")
    stop.set()
    thread.join(600)


def test_what_is_sold_out_stays_so_in_the_bundles_to_come():
    sold_out = {"colours": {"any_of": ["black", "white"]}}
    live = HotSwapRecommender(board_bundle("ease"))
    asked = RecommendationRequest(history=["i02"], k=100, filters=sold_out)
    live.update_items({"colours": {"i08": "none"}, "in_stock": {"i08": False}})
    for _ in range(2):
        assert "i08" not in live.recommend_one(asked).item_ids
        live.activate(board_bundle("pure_svd"))
        assert "i08" not in live.recommend_one(asked).item_ids
        live.update_items({"colours": {"i10": "none"}})
        live.roll_back()
        assert not {"i08", "i10"} & set(live.recommend_one(asked).item_ids)
    with pytest.raises(RequestError, match="i99 are not"):
        live.update_items({"colours": {"i99": "none"}})


def until(reached):
    for _ in range(60_000):
        if reached():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")
