"""The stages one by one give what the bundle gives in process; a server only passes arrays between them."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from recsys_serving.triton.list_tensors import ListWriter
from recsys_serving.triton.separate_stages import (
    MIN_WIDTH,
    PreprocessStage,
    RetrieveStage,
    open_part,
    padded_width,
    ranked,
)

from recsys.errors import BundleError, RecsysError
from recsys.retrieval.candidates import Candidates
from recsys.runtime.bundle import Bundle
from recsys.runtime.onnx_inputs import ranker_feeds
from recsys.runtime.recommender import BundleRecommender
from recsys.runtime.request import RecommendationRequest
from tests.export.board_bundles import board_bundle
from tests.models.board_data import NUM_ITEMS

ALL = [f"i{item:02}" for item in range(NUM_ITEMS)]
QUESTIONS = [
    RecommendationRequest(user_id="u01", k=3),
    RecommendationRequest(user_id="nobody", k=3),
    RecommendationRequest(history=["i02", "no such item", "i08"], k=3),
    RecommendationRequest(history=["i02"], exclude_items=["i04"], k=3),
    RecommendationRequest(history=["i02"], exclude_items=ALL, k=3),
    RecommendationRequest(history=ALL[:20], k=3),
]


def lists_of(bundle: Bundle, asked: list[RecommendationRequest], k: int) -> dict[str, np.ndarray]:
    """What a server does with a batch."""
    looked_up = PreprocessStage(bundle)(asked)
    stage = RetrieveStage(bundle)
    found = stage(bundle.query_encoder().run(looked_up.onnx_inputs), looked_up.excluded, stage.width(k))
    best = found.candidates
    if bundle.has_ranker:
        best = ranked(found, bundle.ranker().run(ranker_feeds(looked_up.onnx_inputs, found.candidates.items)))
    return {**ListWriter(bundle)(best, np.full(len(asked), k)), "personalized": found.personalized}


@pytest.mark.parametrize(("name", "ranker"), [("ease", None), ("pure_svd", None), ("pure_svd", "ease")])
def test_the_stages_give_what_the_bundle_gives(name: str, ranker: str | None):
    bundle = Bundle.open(board_bundle(name, ranker))
    lists = lists_of(bundle, QUESTIONS, k=3)
    for row, wanted in enumerate(BundleRecommender(bundle).recommend_all(QUESTIONS)):
        there = lists["item_ids"][row] != b""
        assert [item.decode() for item in lists["item_ids"][row][there]] == wanted.item_ids
        assert lists["scores"][row][there].tolist() == pytest.approx(wanted.scores, rel=1e-5)
        assert np.isneginf(lists["scores"][row][~there]).all()
        assert lists["personalized"][row] == wanted.personalized


def test_histories_and_exclusions_have_few_widths():
    looked_up = PreprocessStage(Bundle.open(board_bundle("ease")))(
        [RecommendationRequest(history=ALL[:17]), RecommendationRequest()]
    )
    assert looked_up.onnx_inputs["history"].shape == looked_up.excluded.shape == (2, 32)
    assert (looked_up.onnx_inputs["history"][0, 17:] == -1).all() and (looked_up.excluded[1] == -1).all()
    assert padded_width(0) == padded_width(MIN_WIDTH) == MIN_WIDTH
    assert [padded_width(MIN_WIDTH + 1), padded_width(1000)] == [2 * MIN_WIDTH, 1024]


def test_all_there_is_may_be_asked_for():
    stage = RetrieveStage(Bundle.open(board_bundle("ease")))
    assert stage.width(3) == 3 and stage.width(2**62) == NUM_ITEMS
    with pytest.raises(RecsysError, match="k must be a whole number of at least 1, but it is 0"):
        stage.width(0)


def test_candidates_of_lists_that_are_no_longer_than_what_is_ranked_are_not_filled_up():
    stage = RetrieveStage(Bundle.open(board_bundle("pure_svd", "ease", num_candidates=20)))
    assert [stage.filled_width(stage.width(k)) for k in (1, 20, 21, 99)] == [20, 20, 32, 32]


def test_as_many_as_the_bundle_ranks_are_candidates():
    bundle = Bundle.open(board_bundle("pure_svd", "ease"))
    stage = RetrieveStage(replace(bundle, manifest=replace(bundle.manifest, num_candidates=7)))
    assert stage.width(3) == 7 and stage.width(9) == 9


def test_lists_end_where_there_is_nothing_more():
    writer = ListWriter(Bundle.open(board_bundle("ease")))
    lists = writer(
        Candidates(np.array([[2, 5, -1], [7, 1, 3]]), np.array([[3, 2, -np.inf], [9, 8, 7]])), np.array([3, 2])
    )
    assert lists["item_ids"].tolist() == [[b"i02", b"i05"], [b"i07", b"i01"]]
    empty = writer(Candidates.empty(1, 4), np.array([3]))
    assert empty["item_ids"].shape == empty["scores"].shape == (1, 0)


def test_a_part_of_a_bundle_is_checked(tmp_path: Path):
    for name in ("manifest.json", "popularity.npy"):
        shutil.copy(board_bundle("ease") / name, tmp_path / name)
    assert open_part(tmp_path).popularity.shape == (NUM_ITEMS,)
    path = tmp_path / "popularity.npy"
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(BundleError, match=r"popularity\.npy was changed or damaged"):
        open_part(tmp_path)
