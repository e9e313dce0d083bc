import numpy as np
import pytest
import torch

from recsys.data.histories import Histories
from recsys.models.components.baseline_fit import fit_biases, fold_in_bias
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from tests.models.made_ratings import interactions_of, random_ratings


def matrix_of(interactions):
    histories = Histories.from_interactions(interactions)
    return InteractionMatrix.from_histories(histories, interactions.num_items, histories.rating)


def test_one_epoch_by_hand():
    # Ratings: user 0 gives 5 to item 0 and 3 to item 1, user 1 gives 4 to item 0; the mean is 4.
    ratings = matrix_of(interactions_of([0, 0, 1], [0, 1, 0], [5, 3, 4], 3, 3))
    users, items = fit_biases(ratings, torch.tensor(4.0), user_l2=1.0, item_l2=2.0, epochs=1)
    # Items first: (1 + 0) / (2 + 2) = .25 and -1 / (1 + 2) = -1/3. Then users: (1 - .25 - 1 + 1/3) / (2 + 1), -.25 / 2.
    assert items.tolist() == pytest.approx([0.25, -1 / 3, 0])
    assert users.tolist() == pytest.approx([(1 / 3 - 0.25) / 3, -0.125, 0])
    assert users.dtype == items.dtype == torch.float64


def test_many_epochs_reach_the_joint_minimum():
    interactions = random_ratings()
    ratings, mean = matrix_of(interactions), torch.tensor(3.0)
    users, items = fit_biases(ratings, mean, user_l2=2.0, item_l2=3.0, epochs=200)
    # The normal equations of ridge regression on indicator columns of users and items.
    num_users, num_items = interactions.num_users, interactions.num_items
    design = np.zeros((len(interactions), num_users + num_items))
    design[np.arange(len(interactions)), interactions.user_index] = 1
    design[np.arange(len(interactions)), num_users + interactions.item_index] = 1
    penalty = np.diag([2.0] * num_users + [3.0] * num_items)
    exact = np.linalg.solve(design.T @ design + penalty, design.T @ (interactions.rating - 3.0))
    np.testing.assert_allclose(torch.cat([users, items]).numpy(), exact, atol=1e-9)


def test_folding_in_is_the_step_of_the_users():
    interactions = random_ratings(seed=1)
    ratings, mean = matrix_of(interactions), torch.tensor(3.0)
    users, items = fit_biases(ratings, mean, user_l2=2.0, item_l2=3.0, epochs=4)
    folded = fold_in_bias(Histories.from_interactions(interactions), mean, items.float(), user_l2=2.0)
    assert folded.tolist() == pytest.approx(users.tolist(), abs=1e-5)


def test_users_without_ratings_have_no_bias():
    empty = Histories.from_interactions(interactions_of([1], [0], [5], 2, 1))
    assert fold_in_bias(empty, torch.tensor(3.0), torch.zeros(1), user_l2=1.0).tolist() == [0, 1]
    unrated = Histories.from_interactions(interactions_of([0, 1], [0, 0], None, 2, 1))
    assert fold_in_bias(unrated, torch.tensor(3.0), torch.zeros(1), user_l2=1.0).tolist() == [0, 0]
