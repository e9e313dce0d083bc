import numpy as np
import torch

from recsys.models.interface.protocols import Factorized
from recsys.models.svd_pp import SVDpp
from tests.models.made_ratings import (
    as_strangers,
    interactions_of,
    made_ratings,
    query_of,
    random_ratings,
    root_mean_squared_error,
)


def reference(ratings, dim, epochs, l2, implicit_l2, power, bias_l2, start):
    """The same turns one row after the other; the implicit vectors are solved for exactly, in one dense system."""
    num_users, num_items = ratings.num_users, ratings.num_items
    users, items = ratings.user_index, ratings.item_index
    mean = ratings.rating.astype(np.float64).mean()
    own, item_vectors, implicit = np.zeros((num_users, dim)), start.astype(np.float64), np.zeros((num_items, dim))
    user_bias, item_bias = np.zeros(num_users), np.zeros(num_items)
    rated = np.zeros((num_users, num_items))
    rated[users, items] = 1
    average = rated / np.sqrt(np.maximum(rated.sum(1, keepdims=True), 1))

    def solve(design, target, count):
        design = np.hstack([design, np.ones((len(design), 1))])
        penalty = np.diag([l2 * count**power] * dim + [bias_l2])
        return np.linalg.solve(design.T @ design + penalty, design.T @ target)

    for _ in range(epochs):
        sums = average @ implicit
        for user in np.unique(users):
            rows = users == user
            near = item_vectors[items[rows]]
            target = ratings.rating[rows] - mean - item_bias[items[rows]] - near @ sums[user]
            *own[user], user_bias[user] = solve(near, target, rows.sum())
        for item in np.unique(items):
            rows = items == item
            target = ratings.rating[rows] - mean - user_bias[users[rows]]
            *item_vectors[item], item_bias[item] = solve((own + sums)[users[rows]], target, rows.sum())
        item_vectors[rated.sum(0) == 0] = 0
        # r = ... + q_i . (average_u Y): one linear regression on all entries of Y
        design = np.einsum("nj,nd->njd", average[users], item_vectors[items]).reshape(len(users), -1)
        target = ratings.rating - mean - user_bias[users] - item_bias[items]
        target = target - (own[users] * item_vectors[items]).sum(1)
        penalty = np.repeat(implicit_l2 * np.maximum(rated.sum(0), 1) ** power, dim)
        implicit = np.linalg.solve(design.T @ design + np.diag(penalty), design.T @ target).reshape(num_items, dim)
    return mean + user_bias[:, None] + item_bias + (own + average @ implicit) @ item_vectors.T


def test_is_alternating_least_squares_with_implicit_vectors():
    ratings = random_ratings()
    model = SVDpp(
        12,
        9,
        embedding_dim=2,
        epochs=3,
        conjugate_steps=40,  # as many as unknowns: the exact solution
        l2=0.5,
        implicit_l2=0.8,
        frequency_power=0.6,
        bias_l2=1.5,
        seed=3,
    )
    model.fit(ratings)
    start = torch.randn(9, 2, generator=torch.Generator().manual_seed(3)) * 0.1
    expected = reference(ratings, 2, 3, 0.5, 0.8, 0.6, 1.5, start.numpy())
    np.testing.assert_allclose(model.score(query_of(ratings)), expected, atol=1e-3)


def test_recovers_ratings_made_of_biases_and_two_dimensions():
    learnt, held_out = made_ratings()
    model = SVDpp(80, 50, embedding_dim=2, epochs=30, l2=0.01, implicit_l2=1.0, bias_l2=0.01)
    model.fit(learnt)
    assert root_mean_squared_error(model, learnt, held_out) < 0.02


def test_what_was_rated_counts_also_without_the_ratings():
    learnt, _ = made_ratings()
    model = SVDpp(80, 50, embedding_dim=2)
    model.fit(learnt)
    model.implicit_vectors.normal_(generator=torch.Generator().manual_seed(0))
    unrated = interactions_of(learnt.user_index, learnt.item_index, None, 80, 50)
    scores = model.score(as_strangers(query_of(unrated)))
    # mean + b_i + q_i . (sum of the implicit vectors of the rated items / root of their number), here of user 7
    rated = torch.from_numpy(learnt.item_index[learnt.user_index == 7]).long()
    implicit = model.implicit_vectors[rated].sum(0) / len(rated) ** 0.5
    torch.testing.assert_close(scores[7], model.mean + model.item_bias + model.item_vectors @ implicit)


def test_is_factorized():
    assert isinstance(SVDpp(2, 3), Factorized)
