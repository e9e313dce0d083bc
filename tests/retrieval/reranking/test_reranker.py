import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval.reranking.mmr import MMR
from recsys.retrieval.reranking.reranker import best_left, normalised_scores
from tests.retrieval.made import candidates

INF = float("inf")


def test_scores_are_scaled_within_the_candidates_of_each_user():
    made = candidates([[1, 2, 3], [4, 5, -1]], [[30, 20, 10], [-1, -2, -INF]])
    assert normalised_scores(made).tolist() == [[1, 0.5, 0], [1, 0, 0]]


def test_equal_scores_and_missing_ones_are_zero():
    made = candidates([[1, 2], [3, 4], [5, 6]], [[7, 7], [3, -INF], [-INF, -INF]])
    assert normalised_scores(made).tolist() == [[0, 0], [0, 0], [0, 0]]


def test_the_first_of_the_best_that_are_left():
    values = np.array([[1.0, 3.0, 3.0], [1.0, 2.0, 3.0], [1.0, 2.0, 3.0]])
    left = np.array([[True, True, True], [True, True, False], [False, False, False]])
    assert best_left(values, left).tolist() == [1, 1, -1]


@pytest.mark.parametrize("diversity_weight", [-0.1, 1.1, float("nan")])
def test_the_weight_is_a_share(diversity_weight):
    with pytest.raises(RetrievalError, match=f"from 0 .unchanged. to 1, but it is {diversity_weight}"):
        MMR(np.ones((1, 1)), diversity_weight)
