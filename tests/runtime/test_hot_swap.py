import shutil
import threading
import time

import pytest

from recsys.errors import BundleError
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
    thread.join(10)
    assert caplog.text.count("stays live") == 1


def until(reached):
    for _ in range(1000):
        if reached():
            return
        time.sleep(0.01)
    raise AssertionError("it did not happen")
