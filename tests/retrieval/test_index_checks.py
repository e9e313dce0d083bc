import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval import index_checks
from recsys.retrieval.index_checks import check_new, check_of_catalogue, check_queries, has_vector

NAN = float("nan")
PRESENT = np.array([True, False, True])


def test_a_row_with_nan_is_no_vector(monkeypatch):
    vectors = np.array([[1, 2], [NAN, 2], [0, 0], [3, NAN]])
    assert has_vector(vectors).tolist() == [True, False, True, False]
    monkeypatch.setattr(index_checks, "MAX_NUMBERS", 3)  # one row at a time
    assert has_vector(vectors).tolist() == [True, False, True, False]


@pytest.mark.parametrize("shape", [(2, 3), (4,), (1, 2, 4)])
def test_queries_of_another_shape_are_refused(shape):
    check_queries(np.ones((2, 4)), 4)
    with pytest.raises(RetrievalError, match=r"Queries of shape \[queries, 4\] are required"):
        check_queries(np.ones(shape), 4)


def test_absent_items_and_those_beyond_the_catalogue_can_be_added():
    check_new(np.array([1, 3, 9]), np.ones((3, 2)), PRESENT, 2)


@pytest.mark.parametrize(
    ("items", "shape", "said"),
    [
        ([1.5], (1, 2), "whole numbers from 0 on, but it is 1.5"),
        ([-1], (1, 2), "whole numbers from 0 on, but it is -1"),
        ([1], (1, 3), r"Vectors of shape \[1, 2\] are required for 1 new items"),
        ([4, 4, 1], (3, 2), "these come more than once: 4"),
        ([0, 1, 2], (3, 2), "but these are: 0, 2. Remove them first"),
    ],
)
def test_what_cannot_be_added_is_refused(items, shape, said):
    with pytest.raises(RetrievalError, match=said):
        check_new(np.array(items), np.ones(shape), PRESENT, 2)


def test_only_items_of_the_catalogue_are_removed():
    check_of_catalogue(np.array([0, 2]), 3)
    with pytest.raises(RetrievalError, match="Items from 0 to 2 are required, but these came: -1, 3"):
        check_of_catalogue(np.array([-1, 0, 3]), 3)
    with pytest.raises(RetrievalError, match="a list of their indices"):
        check_of_catalogue(np.array([0.5]), 3)


def test_a_long_list_is_cut_in_a_message():
    with pytest.raises(RetrievalError, match=r"came: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, \.\.\."):
        check_of_catalogue(np.arange(20), 0)
