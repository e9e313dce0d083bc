from __future__ import annotations

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.models.interface.data_size import DataSize
from recsys.models.interface.protocols import Fittable
from recsys.models.pure_svd import PureSVD
from tests.checkerboard import checkerboard
from tests.models.linalg.test_interaction_matrix import histories
from tests.models.test_ials import dense, random_interactions

#: For the contract that every model keeps.
BOARD = ["model.embedding_dim=4"]


def fitted(interactions: Interactions, **settings) -> PureSVD:
    model = PureSVD(interactions.num_users, interactions.num_items, **settings)
    model.fit(interactions)
    return model


def scores_of_all(model: PureSVD, interactions: Interactions) -> np.ndarray:
    scores = model.score_histories(Histories.from_interactions(interactions)).numpy()
    assert np.isnan(scores[-1]).all()  # the last user has no history
    return scores[:-1]


@pytest.mark.parametrize("dim", [1, 3, 5])
def test_scores_are_the_best_approximation_of_that_rank(dim):
    interactions = random_interactions(1)
    left, values, right = np.linalg.svd(dense(interactions))
    expected = (left[:, :dim] * values[:dim]) @ right[:dim]
    scores = scores_of_all(fitted(interactions, embedding_dim=dim), interactions)
    np.testing.assert_allclose(scores, expected[:-1], atol=1e-4)


def test_projects_on_the_singular_vectors_of_the_columns_scaled_by_popularity():
    interactions = random_interactions(2)
    matrix = dense(interactions)
    counts = np.maximum(matrix.sum(0), 1)
    right = np.linalg.svd(matrix * counts ** ((0.4 - 1) / 2))[2][:3]
    scores = scores_of_all(fitted(interactions, embedding_dim=3, popularity_exponent=0.4), interactions)
    np.testing.assert_allclose(scores, (matrix @ right.T @ right)[:-1], atol=1e-4)


def test_the_largest_component_of_each_vector_is_positive():
    vectors = fitted(random_interactions(1), embedding_dim=5).item_vectors
    assert (vectors.gather(0, vectors.abs().argmax(0, keepdim=True)) > 0).all()


def test_other_seeds_give_the_same_vectors_up_to_rounding():
    first, second = (fitted(random_interactions(1), embedding_dim=5, seed=seed) for seed in (1, 2))
    torch.testing.assert_close(first.item_vectors, second.item_vectors, rtol=1e-3, atol=1e-4)


def test_dimensions_beyond_the_rank_are_zero():
    interactions, _ = checkerboard(num_users=6, num_items=8)  # two kinds of rows: rank 2
    vectors = fitted(interactions, embedding_dim=20).item_vectors
    assert vectors.shape == (8, 20)
    torch.testing.assert_close(vectors[:, :2].norm(dim=0), torch.ones(2))
    assert not vectors[:, 2:].any()


def test_folds_in_by_projection():
    interactions = random_interactions(1)
    right = np.linalg.svd(dense(interactions))[2][:4]
    row = np.zeros(9)
    row[[2, 5]] = 1
    scores = fitted(interactions, embedding_dim=4).score_histories(histories([5, 2, 5]))
    np.testing.assert_allclose(scores[0].numpy(), row @ right.T @ right, atol=1e-4)


def test_recovers_the_checkerboard():
    interactions, split = checkerboard()
    train = interactions.take(split.train)
    scores = fitted(train, embedding_dim=2).score_histories(Histories.from_interactions(train))
    likes = torch.from_numpy(np.add.outer(np.arange(40), np.arange(30)) % 2 == 0)
    assert (scores.masked_fill(~likes, torch.inf).amin(1) > scores.masked_fill(likes, -torch.inf).amax(1)).all()


def test_saved_and_loaded_it_scores_alike():
    model, fresh = fitted(random_interactions(1), embedding_dim=4), PureSVD(12, 9, embedding_dim=4)
    fresh.load_state_dict(load(save(model.state_dict())))
    assert fresh.score_histories(histories([1, 4])).equal(model.score_histories(histories([1, 4])))


def test_nobody_has_interacted():
    model = fitted(random_interactions(1).take(np.arange(0)), embedding_dim=4)
    assert model.score_histories(histories([1])).tolist() == [[0.0] * 9]


def test_is_fitted_in_closed_form():
    assert isinstance(PureSVD(2, 2), Fittable)


def test_a_small_catalogue_has_few_dimensions_and_a_large_one_many():
    chosen = [PureSVD.sized_defaults(DataSize(50_000, items, 500_000), {}) for items in (399, 900_000)]
    assert chosen == [{"embedding_dim": 16}, {"embedding_dim": 512}]
