"""What holds for every model of ratings that has a configuration."""

from __future__ import annotations

from inspect import signature
from pathlib import Path

import numpy as np
import pytest
import torch
from hydra.utils import get_class
from omegaconf import OmegaConf

from recsys.errors import ModelError
from recsys.models.interface.protocols import Fittable, FoldsIn, PredictsRatings, ScoringModel
from tests.models.made_ratings import (
    as_strangers,
    interactions_of,
    made_ratings,
    pairs_of,
    query_of,
    random_ratings,
)

CONFIGS = Path(__file__).parents[2] / "configs" / "model"
CLASSES = {path.stem: get_class(OmegaConf.load(path)["_target_"]) for path in sorted(CONFIGS.glob("*.yaml"))}
RATING_MODELS = {name: model for name, model in CLASSES.items() if issubclass(model, PredictsRatings)}
every_model = pytest.mark.parametrize("model", RATING_MODELS.values(), ids=RATING_MODELS)


def fitted(model, interactions):
    made = model(interactions.num_users, interactions.num_items)
    made.fit(interactions)
    return made


@every_model
def test_implements_its_protocols(model):
    made = model(2, 3)
    assert isinstance(made, ScoringModel)
    assert isinstance(made, Fittable)
    assert isinstance(made, FoldsIn)


@every_model
def test_learns_more_than_the_mean(model):
    learnt, held_out = made_ratings()
    made = fitted(model, learnt)
    predicted = made.predict_ratings(query_of(learnt), *pairs_of(held_out)).numpy()
    assert np.square(predicted - held_out.rating).mean() < 0.95 * held_out.rating.var()


@every_model
def test_predictions_are_the_scores_within_the_scale(model):
    learnt = random_ratings()
    made = fitted(model, learnt)
    query = query_of(learnt)
    rows, items = (grid.flatten() for grid in torch.meshgrid(torch.arange(12), torch.arange(9), indexing="ij"))
    predicted = made.predict_ratings(query, rows, items)
    torch.testing.assert_close(predicted, made.score(query).flatten().clamp(1, 5), rtol=1e-5, atol=1e-5)


@every_model
def test_clips_to_the_lowest_and_highest_rating_of_training(model):
    # Ratings of 2 and 4 alone; user 0 and item 0 are far above, user 1 and item 1 far below.
    learnt = interactions_of([0] * 4 + [1] * 4, [0, 2, 3, 4, 1, 5, 6, 7], [4, 4, 4, 4, 2, 2, 2, 2], 2, 8)
    made = fitted(model, learnt)
    made.user_bias.mul_(100)
    rows, items = torch.tensor([0, 1]), torch.tensor([0, 1])
    assert made.predict_ratings(query_of(learnt), rows, items).tolist() == [4.0, 2.0]
    assert made.score(query_of(learnt)).amax() > 4


@every_model
def test_an_unknown_item_is_the_mean_plus_the_bias_of_the_user(model):
    learnt = random_ratings()
    made = fitted(model, learnt)
    scores = made.score(query_of(learnt))
    torch.testing.assert_close(scores[:, 0], made.mean + made.user_bias)


@every_model
def test_an_unknown_user_is_the_mean_plus_the_bias_of_the_item(model):
    learnt = random_ratings()
    made = fitted(model, learnt)
    for user in (0, -1):  # in the vocabulary without training, and not in the vocabulary
        scores = made.score(query_of(learnt, [user]))
        torch.testing.assert_close(scores[0], made.mean + made.item_bias)
    assert made.predict_ratings(query_of(learnt, [-1]), torch.tensor([0]), torch.tensor([0])).item() == (
        pytest.approx(learnt.rating.mean())
    )


@every_model
def test_a_stranger_with_the_history_of_a_user_is_scored_much_like_them(model):
    learnt, _ = made_ratings()
    made = fitted(model, learnt)
    query = query_of(learnt)
    known, stranger = made.score(query), made.score(as_strangers(query))
    correlation = np.corrcoef(known.flatten(), stranger.flatten())[0, 1]
    assert correlation > 0.99
    torch.testing.assert_close(made.score_histories(query.histories), stranger)


@every_model
def test_histories_without_ratings_are_no_error(model):
    learnt = random_ratings()
    made = fitted(model, learnt)
    query = as_strangers(query_of(interactions_of(learnt.user_index, learnt.item_index, None, 12, 9)))
    assert made.score(query).isfinite().all()
    assert made.predict_ratings(query, torch.tensor([1, 2]), torch.tensor([3, 4])).isfinite().all()


@every_model
def test_no_pairs_and_no_users_give_no_predictions(model):
    learnt = random_ratings()
    none = torch.empty(0, dtype=torch.int64)
    made = fitted(model, learnt)
    assert made.predict_ratings(query_of(learnt), none, none).shape == (0,)
    assert made.score(query_of(learnt, [])).shape == (0, 9)


@every_model
def test_fitting_again_gives_the_same_model(model):
    learnt = random_ratings()
    made = fitted(model, learnt)
    before = {name: tensor.clone() for name, tensor in made.state_dict().items()}
    made.fit(learnt)
    assert all(before[name].equal(tensor) for name, tensor in made.state_dict().items())


@every_model
def test_needs_ratings(model):
    with pytest.raises(ModelError, match="learns from ratings, but the interactions have none"):
        fitted(model, interactions_of([0], [0], None, 1, 1))
    with pytest.raises(ModelError, match="learns from ratings, but the interactions are empty"):
        fitted(model, interactions_of([], [], [], 1, 1))


@every_model
def test_one_user_one_item_one_rating(model):
    learnt = interactions_of([0], [0], [4], 1, 1)
    made = fitted(model, learnt)
    assert made.predict_ratings(query_of(learnt), torch.tensor([0]), torch.tensor([0])).item() == 4.0


@every_model
def test_refuses_settings_out_of_range(model):
    settings = signature(model).parameters
    for name in {"epochs", "embedding_dim", "num_neighbours"} & set(settings):
        with pytest.raises(ModelError, match=f"model.{name} must be at least 1, but it is 0"):
            model(2, 3, **{name: 0})
    for name in {"user_l2", "bias_l2", "init_std"} & set(settings):
        with pytest.raises(ModelError, match=f"model.{name} must be above 0, but it is 0"):
            model(2, 3, **{name: 0.0})
