import numpy as np
import pytest
import torch

from recsys.data.histories import Histories
from recsys.models.bias import Bias
from tests.models.made_ratings import query_of, random_ratings

#: For the contract that every model keeps.
PERSONALIZED = False


def reference(interactions, user_l2, item_l2):
    """The minimum by one dense system of normal equations."""
    num_users, num_items = interactions.num_users, interactions.num_items
    design = np.zeros((len(interactions), num_users + num_items))
    design[np.arange(len(design)), interactions.user_index] = 1
    design[np.arange(len(design)), num_users + interactions.item_index] = 1
    penalty = np.diag([user_l2] * num_users + [item_l2] * num_items)
    mean = interactions.rating.astype(np.float64).mean()
    biases = np.linalg.solve(design.T @ design + penalty, design.T @ (interactions.rating - mean))
    return mean, biases[:num_users], biases[num_users:]


def test_is_the_minimum_of_the_regularised_squared_error():
    ratings = random_ratings()
    model = Bias(12, 9, user_l2=3.0, item_l2=1.5, epochs=60)
    model.fit(ratings)
    mean, user_bias, item_bias = reference(ratings, 3.0, 1.5)
    assert model.mean.item() == pytest.approx(mean)
    np.testing.assert_allclose(model.user_bias, user_bias, atol=1e-6)
    np.testing.assert_allclose(model.item_bias, item_bias, atol=1e-6)


def test_the_default_turns_are_enough():
    ratings = random_ratings(60, 40, 0.3)
    model = Bias(60, 40)
    model.fit(ratings)
    _, user_bias, item_bias = reference(ratings, 5.0, 2.0)
    np.testing.assert_allclose(model.user_bias, user_bias, atol=1e-4)
    np.testing.assert_allclose(model.item_bias, item_bias, atol=1e-4)


def test_a_stranger_has_the_shrunk_mean_of_what_their_ratings_have_above_the_items():
    model = Bias(2, 3, user_l2=2.0)
    model.mean.fill_(3.0)
    model.item_bias.copy_(torch.tensor([0.5, -0.5, 0.0]))
    histories = Histories(torch.tensor([0, 2, 2]), torch.tensor([0, 2]), torch.tensor([5.0, 4.0]), None)
    bias, _ = model.fold_in(histories)
    # (5 - 3 - 0.5) + (4 - 3 - 0) = 2.5, divided by 2 ratings + 2
    assert bias.tolist() == [0.625, 0.0]


def test_a_user_of_the_training_who_is_folded_in_has_the_same_bias():
    ratings = random_ratings()
    model = Bias(12, 9)
    model.fit(ratings)
    folded, _ = model.fold_in(query_of(ratings).histories)
    torch.testing.assert_close(folded, model.user_bias)
