import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval.faiss_kinds.rescoring import rescoring_vectors

NAN = float("nan")


def test_only_items_of_the_index_are_scored_anew():
    exact = rescoring_vectors(np.ones((4, 2)), np.array([0, -1, 3]), num_items=4, dim=2)
    assert exact.present.tolist() == [True, False, False, True]
    exact.add(np.array([1]), np.ones((1, 2)))  # it may come back
    assert exact.present.tolist() == [True, True, False, True]


def test_vectors_of_another_catalogue_are_refused():
    with pytest.raises(RetrievalError, match="Vectors of 5 items with 2 dimensions are required.*are 4 with 2"):
        rescoring_vectors(np.ones((4, 2)), np.array([0]), num_items=5, dim=2)


def test_an_item_of_the_index_needs_a_vector():
    with pytest.raises(RetrievalError, match="A vector of each item of the index is required.*but 1 have none"):
        rescoring_vectors(np.array([[1, 1], [NAN, 1]]), np.array([0, 1]), num_items=2, dim=2)
