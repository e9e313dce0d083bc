from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.errors import ModelError
from recsys.models.ials import IALS
from recsys.models.interface.data_size import DataSize
from recsys.models.interface.protocols import Fittable, Query
from recsys.models.linalg.least_squares import Cholesky, ConjugateGradient
from tests.checkerboard import checkerboard
from tests.models.linalg.test_interaction_matrix import histories


def random_interactions(seed: int, num_users: int = 12, num_items: int = 9) -> Interactions:
    """Random pairs, some of them repeated; the last user and the last item have none, all others some."""
    random = np.random.default_rng(seed)
    likes = random.random((num_users - 1, num_items - 1)) < 0.4
    likes[np.arange(num_users - 1), np.arange(num_users - 1) % (num_items - 1)] = True
    users, items = np.nonzero(likes)
    again = random.permutation(np.concatenate([np.arange(len(users)), np.arange(5)]))
    return Interactions(
        users[again].astype(np.int32), items[again].astype(np.int32), None, None, None, num_users, num_items
    )


def dense(interactions: Interactions) -> np.ndarray:
    matrix = np.zeros((interactions.num_users, interactions.num_items))
    matrix[interactions.user_index, interactions.item_index] = 1
    return matrix


def half_step(matrix: np.ndarray, others: np.ndarray, weight: float, l2: float, exponent: float) -> np.ndarray:
    """Each row's weighted normal equations over all columns, the unobserved ones with target 0."""
    rows = np.zeros((len(matrix), others.shape[1]))
    for row, observed in enumerate(matrix):
        penalty = l2 * (observed.sum() + weight * matrix.shape[1]) ** exponent
        left, right = penalty * np.eye(others.shape[1]), np.zeros(others.shape[1])
        for seen, vector in zip(observed, others, strict=True):
            left += (seen + weight) * np.outer(vector, vector)
            right += seen * vector
        rows[row] = np.linalg.solve(left, right)
    return rows


def reference(interactions: Interactions, dim: int, iterations: int, weight: float, l2: float, exponent: float, seed):
    """Alternating least squares user by user and item by item."""
    matrix = dense(interactions)
    draws = torch.randn(matrix.shape[1], dim, generator=torch.Generator().manual_seed(seed)).double().numpy()
    items = draws * 0.1 / np.sqrt(dim)
    for _ in range(iterations):
        users = half_step(matrix, items, weight, l2, exponent)
        items = half_step(matrix.T, users, weight, l2, exponent)
    return half_step(matrix, items, weight, l2, exponent) @ items.T


