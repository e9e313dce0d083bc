"""What holds for every model that has a configuration; a new one is tested by its file in ``configs/model``.

The module of a model's own tests says what it needs to learn a small board: ``BOARD``, settings as on the command line,
and ``PERSONALIZED = False`` where it does not know for whom an item is good.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from omegaconf import DictConfig, OmegaConf
from torch import Tensor, nn

from recsys.cli.configuration import compose_config
from recsys.data.feedback_view import FeedbackView
from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.split import Split
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.interface.protocols import Factorized, FoldsIn, PredictsRatings, Query, ScoresPairs, ScoringModel
from recsys.runs.assembly import build_model
from recsys.runs.model_fitting import ModelFitter
from recsys.runs.run_directory import RunDirectory
from tests.models.board_data import NUM_ITEMS, NUM_USERS, board_split, prepared_board

CONFIGS = Path(__file__).parents[2] / "configs"
MODELS = sorted(path.stem for path in (CONFIGS / "model").glob("*.yaml"))


def of_own_tests(name: str, constant: str, default: Any) -> Any:
    """What the tests of a model say of it: ``BOARD`` and ``PERSONALIZED`` of ``tests/models/test_<module>.py``."""
    tests = f"tests.models.test_{target(name).rsplit('.', 2)[-2]}"
    return getattr(import_module(tests), constant, default) if find_spec(tests) else default


def target(name: str) -> str:
    return OmegaConf.load(CONFIGS / "model" / f"{name}.yaml")["_target_"]


def board_settings(name: str) -> list[str]:
    """Settings for a board this small: a factorisation with as many dimensions as it has would learn it by heart."""
    return list(of_own_tests(name, "BOARD", []))


def is_personalized(name: str) -> bool:
    """Whether the model knows for whom an item is good, beside what is good."""
    return bool(of_own_tests(name, "PERSONALIZED", True))


@cache
def unfitted(name: str) -> nn.Module:
    config = compose_config("train", overrides=[f"model={name}", "name=board", *board_settings(name)])
    return build_model(config.model, 1, prepared_board())


def models_that(protocol: type) -> list[str]:
    """The models that implement ``protocol``."""
    return [name for name in MODELS if isinstance(unfitted(name), protocol)]


def models_with(method: str) -> list[str]:
    """The models that have ``method``."""
    return [name for name in MODELS if hasattr(unfitted(name), method)]


@dataclass(frozen=True)
class Fitted:
    """A model that has learnt the board."""

    config: DictConfig
    model: nn.Module
    interactions: Interactions
    split: Split

    @property
    def task(self) -> RankingTask:
        """The test: the held-out items, liked or not."""
        return RankingTask.from_split(self.interactions, self.split, "test")


def fit(name: str, seed: int = 1) -> Fitted:
    settings = [f"model={name}", "name=board", "trainer.accelerator=cpu", f"seed={seed}"]
    config = compose_config("train", overrides=[*settings, *board_settings(name)])
    prepared = prepared_board()
    model = build_model(config.model, seed, prepared)
    view = FeedbackView.explicit(prepared) if isinstance(model, PredictsRatings) else FeedbackView.implicit(prepared)
    split = board_split(view.interactions)
    ModelFitter(config, view, split).fit(model)
    return Fitted(config, model.eval(), view.interactions, split)


@cache
def fitted(name: str) -> Fitted:
    return fit(name)


def scores_of(model: nn.Module, query: Query) -> Tensor:
    assert isinstance(model, ScoringModel)
    with torch.inference_mode():
        return model.score(query).clone()


def everyone(board: Fitted) -> Query:
    return board.task.query(torch.arange(NUM_USERS))


def nothing_known_of(num_users: int) -> Histories:
    none = torch.empty(0, dtype=torch.int64)
    return Histories(torch.zeros(num_users + 1, dtype=torch.int64), none, none.float(), none)


def share_in_order(scores: Tensor) -> float:
    """The share of users whose held-out liked item scores above their held-out item of the other colour."""
    users, items = torch.arange(NUM_USERS), torch.arange(NUM_ITEMS)
    held_out = (items // 2 - users[:, None] // 2) % (NUM_ITEMS // 2) == 0
    likes = (users[:, None] + items) % 2 == 0
    return (scores[held_out & likes] > scores[held_out & ~likes]).float().mean().item()


@pytest.mark.parametrize("name", MODELS)
def test_scores_the_catalogue_for_each_known_user(name):
    scores = scores_of(fitted(name).model, everyone(fitted(name)))
    assert scores.shape == (NUM_USERS, NUM_ITEMS)
    assert scores.dtype == torch.float32
    assert scores.isfinite().all()


@pytest.mark.parametrize("name", [name for name in MODELS if is_personalized(name)])
def test_recovers_the_board(name):
    board = fitted(name)
    assert share_in_order(scores_of(board.model, everyone(board))) > 0.95


@pytest.mark.parametrize("name", MODELS)
def test_an_unknown_user_without_history_is_unscored_or_scored_as_everyone(name):
    scores = scores_of(fitted(name).model, Query(torch.tensor([-1, -1]), nothing_known_of(2)))
    assert scores.shape == (2, NUM_ITEMS)
    assert scores.isnan().all() or (scores.isfinite().all() and scores[0].allclose(scores[1], atol=1e-5))


@pytest.mark.parametrize("name", MODELS)
def test_a_known_user_without_history_is_no_error(name):
    scores = scores_of(fitted(name).model, Query(torch.tensor([0]), nothing_known_of(1)))
    assert scores.isnan().all() or scores.isfinite().all()


@pytest.mark.parametrize("name", MODELS)
def test_scores_are_the_same_one_by_one_or_all_at_once(name):
    board = fitted(name)
    together = scores_of(board.model, everyone(board))
    apart = torch.cat([scores_of(board.model, board.task.query(torch.tensor([user]))) for user in range(NUM_USERS)])
    torch.testing.assert_close(apart, together, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", MODELS)
def test_the_same_seed_gives_the_same_scores(name):
    first, second = fitted(name), fit(name)
    assert scores_of(first.model, everyone(first)).equal(scores_of(second.model, everyone(second)))


@pytest.mark.parametrize("name", MODELS)
def test_saved_and_loaded_it_gives_the_same_scores(name, tmp_path):
    board = fitted(name)
    run = RunDirectory(tmp_path)
    run.save_model(board.model)
    fresh = build_model(board.config.model, 999, prepared_board())
    run.load_model(fresh)
    assert scores_of(fresh.eval(), everyone(board)).equal(scores_of(board.model, everyone(board)))


@pytest.mark.parametrize("name", MODELS)
def test_scoring_changes_nothing(name):
    board = fitted(name)
    before = {key: value.clone() for key, value in board.model.state_dict().items()}
    scores_of(board.model, everyone(board))
    after = board.model.state_dict()
    assert before.keys() == after.keys()
    assert all(before[key].equal(after[key]) for key in before)


@pytest.mark.parametrize("name", models_that(FoldsIn))
def test_folds_in_a_user_it_has_never_seen(name):
    board = fitted(name)
    query = everyone(board)
    with torch.inference_mode():
        folded = board.model.score_histories(query.histories)
    assert folded.shape == (NUM_USERS, NUM_ITEMS)
    if is_personalized(name):
        assert share_in_order(folded) > 0.95
    unknown = Query(torch.full_like(query.users, -1), query.histories)
    torch.testing.assert_close(scores_of(board.model, unknown), folded, equal_nan=True)


@pytest.mark.parametrize("name", models_that(FoldsIn))
def test_one_empty_history_leaves_the_other_users_as_they_are(name):
    board = fitted(name)
    mixed = board.task.histories.take(torch.tensor([3, -1, 4]))
    alone = board.task.histories.take(torch.tensor([3, 4]))
    with torch.inference_mode():
        scores = board.model.score_histories(mixed)
        expected = board.model.score_histories(alone)
    torch.testing.assert_close(scores[[0, 2]], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", models_that(ScoresPairs))
def test_pairs_agree_with_the_catalogue(name):
    board = fitted(name)
    scores = scores_of(board.model, everyone(board))
    with torch.inference_mode():
        pairs = board.model.score_pairs(torch.arange(NUM_USERS)[:, None], torch.arange(NUM_ITEMS)[None, :])
    torch.testing.assert_close(pairs, scores, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", models_that(Factorized))
def test_inner_products_order_items_as_scores_do(name):
    board = fitted(name)
    query = everyone(board)
    with torch.inference_mode():
        products = board.model.encode_users(query) @ board.model.encode_items(torch.arange(NUM_ITEMS)).T
    difference = products - scores_of(board.model, query)
    torch.testing.assert_close(difference, difference[:, :1].expand_as(difference), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", models_that(PredictsRatings))
def test_predicted_ratings_stay_on_the_scale(name):
    board = fitted(name)
    rows, items = (
        grid.flatten() for grid in torch.meshgrid(torch.arange(NUM_USERS), torch.arange(NUM_ITEMS), indexing="ij")
    )
    with torch.inference_mode():
        ratings = board.model.predict_ratings(everyone(board), rows, items)
        stranger = board.model.predict_ratings(Query(torch.tensor([-1]), nothing_known_of(1)), rows[:1] * 0, items[:1])
    assert ratings.shape == rows.shape
    assert ((ratings >= 1) & (ratings <= 5)).all()
    assert 1 <= stranger.item() <= 5
