import numpy as np
import pytest
import torch

from recsys.errors import ModelError
from recsys.models import item_knn_ratings
from recsys.models.item_knn_ratings import ItemKNNRatings
from tests.models.made_ratings import query_of, random_ratings


def reference(ratings, model, num_neighbours, shrinkage, amplification, baseline_weight):
    """Similarities and predictions with loops over pairs of items, given the biases."""
    num_users, num_items = ratings.num_users, ratings.num_items
    baseline = (model.mean + model.user_bias[:, None] + model.item_bias).double().numpy()
    above = np.full((num_users, num_items), np.nan)
    above[ratings.user_index, ratings.item_index] = ratings.rating
    above -= baseline
    similarity = np.zeros((num_items, num_items))
    for i in range(num_items):
        for j in range(num_items):
            common = ~np.isnan(above[:, i]) & ~np.isnan(above[:, j])
            if i == j or common.sum() < 2:
                continue
            x, y = above[common, i], above[common, j]
            correlation = (x * y).sum() / np.sqrt((x**2).sum() * (y**2).sum())
            shrunk = correlation * (common.sum() - 1) / (common.sum() - 1 + shrinkage)
            similarity[i, j] = max(0.0, shrunk) ** amplification
    scores = baseline.copy()
    for user in range(num_users):
        for item in range(num_items):
            near = np.argsort(-similarity[item], kind="stable")[:num_neighbours]
            near = near[~np.isnan(above[user, near])]
            weights = similarity[item, near]
            scores[user, item] += (weights * above[user, near]).sum() / (baseline_weight + weights.sum())
    return scores


@pytest.mark.parametrize("num_neighbours", [3, 200])
def test_is_the_formula(num_neighbours):
    ratings = random_ratings(30, 9)
    settings = {"num_neighbours": num_neighbours, "shrinkage": 4.0, "amplification": 1.5, "baseline_weight": 0.1}
    model = ItemKNNRatings(30, 9, **settings)
    model.fit(ratings)
    np.testing.assert_allclose(model.score(query_of(ratings)), reference(ratings, model, **settings), atol=1e-5)


def test_the_sizes_of_blocks_change_nothing(monkeypatch):
    ratings = random_ratings(30, 9)
    whole, blocks = ItemKNNRatings(30, 9), ItemKNNRatings(30, 9)
    whole.fit(ratings)
    rows, items = (grid.flatten() for grid in torch.meshgrid(torch.arange(30), torch.arange(9), indexing="ij"))
    expected = whole.predict_ratings(query_of(ratings), rows, items)
    whole_scores = whole.score(query_of(ratings))
    monkeypatch.setattr(item_knn_ratings, "BLOCK_NUMBERS", 500)
    monkeypatch.setattr(item_knn_ratings, "USERS_PER_BLOCK", 7)
    blocks.fit(ratings)
    torch.testing.assert_close(blocks.score(query_of(ratings)), whole_scores)
    torch.testing.assert_close(blocks.similarities, whole.similarities)
    torch.testing.assert_close(blocks.predict_ratings(query_of(ratings), rows, items), expected)


def test_ratings_that_came_after_training_count():
    ratings = random_ratings(30, 9)
    model = ItemKNNRatings(30, 9, shrinkage=1.0)
    model.fit(ratings.take(np.flatnonzero(np.arange(len(ratings)) % 5 > 0)))
    before = model.score(query_of(ratings.take(np.flatnonzero(np.arange(len(ratings)) % 5 > 0))))
    assert not model.score(query_of(ratings)).allclose(before)


def test_refuses_a_shrinkage_that_is_not_positive():
    with pytest.raises(ModelError, match="model.shrinkage must be above 0, but it is -1"):
        ItemKNNRatings(2, 3, shrinkage=-1)
