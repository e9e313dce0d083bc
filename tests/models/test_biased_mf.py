import numpy as np
import torch

from recsys.models.biased_mf import BiasedMF
from recsys.models.interface.protocols import Factorized
from tests.models.made_ratings import (
    as_strangers,
    made_ratings,
    query_of,
    random_ratings,
    root_mean_squared_error,
)


def reference(ratings, dim, epochs, l2, power, bias_l2, start):
    """Alternating least squares, one user and one item after the other."""
    mean = ratings.rating.astype(np.float64).mean()
    sides = [(ratings.user_index, ratings.item_index), (ratings.item_index, ratings.user_index)]
    sizes = (ratings.num_users, ratings.num_items)
    vectors = [np.zeros((sizes[0], dim)), start.astype(np.float64)]
    biases = [np.zeros(size) for size in sizes]
    for _ in range(epochs):
        for side in (0, 1):
            own, other = sides[side]
            for row in range(sizes[side]):
                rated = own == row
                if not rated.any():
                    vectors[side][row], biases[side][row] = 0, 0
                    continue
                design = np.hstack([vectors[1 - side][other[rated]], np.ones((rated.sum(), 1))])
                penalty = np.diag([l2 * rated.sum() ** power] * dim + [bias_l2])
                target = ratings.rating[rated] - mean - biases[1 - side][other[rated]]
                solution = np.linalg.solve(design.T @ design + penalty, design.T @ target)
                vectors[side][row], biases[side][row] = solution[:-1], solution[-1]
    return mean + biases[0][:, None] + biases[1] + vectors[0] @ vectors[1].T


def test_is_alternating_least_squares():
    ratings = random_ratings()
    model = BiasedMF(12, 9, embedding_dim=2, epochs=4, l2=0.5, frequency_power=0.7, bias_l2=1.5, seed=3)
    model.fit(ratings)
    start = torch.randn(9, 2, generator=torch.Generator().manual_seed(3)) * 0.1
    expected = reference(ratings, 2, 4, 0.5, 0.7, 1.5, start.numpy())
    np.testing.assert_allclose(model.score(query_of(ratings)), expected, atol=1e-4)


def test_recovers_ratings_made_of_biases_and_two_dimensions():
    learnt, held_out = made_ratings()
    model = BiasedMF(80, 50, embedding_dim=2, epochs=30, l2=0.01, bias_l2=0.01)
    model.fit(learnt)
    assert root_mean_squared_error(model, learnt, held_out) < 0.02


def test_a_stranger_is_solved_for_as_a_user_in_training():
    learnt = random_ratings()
    model = BiasedMF(12, 9, embedding_dim=2, l2=2.0, frequency_power=0.4, bias_l2=2.0)
    model.fit(learnt)
    query = query_of(learnt)
    stranger = model.score(as_strangers(query))
    # One more half turn for the users is what a stranger gets.
    again = reference_half_turn(model, learnt)
    np.testing.assert_allclose(stranger, again, atol=1e-4)


def reference_half_turn(model, ratings):
    vectors, biases = model.item_vectors.numpy(), model.item_bias.numpy()
    rows = []
    for user in range(ratings.num_users):
        rated = ratings.user_index == user
        design = np.hstack([vectors[ratings.item_index[rated]], np.ones((rated.sum(), 1))])
        penalty = np.diag([2.0 * max(rated.sum(), 1) ** 0.4] * 2 + [2.0])
        target = ratings.rating[rated] - model.mean.item() - biases[ratings.item_index[rated]]
        solution = np.linalg.solve(design.T @ design + penalty, design.T @ target)
        rows.append(model.mean.item() + biases + vectors @ solution[:-1] + solution[-1])
    return np.stack(rows)


def test_another_seed_gives_another_start():
    learnt = random_ratings()
    models = [BiasedMF(12, 9, epochs=1, seed=seed) for seed in (1, 2)]
    for model in models:
        model.fit(learnt)
    assert not models[0].item_vectors.equal(models[1].item_vectors)


def test_is_factorized():
    assert isinstance(BiasedMF(2, 3), Factorized)
