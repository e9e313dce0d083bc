import pytest
import torch
from torch import nn

from recsys.errors import ModelError
from recsys.models.components.rating_model import RatingModel, require_positive
from tests.models.made_ratings import as_strangers, interactions_of, query_of

RATINGS = interactions_of([0, 0, 1], [0, 1, 0], [5, 3, 4], 3, 3)


class ToyRatings(RatingModel):
    """Vectors of one dimension; folds in with the number of interactions as bias and 1 as vector."""

    def __init__(self):
        super().__init__(num_users=3, num_items=3, embedding_dim=1)
        self.user_bias.copy_(torch.tensor([0.5, -0.5, 9.0]))
        self.item_bias.copy_(torch.tensor([0.25, 0.0, -2.0]))
        self.user_vectors.copy_(torch.tensor([[1.0], [2.0], [9.0]]))
        self.item_vectors.copy_(torch.tensor([[1.0], [-1.0], [3.0]]))

    def fold_in(self, histories):
        bias, vectors = self.nothing_for(len(histories))
        return bias + histories.counts, vectors + 1

    def served_fold_in(self):
        return nn.Identity()


@pytest.fixture
def model():
    made = ToyRatings()
    made.read_ratings(RATINGS)
    return made


def test_reading_ratings_keeps_scale_mean_and_users(model):
    assert (model.mean.item(), model.scale.tolist()) == (4.0, [3.0, 5.0])
    assert model.in_training.tolist() == [True, True, False]


def test_training_ratings_are_a_sparse_matrix():
    assert ToyRatings().read_ratings(RATINGS).dense().tolist() == [[5, 3, 0], [4, 0, 0], [0, 0, 0]]


def test_scores_are_predictions_that_are_not_clipped(model):
    # mean + b_u + b_i + p_u q_i: 4 + .5 + .25 + 1, 4 + .5 + 0 - 1, 4 + .5 - 2 + 3
    scores = model.score(query_of(RATINGS))
    assert scores[0].tolist() == [5.75, 3.5, 5.5]
    assert scores[1].tolist() == [4 - 0.5 + 0.25 + 2, 4 - 0.5 - 2, 4 - 0.5 - 2 + 6]


def test_predicted_ratings_are_clipped_to_the_scale(model):
    rows, items = torch.tensor([0, 0, 1]), torch.tensor([0, 1, 1])
    assert model.predict(query_of(RATINGS), rows, items).tolist() == [5.75, 3.5, 1.5]
    assert model.predict_ratings(query_of(RATINGS), rows, items).tolist() == [5.0, 3.5, 3.0]


def test_users_outside_training_are_folded_in(model):
    # Strangers with two, one and no interactions; user 2 of the vocabulary has no training either.
    bias, vectors = model.users_of(as_strangers(query_of(RATINGS)))
    assert (bias.tolist(), vectors[:, 0].tolist()) == ([2, 1, 0], [1, 1, 1])
    bias, vectors = model.users_of(query_of(RATINGS))
    assert (bias.tolist(), vectors[:, 0].tolist()) == ([0.5, -0.5, 0], [1, 2, 1])


def test_scores_of_an_empty_history_are_nan(model):
    scores = model.score_histories(query_of(RATINGS).histories)
    assert scores.isnan().all(dim=1).tolist() == [False, False, True]
    assert scores[0].tolist() == [4 + 2 + 0.25 + 1, 4 + 2 - 1, 4 + 2 - 2 + 3]


def test_items_for_serving_predict_by_inner_product(model):
    # The last two dimensions are the item's bias and a constant for that of the user.
    items = model.serving_form().item_vectors
    assert items.tolist() == [[1, 0.25, 1], [-1, 0, 1], [3, -2, 1]]


@pytest.mark.parametrize(
    ("interactions", "message"),
    [
        (interactions_of([0], [0], None, 3, 3), "ToyRatings learns from ratings, but the interactions have none"),
        (interactions_of([], [], [], 3, 3), "ToyRatings learns from ratings, but the interactions are empty"),
    ],
)
def test_ratings_are_required(interactions, message):
    with pytest.raises(ModelError, match=message):
        ToyRatings().read_ratings(interactions)


@pytest.mark.parametrize("value", [0, -1.0, float("nan")])
def test_settings_must_be_positive(value):
    require_positive(l2=0.1)
    with pytest.raises(ModelError, match=r"model\.l2 must be above 0, but it is"):
        require_positive(noise=1, l2=value)
