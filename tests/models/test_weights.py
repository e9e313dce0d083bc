"""What the models of implicit feedback do with the weights of interactions, against NumPy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.models.components.recency import Recency
from recsys.models.components.similarities import AdjustedCosine, Cosine
from recsys.models.components.weightings import BM25, Unweighted
from recsys.models.ease import EASE
from recsys.models.ials import IALS
from recsys.models.interface.protocols import Query
from recsys.models.item_knn import ItemKNN
from recsys.models.linalg.least_squares import Cholesky
from recsys.models.nmf import NMF
from recsys.models.popularity import Popularity
from recsys.models.pure_svd import PureSVD
from recsys.models.rp3beta import RP3Beta
from recsys.models.slim import SLIM
from recsys.models.user_knn import UserKNN
from tests.models.small_data import dense, small_data

DATA = small_data()
NUM_USERS, NUM_ITEMS = DATA.num_users, DATA.num_items
RANDOM = np.random.default_rng(7)
WEIGHTED = replace(DATA, weight=RANDOM.integers(1, 6, len(DATA)).astype(np.float32))

MODELS: dict[str, Callable[[], Any]] = {
    "ease": lambda: EASE(NUM_USERS, NUM_ITEMS, Recency(), l2=10.0),
    "slim": lambda: SLIM(NUM_USERS, NUM_ITEMS, Recency(), l1=0.1, l2=10.0, max_iterations=500),
    "item_knn": lambda: ItemKNN(NUM_USERS, NUM_ITEMS, Cosine(), Unweighted(), Recency(), num_neighbours=5),
    "item_knn_bm25": lambda: ItemKNN(NUM_USERS, NUM_ITEMS, Cosine(), BM25(), Recency(), num_neighbours=5),
    "user_knn": lambda: UserKNN(NUM_USERS, NUM_ITEMS, Cosine(), Unweighted(), Recency(), num_neighbours=5),
    "user_knn_reverse": lambda: UserKNN(
        NUM_USERS, NUM_ITEMS, Cosine(), Unweighted(), Recency(), 5, reverse_neighbours=True
    ),
    "rp3beta": lambda: RP3Beta(NUM_USERS, NUM_ITEMS, Recency(), alpha=0.7),
    "pure_svd": lambda: PureSVD(NUM_USERS, NUM_ITEMS, embedding_dim=4),
    "nmf": lambda: NMF(NUM_USERS, NUM_ITEMS, embedding_dim=3, iterations=30),
    "ials": lambda: IALS(NUM_USERS, NUM_ITEMS, embedding_dim=4, iterations=4),
    "ials_exact": lambda: IALS(NUM_USERS, NUM_ITEMS, embedding_dim=4, iterations=4, solver=Cholesky()),
    "popularity": lambda: Popularity(NUM_USERS, NUM_ITEMS),
}


def scores(name: str, data: Interactions) -> np.ndarray[Any, Any]:
    """The scores of everybody's history after fitting on ``data``."""
    return fitted_scores(MODELS[name](), data)


def fitted_scores(model: nn.Module, data: Interactions) -> np.ndarray[Any, Any]:
    model.fit(data)  # type: ignore[operator]
    query = Query(torch.arange(NUM_USERS), Histories.from_interactions(DATA))
    with torch.no_grad():
        result: np.ndarray[Any, Any] = model.score(query).numpy()  # type: ignore[operator]
    return result


def weights_of(interactions: Interactions) -> np.ndarray[Any, Any]:
    """The sum of the weights of each pair, shape [users, items]."""
    matrix = np.zeros((NUM_USERS, NUM_ITEMS))
    np.add.at(matrix, (interactions.user_index, interactions.item_index), interactions.weight)
    return matrix


@pytest.mark.parametrize("name", MODELS)
def test_weights_of_one_change_nothing(name: str) -> None:
    ones = replace(DATA, weight=np.ones(len(DATA), dtype=np.float32))
    np.testing.assert_array_equal(scores(name, ones), scores(name, DATA))


@pytest.mark.parametrize("name", MODELS)
def test_other_weights_change_something(name: str) -> None:
    assert not np.allclose(scores(name, WEIGHTED), scores(name, DATA), equal_nan=True)


@pytest.mark.parametrize("name", MODELS)
def test_an_event_that_repeats_weighs_as_its_sum(name: str) -> None:
    # Every event twice, each with half of the weight.
    twice = WEIGHTED.take(np.repeat(np.arange(len(WEIGHTED)), 2))
    assert twice.weight is not None
    halves = replace(twice, weight=twice.weight / 2)
    np.testing.assert_allclose(scores(name, halves), scores(name, WEIGHTED), rtol=1e-5, atol=1e-7)


