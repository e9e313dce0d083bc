from __future__ import annotations

import numpy as np
import pytest
import scipy.optimize
import torch
from safetensors.torch import load, save

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.interface.data_size import DataSize
from recsys.models.interface.protocols import Fittable
from recsys.models.nmf import NMF
from tests.checkerboard import checkerboard
from tests.models.linalg.test_interaction_matrix import histories
from tests.models.test_ials import dense, random_interactions


def fitted(interactions: Interactions, **settings) -> NMF:
    model = NMF(interactions.num_users, interactions.num_items, **settings)
    model.fit(interactions)
    return model


def objective(model: NMF, interactions: Interactions) -> float:
    matrix, items = dense(interactions), model.item_vectors.double().numpy()
    users = model.fold_in(Histories.from_interactions(interactions)).double().numpy()
    squares = ((matrix - users @ items.T) ** 2).sum() + model.l2 * ((users**2).sum() + (items**2).sum())
    return squares / 2 + model.l1 * (users.sum() + items.sum())


def multiplicative_updates(matrix: np.ndarray, dim: int, l1: float, l2: float, seed: int) -> float:
    """The objective that Lee's and Seung's rules reach from a random start in 5,000 rounds."""
    random = np.random.default_rng(seed)
    users, items = (random.uniform(0.1, 1, (n, dim)) for n in matrix.shape)
    for _ in range(5000):
        users *= (matrix @ items) / (users @ (items.T @ items) + l1 + l2 * users + 1e-12)
        items *= (matrix.T @ users) / (items @ (users.T @ users) + l1 + l2 * items + 1e-12)
    squares = ((matrix - users @ items.T) ** 2).sum() + l2 * ((users**2).sum() + (items**2).sum())
    return squares / 2 + l1 * (users.sum() + items.sum())


PENALTIES = [(0.0, 0.0), (0.1, 0.0), (0.0, 0.5), (0.05, 0.2)]


@pytest.mark.parametrize(("l1", "l2"), PENALTIES)
def test_the_objective_falls_with_each_iteration(l1, l2):
    interactions = random_interactions(1)
    values = [
        objective(fitted(interactions, embedding_dim=4, iterations=n, l1=l1, l2=l2), interactions)
        for n in (1, 2, 3, 5, 10, 30, 100)
    ]
    assert all(later <= earlier * (1 + 1e-5) for earlier, later in zip(values, values[1:], strict=False))
    assert values[-1] < values[0]


@pytest.mark.parametrize(("l1", "l2"), PENALTIES)
def test_reaches_what_multiplicative_updates_reach(l1, l2):
    # The objective has several local minima: the start here must lead to one as low as the best of three random ones.
    interactions = random_interactions(4)
    slow = min(multiplicative_updates(dense(interactions), 3, l1, l2, seed) for seed in range(3))
    fast = objective(fitted(interactions, embedding_dim=3, iterations=500, l1=l1, l2=l2), interactions)
    assert fast <= slow * 1.01


def test_the_first_users_and_items_are_those_of_one_round_dimension_by_dimension():
    interactions = random_interactions(2)
    matrix = dense(interactions)
    left, values, right = np.linalg.svd(matrix)
    users, items = np.zeros((12, 3)), np.zeros((9, 3))
    for k in range(3):
        signs = (1, -1)
        parts = [(np.maximum(s * left[:, k], 0), np.maximum(s * right[k], 0)) for s in signs]
        best = max(parts, key=lambda part: np.linalg.norm(part[0]) * np.linalg.norm(part[1]))
        lengths = [np.linalg.norm(side) for side in best]
        scale = np.sqrt(values[k] * lengths[0] * lengths[1])
        users[:, k], items[:, k] = scale * best[0] / lengths[0], scale * best[1] / lengths[1]
    for rows, fixed, target in ((users, items, matrix), (items, users, matrix.T)):
        for k in range(3):
            rest = target - rows @ fixed.T + np.outer(rows[:, k], fixed[:, k])
            rows[:, k] = np.maximum((rest @ fixed[:, k] - 0.1) / (fixed[:, k] @ fixed[:, k] + 0.2), 0)
    model = fitted(interactions, embedding_dim=3, iterations=1, l1=0.1, l2=0.2)
    np.testing.assert_allclose(model.item_vectors.numpy(), items, atol=1e-4)


def test_folds_in_by_non_negative_least_squares():
    model = fitted(random_interactions(1), embedding_dim=4, l2=0.1, fold_in_sweeps=300)
    items = model.item_vectors.double().numpy()
    row = np.zeros(9)
    row[[2, 5]] = 1
    # the penalty as further rows of the system
    expected, _ = scipy.optimize.nnls(np.vstack([items, np.sqrt(0.1) * np.eye(4)]), np.append(row, np.zeros(4)))
    np.testing.assert_allclose(model.fold_in(histories([5, 2, 5]))[0].numpy(), expected, atol=1e-4)


def test_nothing_is_negative():
    model = fitted(random_interactions(3), embedding_dim=5)
    assert (model.item_vectors >= 0).all()
    assert (model.fold_in(histories([0, 1], [4])) >= 0).all()
    assert model.item_vectors.any()


def test_an_l1_penalty_leaves_fewer_numbers_above_zero():
    plain, sparse = (fitted(random_interactions(3), embedding_dim=5, l1=l1) for l1 in (0.0, 0.3))
    assert 0 < (sparse.item_vectors > 0).sum() < (plain.item_vectors > 0).sum()


def test_more_dimensions_than_users_or_items():
    model = fitted(random_interactions(1), embedding_dim=32)
    assert model.item_vectors.isfinite().all()
    assert model.score_histories(histories([0, 1])).isfinite().all()


def test_recovers_the_checkerboard():
    interactions, split = checkerboard()
    train = interactions.take(split.train)
    scores = fitted(train, embedding_dim=2).score_histories(Histories.from_interactions(train))
    likes = torch.from_numpy(np.add.outer(np.arange(40), np.arange(30)) % 2 == 0)
    assert (scores.masked_fill(~likes, torch.inf).amin(1) > scores.masked_fill(likes, -torch.inf).amax(1)).all()


def test_saved_and_loaded_it_scores_alike():
    model, fresh = fitted(random_interactions(1), embedding_dim=4), NMF(12, 9, embedding_dim=4)
    fresh.load_state_dict(load(save(model.state_dict())))
    assert fresh.score_histories(histories([1, 4])).equal(model.score_histories(histories([1, 4])))


def test_nobody_has_interacted():
    model = fitted(random_interactions(1).take(np.arange(0)), embedding_dim=4)
    assert model.score_histories(histories([1])).tolist() == [[0.0] * 9]


def test_is_fitted_in_closed_form():
    assert isinstance(NMF(2, 2), Fittable)


@pytest.mark.parametrize("name", ["l1", "l2"])
def test_refuses_negative_penalties(name):
    with pytest.raises(ModelError, match=rf"model.{name} must be at least 0, but it is -1"):
        NMF(2, 2, **{name: -1})


@pytest.mark.parametrize("name", ["iterations", "fold_in_sweeps"])
def test_refuses_to_do_nothing(name):
    with pytest.raises(ModelError, match=f"{name} must be at least 1, but it is 0"):
        NMF(2, 2, **{name: 0})


def test_a_small_catalogue_has_few_dimensions_and_a_large_one_many():
    chosen = [NMF.sized_defaults(DataSize(50_000, items, 500_000), {}) for items in (399, 900_000)]
    assert chosen == [{"embedding_dim": 16}, {"embedding_dim": 128}]
