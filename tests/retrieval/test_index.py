import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval import index
from recsys.retrieval.index import CandidateIndex, ExactIndex

NAN = float("nan")


def test_finds_the_largest_inner_products():
    # products of (1, 2): 1, 2, 3, -1
    found = ExactIndex(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [1.0, -1.0]])).search(np.array([[1.0, 2.0]]), 3)
    assert found.items.tolist() == [[2, 1, 0]]
    assert found.scores.tolist() == [[3, 2, 1]]


def test_ties_go_to_the_lower_index():
    assert ExactIndex(np.ones((5, 2))).search(np.ones((1, 2)), 3).items.tolist() == [[0, 1, 2]]


def test_what_has_no_vector_is_not_found_and_finds_nothing():
    made = ExactIndex(np.array([[NAN, 1.0], [1.0, 1.0]]))
    assert made.search(np.array([[1.0, 0.0], [NAN, NAN]]), 2).items.tolist() == [[1, -1], [-1, -1]]


def test_blocks_change_nothing(monkeypatch):
    rng = np.random.default_rng(1)
    made, queries = ExactIndex(rng.normal(size=(50, 4))), rng.normal(size=(13, 4))
    whole = made.search(queries, 7)
    monkeypatch.setattr(index, "MAX_PRODUCTS", 150)
    parts = made.search(queries, 7)
    assert (parts.items == whole.items).all()
    np.testing.assert_allclose(parts.scores, whole.scores, rtol=1e-5)


def test_says_that_it_is_exact():
    made = ExactIndex(np.ones((5, 2)))
    assert isinstance(made, CandidateIndex)
    assert made.exact
    assert made.num_items == 5


def test_no_queries_find_nothing():
    assert ExactIndex(np.ones((5, 2))).search(np.ones((0, 2)), 3).items.shape == (0, 3)


def test_vectors_must_fit():
    with pytest.raises(RetrievalError, match=r"shape \[items, dimensions\], but they have the shape \[5\]"):
        ExactIndex(np.ones(5))
    with pytest.raises(RetrievalError, match=r"\[queries, 2\] are required, but they have the shape \[1, 3\]"):
        ExactIndex(np.ones((5, 2))).search(np.ones((1, 3)), 3)
