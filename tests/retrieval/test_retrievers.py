import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval.index import ExactIndex
from recsys.retrieval.retrievers import IndexRetriever, RankFusionRetriever, Retriever, StaticRetriever
from tests.retrieval.made import TableRetriever, requests

NAN = float("nan")


def test_a_request_is_looked_for_by_its_vector():
    vectors = np.array([[1.0, 0.0], [0.0, 1.0]])
    made = IndexRetriever(
        lambda asked: vectors[asked.users], ExactIndex(np.array([[0.1, 3.0], [2.0, 0.2], [0.5, 0.5]]))
    )
    assert isinstance(made, Retriever)
    assert made.num_items == 3
    assert made.retrieve(requests(num_requests=2), 2).items.tolist() == [[1, 2], [0, 2]]


def test_the_same_for_all():
    made = StaticRetriever(np.array([2.0, NAN, 5.0, 2.0]))
    found = made.retrieve(requests(num_requests=2), 6)
    assert found.items.tolist() == [[2, 0, 3, -1, -1, -1]] * 2
    assert made.retrieve(requests(num_requests=1), 2).scores.tolist() == [[5, 2]]


def test_merged_retrievers_are_asked_alike():
    first, second = TableRetriever([[3.0, 2.0, 1.0]]), TableRetriever([[NAN, 2.0, 3.0]])
    # with 2 each: item 0 1/61, item 1 1/62 + 1/62, item 2 1/61
    assert RankFusionRetriever([first, second]).retrieve(requests(num_requests=1), 2).items.tolist() == [[1, 0]]
    assert first.asked == second.asked == [(1, 2)]


def test_what_is_merged_must_fit():
    one, other = TableRetriever([[1.0]]), TableRetriever([[1.0, 2.0]])
    with pytest.raises(RetrievalError, match=r"one catalogue are required.*\[1, 2\] items"):
        RankFusionRetriever([one, other])
    with pytest.raises(RetrievalError, match=r"have \[\] items"):
        RankFusionRetriever([])
    for weights in ([1.0, 2.0], [0.0]):
        with pytest.raises(RetrievalError, match="A weight above 0 is required for each of 1 retrievers"):
            RankFusionRetriever([one], weights)
