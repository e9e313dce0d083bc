import numpy as np
import pytest
import torch

from recsys.errors import ModelError
from recsys.models.bayesian_mf import BayesianMF, _Side
from recsys.models.interface.protocols import Factorized
from recsys.models.linalg.row_ridge import RowRidge
from tests.models.linalg.test_row_ridge import full_matrix
from tests.models.made_ratings import (
    as_strangers,
    made_ratings,
    query_of,
    random_ratings,
    root_mean_squared_error,
)


def side_of(vectors):
    """A side whose rows all have a rating and have ``vectors``, shape [R, D + 1]."""
    side = _Side(RowRidge(full_matrix(len(vectors), 1), vectors.shape[1]), vectors.shape[1] - 1)
    side.vectors = vectors
    return side


def test_the_prior_of_many_rows_has_their_mean_and_covariance():
    generator = torch.Generator().manual_seed(0)
    root = torch.tensor([[1.0, 0.0], [0.5, 0.8]])
    side = side_of(torch.randn(100_000, 2, generator=generator) @ root.T + torch.tensor([2.0, -1.0]))
    side._draw_prior(generator)
    torch.testing.assert_close(side.prior_mean, torch.tensor([2.0, -1.0]), atol=0.02, rtol=0)
    torch.testing.assert_close(side.prior_root @ side.prior_root.T, root @ root.T, atol=0.02, rtol=0)


def test_the_precision_of_few_rows_is_spread_as_its_wishart_distribution():
    vectors = torch.tensor([[1.0, 0.0], [0.0, 2.0], [-1.0, 1.0]])
    side, generator, draws = side_of(vectors), torch.Generator().manual_seed(0), []
    for _ in range(2000):
        side._draw_prior(generator)
        draws.append(torch.linalg.inv(side.prior_root @ side.prior_root.T).numpy())
    # Identity, plus the scatter, plus (3 * 2 / 5) of the outer product of the mean [0, 1]; 2 + 3 degrees of freedom
    scale = np.linalg.inv(np.eye(2) + [[2, -1], [-1, 2]] + 1.2 * np.outer([0, 1], [0, 1]))
    np.testing.assert_allclose(np.mean(draws, axis=0), 5 * scale, atol=0.08)
    variance = 5 * (scale**2 + np.outer(np.diag(scale), np.diag(scale)))
    np.testing.assert_allclose(np.var(draws, axis=0), variance, rtol=0.15)


def test_draws_are_spread_as_the_posterior_of_a_row():
    # 50,000 rows with the same three columns: each is a draw from one normal distribution.
    users = _Side(RowRidge(full_matrix(50_000, 3), 3), 2)
    items = side_of(torch.tensor([[1.0, 0.5, 0.1], [-0.5, 1.0, 0.2], [0.3, 0.3, -0.1]]))
    users.matrix.values[:] = torch.tensor([4.0, 2.0, 3.0]).repeat(50_000)
    users.draw(items, torch.tensor(3.0), precision=2.0, generator=torch.Generator().manual_seed(0))
    design = np.hstack([items.vectors[:, :2].numpy(), np.ones((3, 1))]).astype(np.float64)
    root = users.prior_root.double().numpy()
    prior = np.linalg.inv(root @ root.T)
    system = 2 * design.T @ design + prior
    target = np.array([4.0, 2.0, 3.0]) - 3 - items.vectors[:, 2].numpy()
    expected = np.linalg.solve(system, 2 * design.T @ target + prior @ users.prior_mean.double().numpy())
    np.testing.assert_allclose(users.vectors.mean(0), expected, atol=0.01)
    np.testing.assert_allclose(np.cov(users.vectors.T), np.linalg.inv(system), atol=0.01)


def test_recovers_ratings_made_of_biases_and_two_dimensions():
    learnt, held_out = made_ratings()
    model = BayesianMF(80, 50, embedding_dim=3)
    model.fit(learnt)
    assert root_mean_squared_error(model, learnt, held_out) < 0.15


def test_a_stranger_is_the_mean_over_draws_of_their_posterior_mean():
    learnt = random_ratings()
    model = BayesianMF(12, 9, embedding_dim=2, num_draws=3, burn_in=2)
    model.fit(learnt)
    rated = learnt.user_index == 5
    items, scores = learnt.item_index[rated], []
    for draw in range(3):
        vectors = 3 * model.item_vectors[:, 2 * draw : 2 * draw + 2].double().numpy()
        bias = model.draws_item_bias[draw].double().numpy()
        root, mean = model.prior_root[draw].double().numpy(), model.prior_mean[draw].double().numpy()
        prior = model.prior_penalty[draw].item() * np.linalg.inv(root @ root.T)
        design = np.hstack([vectors, np.ones((9, 1))])
        target = learnt.rating[rated] - model.mean.item() - bias[items]
        solution = np.linalg.solve(design[items].T @ design[items] + prior, design[items].T @ target + prior @ mean)
        scores.append(model.mean.item() + bias + design @ solution)
    stranger = model.score(as_strangers(query_of(learnt, [5])))[0]
    np.testing.assert_allclose(stranger, np.mean(scores, axis=0), atol=1e-4)


def test_another_seed_gives_other_draws():
    learnt = random_ratings()
    models = [BayesianMF(12, 9, embedding_dim=2, seed=seed) for seed in (1, 2)]
    for model in models:
        model.fit(learnt)
    assert not models[0].item_vectors.equal(models[1].item_vectors)


def test_is_factorized():
    assert isinstance(BayesianMF(2, 3), Factorized)


@pytest.mark.parametrize("name", ["num_draws", "burn_in"])
def test_refuses_too_few_draws(name):
    with pytest.raises(ModelError, match=f"model.{name} must be at least 1, but it is 0"):
        BayesianMF(2, 3, **{name: 0})
