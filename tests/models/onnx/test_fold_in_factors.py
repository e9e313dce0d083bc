"""User vectors of histories on the hard cases: long histories, small regularisation, dimensions that are zero."""

import pytest
import torch

from recsys.models.components.fold_in_factorization import FoldInFactorization
from recsys.models.ials import IALS
from recsys.models.interface.protocols import Query
from recsys.models.nmf import NMF
from recsys.models.onnx.exportable import scores_of
from recsys.models.pure_svd import PureSVD
from tests.models.onnx.model_queries import assert_scores_close, random_histories, served
from tests.models.small_data import small_data

NUM_ITEMS = 60
DATA = small_data(num_users=200, num_items=NUM_ITEMS)


def assert_as_the_model(model: FoldInFactorization) -> None:
    model.fit(DATA)
    query = Query(torch.full((5,), -1), random_histories([1, 5, 40, 400, 0], NUM_ITEMS, 0))
    with torch.inference_mode():
        assert_scores_close(scores_of(model.serving_form(), served(query, 1)), model.score(query))


@pytest.mark.parametrize("unobserved_weight", [0.001, 0.02, 0.3, 2.0])
@pytest.mark.parametrize("l2", [1e-5, 0.007, 1.0])
@pytest.mark.parametrize("embedding_dim", [4, 32])
def test_least_squares_are_exact_whatever_the_regularisation(unobserved_weight, l2, embedding_dim):
    settings = {"unobserved_weight": unobserved_weight, "l2": l2, "embedding_dim": embedding_dim}
    assert_as_the_model(IALS(200, NUM_ITEMS, iterations=4, **settings))


def test_the_penalty_may_depend_on_the_history():
    assert_as_the_model(IALS(200, NUM_ITEMS, embedding_dim=8, l2_exponent=0.4, l2=0.5))


@pytest.mark.parametrize("settings", [{}, {"l1": 0.05}, {"l2": 0.3}, {"l1": 5.0}, {"fold_in_sweeps": 2}])
@pytest.mark.parametrize("embedding_dim", [3, 24, 80])
def test_non_negative_vectors_are_those_of_the_sweeps(settings, embedding_dim):
    assert_as_the_model(NMF(200, NUM_ITEMS, embedding_dim=embedding_dim, iterations=20, **settings))


def test_dimensions_that_are_zero_stay_zero():
    assert_as_the_model(PureSVD(200, NUM_ITEMS, embedding_dim=70))