def objective(model: IALS, interactions: Interactions) -> float:
    matrix = torch.from_numpy(dense(interactions))
    items = model.item_vectors.double()
    users = model.fold_in(Histories.from_interactions(interactions)).double()
    scores = users @ items.T

    def penalty(vectors: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
        weights = model.l2 * (known.sum(1) + model.unobserved_weight * known.shape[1]) ** model.l2_exponent
        return (weights * vectors.square().sum(1)).sum()

    squares = (matrix * (1 - scores) ** 2).sum() + model.unobserved_weight * scores.square().sum()
    return (squares + penalty(users, matrix) + penalty(items, matrix.T)).item()


SETTINGS = [(0.3, 0.05, 1.0), (0.1, 0.2, 0.5), (1.0, 0.5, 0.0)]


@pytest.mark.parametrize(("weight", "l2", "exponent"), SETTINGS)
def test_agrees_with_the_normal_equations_user_by_user(weight, l2, exponent):
    interactions = random_interactions(1)
    settings = {"unobserved_weight": weight, "l2": l2, "l2_exponent": exponent}
    model = IALS(12, 9, embedding_dim=4, iterations=3, solver=Cholesky(), seed=7, **settings)
    model.fit(interactions)
    expected = reference(interactions, 4, 3, weight, l2, exponent, seed=7)
    scores = model.score_histories(Histories.from_interactions(interactions))
    np.testing.assert_allclose(scores[:-1].numpy(), expected[:-1], rtol=1e-3, atol=1e-4)
    assert scores[-1].isnan().all()


def test_conjugate_gradients_follow_the_exact_solution():
    interactions = random_interactions(2)
    exact = IALS(12, 9, embedding_dim=4, iterations=40, l2=0.1, solver=Cholesky())
    stepped = IALS(12, 9, embedding_dim=4, iterations=40, l2=0.1, solver=ConjugateGradient(1))
    exact.fit(interactions)
    stepped.fit(interactions)
    assert objective(stepped, interactions) == pytest.approx(objective(exact, interactions), rel=1e-3)


def test_the_objective_falls_with_each_exact_iteration():
    interactions = random_interactions(3)
    values = []
    for iterations in range(1, 8):
        model = IALS(12, 9, embedding_dim=3, iterations=iterations, solver=Cholesky())
        model.fit(interactions)
        values.append(objective(model, interactions))
    assert all(later <= earlier * (1 + 1e-5) for earlier, later in zip(values, values[1:], strict=False))
    assert values[-1] < 0.99 * values[0]


def test_a_stranger_is_scored_as_a_known_user_with_the_same_history():
    interactions, split = checkerboard()
    model = IALS(interactions.num_users, interactions.num_items, embedding_dim=4)
    model.fit(interactions.take(split.train))
    known = Histories.from_interactions(interactions.take(split.train)).take(torch.tensor([3, 3]))
    scores = model.score(Query(torch.tensor([3, -1]), known))
    assert scores[0].equal(scores[1])


def test_recovers_the_checkerboard():
    interactions, split = checkerboard()
    train = interactions.take(split.train)
    model = IALS(interactions.num_users, interactions.num_items, embedding_dim=4)
    model.fit(train)
    scores = model.score_histories(Histories.from_interactions(train))
    likes = torch.from_numpy(np.add.outer(np.arange(40), np.arange(30)) % 2 == 0)
    lowest_liked = scores.masked_fill(~likes, torch.inf).amin(1)
    highest_other = scores.masked_fill(likes, -torch.inf).amax(1)
    assert (lowest_liked > highest_other).all()


def test_a_repeated_item_counts_once():
    model = IALS(12, 9, embedding_dim=4)
    model.fit(random_interactions(1))
    scores = model.score_histories(histories([2, 5, 2], [5, 2]))
    torch.testing.assert_close(scores[0], scores[1])


def test_the_order_of_the_interactions_does_not_matter():
    interactions = random_interactions(1)
    turned = interactions.take(np.arange(len(interactions))[::-1].copy())
    first, second = (IALS(12, 9, embedding_dim=4) for _ in range(2))
    first.fit(interactions)
    second.fit(turned)
    assert first.item_vectors.equal(second.item_vectors)


def test_the_seed_alone_decides_the_start():
    interactions = random_interactions(1)
    models = [IALS(12, 9, embedding_dim=4, seed=seed) for seed in (1, 1, 2)]
    for number, model in enumerate(models):
        torch.manual_seed(number)
        model.fit(interactions)
        model.fit(interactions)  # starts anew
    assert models[0].item_vectors.equal(models[1].item_vectors)
    assert not models[0].item_vectors.allclose(models[2].item_vectors)


@pytest.mark.parametrize("solver", [Cholesky(), ConjugateGradient()])
def test_more_dimensions_than_users_or_items(solver):
    model = IALS(12, 9, embedding_dim=32, solver=solver)
    model.fit(random_interactions(1))
    assert model.score_histories(histories([0, 1])).isfinite().all()


def test_saved_and_loaded_it_scores_alike():
    model, fresh = (IALS(12, 9, embedding_dim=4, seed=seed) for seed in (1, 2))
    model.fit(random_interactions(1))
    fresh.load_state_dict(load(save(model.state_dict())))
    assert fresh.score_histories(histories([1, 4])).equal(model.score_histories(histories([1, 4])))


def test_is_fitted_in_closed_form():
    assert isinstance(IALS(2, 2), Fittable)


def test_nobody_has_interacted():
    empty = replace(random_interactions(1).take(np.arange(0)), num_users=12)
    model = IALS(12, 9, embedding_dim=4)
    model.fit(empty)
    assert model.score_histories(histories([1])).tolist() == [[0.0] * 9]


@pytest.mark.parametrize("name", ["unobserved_weight", "l2", "init_std"])
def test_refuses_settings_without_a_solution(name):
    with pytest.raises(ModelError, match=rf"model.{name} must be above 0, but it is 0"):
        IALS(2, 2, **{name: 0})


def test_refuses_no_iterations():
    with pytest.raises(ModelError, match="iterations must be at least 1, but it is 0"):
        IALS(2, 2, iterations=0)


@pytest.mark.parametrize(
    ("users", "items", "interactions", "dim", "weight", "l2"),
    [
        # MovieLens 100K: 0.3 * (sqrt(100000 / 943) + sqrt(100000 / 1682)) / (0.3 * sqrt(943 * 1682)) = 5.40 / 377.8
        (943, 1682, 100_000, 64, 0.3, 0.014),
        (6040, 3706, 1_000_209, 64, 0.27, 0.0069),  # MovieLens 1M: 6 * 0.0447
        (1985, 399, 28_411, 49, 0.22, 0.019),  # a shop; an eighth of the items
        (30_000, 41_000, 395_160, 512, 0.005, 0.012),  # log2(41 / 4) = 3.4: 64 * 2^3; the least weight
        (300_000, 400_000, 3_000_000, 1024, 0.005, 0.001),  # the most dimensions
        (900, 41_000, 50_000, 112, 0.0081, 0.052),  # an eighth of the users
        (0, 0, 0, 16, 0.005, 1e-6),
    ],
)
def test_defaults_by_the_size_of_the_data(users, items, interactions, dim, weight, l2):
    chosen = IALS.sized_defaults(DataSize(users, items, interactions), {})
    assert chosen == {"embedding_dim": dim, "unobserved_weight": weight, "l2": l2}
    assert tuple(chosen) == IALS.sized_settings


def test_the_penalty_is_the_same_whatever_weight_and_exponent_are_given():
    size = DataSize(900, 2500, 40_000)
    for weight, exponent in ((0.3, 1.0), (0.05, 1.0), (0.3, 0.5), (0.01, 0.8)):
        given = {"unobserved_weight": weight, "l2_exponent": exponent}
        l2 = IALS.sized_defaults(size, given)["l2"]
        # of a user and an item without interactions, sqrt(l_u l_i); 0.3 * (sqrt(40000 / 900) + sqrt(40000 / 2500))
        penalty = l2 * ((weight * 2500) ** exponent * (weight * 900) ** exponent) ** 0.5
        assert penalty == pytest.approx(0.3 * (6.667 + 4.0), rel=0.03)
