import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval.index import CandidateIndex
from recsys.retrieval.pipeline import Pipeline
from recsys.retrieval.retrievers import IndexRetriever
from recsys.retrieval.score_index import ScoreIndex
from tests.retrieval.made import requests

NAN, INF = float("nan"), float("inf")


def test_the_highest_scores_are_found():
    made = ScoreIndex(4)
    assert isinstance(made, CandidateIndex)
    assert made.exact
    assert made.num_items == 4
    found = made.search(np.array([[1.0, 3.0, NAN, 3.0], [NAN] * 4, [-INF, 0.0, -1.0, 2.0]]), 3)
    assert found.items.tolist() == [[1, 3, 0], [-1, -1, -1], [3, 1, 2]]
    assert found.scores.tolist() == [[3, 3, 1], [-INF] * 3, [2, 0, -1]]


def test_more_may_be_asked_for_than_there_are():
    assert ScoreIndex(2).search(np.array([[1.0, 2.0]]), 5).items.tolist() == [[1, 0, -1, -1, -1]]
    assert ScoreIndex(2).search(np.ones((0, 2)), 5).items.shape == (0, 5)


def test_a_model_that_scores_everything_is_a_retriever():
    scores = np.array([[1.0, 2.0, 3.0], [3.0, 2.0, 1.0]])
    retriever = IndexRetriever(lambda asked: scores[asked.users], ScoreIndex(3))
    assert Pipeline(retriever).recommend(requests(seen=[[2], []]), 2).items.tolist() == [[1, 0], [0, 1]]


def test_scores_must_be_of_the_catalogue():
    with pytest.raises(RetrievalError, match=r"\[queries, 4\] are required.* have the shape \[1, 3\]"):
        ScoreIndex(4).search(np.ones((1, 3)), 2)
    with pytest.raises(RetrievalError, match="1 item or more, but it has 0"):
        ScoreIndex(0)