def test_ease_has_weights_in_place_of_ones() -> None:
    inverse = np.linalg.inv(weights_of(WEIGHTED).T @ weights_of(WEIGHTED) + 10.0 * np.eye(NUM_ITEMS))
    expected = -inverse / np.diag(inverse)
    np.fill_diagonal(expected, 0)
    found = scores("ease", WEIGHTED)
    known = DATA.user_index != 3
    rows = np.unique(DATA.user_index[known])
    np.testing.assert_allclose(found[rows], (dense(DATA) @ expected)[rows], rtol=1e-3, atol=1e-5)


def test_items_are_compared_by_weights() -> None:
    model = ItemKNN(NUM_USERS, NUM_ITEMS, Cosine(), Unweighted(), Recency(), num_neighbours=NUM_ITEMS)
    model.fit(WEIGHTED)
    matrix = weights_of(WEIGHTED)
    lengths = np.maximum(np.linalg.norm(matrix, axis=0), 1e-9)
    expected = matrix.T @ matrix / np.outer(lengths, lengths)
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(model.item_weights(torch.arange(NUM_ITEMS)).numpy(), expected, rtol=1e-5, atol=1e-7)


def test_the_adjusted_cosine_compares_ratings_alone() -> None:
    plain, weighted = (
        fitted_scores(ItemKNN(NUM_USERS, NUM_ITEMS, AdjustedCosine(), Unweighted(), Recency()), data)
        for data in (DATA, WEIGHTED)
    )
    np.testing.assert_array_equal(plain, weighted)


def test_the_neighbours_of_a_query_are_found_by_weighted_rows() -> None:
    model = UserKNN(NUM_USERS, NUM_ITEMS, Cosine(), Unweighted(), Recency(), num_neighbours=NUM_USERS)
    found = fitted_scores(model, WEIGHTED)
    matrix, queries = weights_of(WEIGHTED), dense(DATA)
    lengths = np.maximum(np.linalg.norm(matrix, axis=1), 1e-9)
    similarity = queries @ matrix.T / np.outer(np.maximum(np.linalg.norm(queries, axis=1), 1e-9), lengths)
    np.fill_diagonal(similarity, 0)
    rows = np.flatnonzero(queries.sum(1))
    np.testing.assert_allclose(found[rows], (similarity @ queries)[rows], rtol=1e-4, atol=1e-6)


def test_a_step_of_the_walk_goes_by_weight() -> None:
    model = RP3Beta(NUM_USERS, NUM_ITEMS, Recency(), alpha=0.7, beta=0.4, num_neighbours=NUM_ITEMS)
    model.fit(WEIGHTED)
    matrix = weights_of(WEIGHTED)
    with np.errstate(divide="ignore", invalid="ignore"):
        to_users = np.nan_to_num(matrix.T / matrix.sum(0)[:, None]) ** 0.7
        to_items = np.nan_to_num(matrix / matrix.sum(1)[:, None]) ** 0.7
    expected = (to_users @ to_items) / np.where(matrix.sum(0) > 0, matrix.sum(0), 1) ** 0.4
    np.fill_diagonal(expected, 0)
    np.testing.assert_allclose(model.item_weights(torch.arange(NUM_ITEMS)).T.numpy(), expected, rtol=1e-4, atol=1e-7)


def test_the_singular_vectors_are_those_of_the_weighted_matrix() -> None:
    model = PureSVD(NUM_USERS, NUM_ITEMS, embedding_dim=3)
    model.fit(WEIGHTED)
    vectors = np.linalg.svd(weights_of(WEIGHTED))[2][:3]
    found = model.item_vectors.numpy()
    np.testing.assert_allclose(found @ found.T, vectors.T @ vectors, atol=1e-3)


def test_ials_minimises_the_weighted_objective() -> None:
    """One more exact half step of the users, then of the items, changes nothing once it has converged."""
    model = IALS(
        NUM_USERS, NUM_ITEMS, embedding_dim=2, iterations=300, unobserved_weight=0.3, l2=0.05, solver=Cholesky()
    )
    model.fit(WEIGHTED)
    weights, items = weights_of(WEIGHTED), model.item_vectors.double().numpy()

    def half_step(matrix: np.ndarray[Any, Any], fixed: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        rows = []
        for row in matrix:
            left = fixed.T @ ((row + 0.3)[:, None] * fixed) + 0.05 * (row.sum() + 0.3 * len(fixed)) * np.eye(2)
            rows.append(np.linalg.solve(left, fixed.T @ row))
        return np.array(rows)

    again = half_step(weights.T, half_step(weights, items))
    np.testing.assert_allclose(again, items, atol=2e-3)


def test_popularity_is_the_sum_of_weights_and_fades() -> None:
    model = Popularity(2, 2, half_life_days=1)
    day = 86_400
    model.fit(
        Interactions(
            np.array([0, 0, 1], dtype=np.int32),
            np.array([0, 0, 1], dtype=np.int32),
            None,
            np.array([0, day, day]),
            None,
            2,
            2,
            weight=np.array([4, 3, 6], dtype=np.float32),
        )
    )
    assert model.counts.tolist() == [4 * 0.5 + 3, 6]
