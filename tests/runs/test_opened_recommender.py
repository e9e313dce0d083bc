from types import SimpleNamespace

import pytest
import torch
from omegaconf import OmegaConf

from recsys.errors import BundleError, RunError
from recsys.recommendation.model_recommender import ModelRecommender
from recsys.runs import opened_recommender
from recsys.runs.opened_recommender import open_recommender
from recsys.runtime.bundle_recommender import BundleRecommender
from recsys.runtime.request import RecommendationRequest
from tests.export.board_bundles import board_bundle
from tests.models.board_data import NUM_ITEMS, prepared_board


class HighestIndex:
    """Scores items by their index."""

    def score(self, query):
        return self.score_histories(query.histories)

    def score_histories(self, histories):
        return torch.arange(NUM_ITEMS).float().expand(len(histories), NUM_ITEMS)


@pytest.fixture
def opened_paths(monkeypatch):
    """Runs are the board with a model that is made up; the paths that are opened are written down."""
    paths = []

    def open_run(path):
        paths.append(path)
        return SimpleNamespace(
            model=HighestIndex(),
            prepared=prepared_board(),
            config=OmegaConf.create({"view": None}),
            manifest=SimpleNamespace(holds_nothing_out=True),
        )

    monkeypatch.setattr(opened_recommender, "open_run", open_run)
    return paths


def test_a_run_answers_by_its_model_under_the_name_of_its_directory(opened_paths):
    opened = open_recommender("runs/highest", None)
    assert opened_paths == ["runs/highest"] and isinstance(opened.recommender, ModelRecommender)
    found = opened.recommender.recommend_one(RecommendationRequest(history=["i29"], k=2))
    assert (found.item_ids, found.model_version) == (["i28", "i27"], "highest")


def test_of_a_run_the_titles_and_the_name_of_its_data_are_known(opened_paths):
    opened = open_recommender("runs/highest", None)
    assert opened.titles_of(["i03", "i00"]) == ["Square 3", "Square 0"] and opened.data_name == "board"


def test_what_popular_items_are_counted_by(opened_paths):
    assert open_recommender("runs/highest", None).counted == "interactions in board"
    lately = open_recommender("runs/highest", None, popular_days=30)
    assert lately.counted == "interactions of the last 30 days of board"
    assert open_recommender("runs/highest", None, popular_days=1.0).counted == "interactions of the last day of board"


@pytest.mark.parametrize(("num_candidates", "expected"), [(2, ["i28", "i26"]), (3, ["i28", "i25"])])
def test_diversity_chooses_from_as_many_candidates_as_is_said(opened_paths, num_candidates, expected):
    # without 29 and 27 the best are 28 and 26, both black, and then 25, which is white
    recommender = open_recommender("runs/highest", None, num_candidates).recommender
    request = RecommendationRequest(history=["i29", "i27"], k=2, diversity="mmr", diversity_weight=1.0)
    assert recommender.recommend_one(request).item_ids == expected


def test_a_bundle_answers_in_onnx_runtime():
    opened = open_recommender(None, str(board_bundle("ease")))
    assert isinstance(opened.recommender, BundleRecommender)
    found = opened.recommender.recommend_one(RecommendationRequest(history=["i02", "i08"], k=3))
    assert found.model_version == "ease" and all(int(name[1:]) % 2 == 0 for name in found.item_ids)
    assert opened.titles_of(["i03"]) == ["Square 3"] and opened.data_name == "board"


@pytest.mark.parametrize(("run", "bundle", "came"), [(None, None, "neither"), ("runs/a", "bundles/a", "both")])
def test_exactly_one_must_be_named(opened_paths, run, bundle, came):
    with pytest.raises(RunError, match=f"Give either run=DIR or bundle=DIR; {came} came"):
        open_recommender(run, bundle)
    assert opened_paths == []


def test_what_is_not_there_cannot_be_opened(tmp_path):
    with pytest.raises(RunError, match="nowhere"):
        open_recommender(str(tmp_path / "nowhere"), None)
    with pytest.raises(BundleError, match=r"has no manifest\.json that can be read"):
        open_recommender(None, str(tmp_path / "nowhere"))
