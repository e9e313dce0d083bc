import numpy as np
import pytest

from recsys.errors import RetrievalError
from recsys.retrieval import retrievers
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


def test_the_same_for_all_of_what_a_mask_allows(monkeypatch):
    monkeypatch.setattr(retrievers, "FIRST_BLOCK", 2)
    random = np.random.default_rng(0)
    scores = random.integers(0, 5, 200).astype(np.float32)
    scores[random.random(200) < 0.1] = NAN
    everything = StaticRetriever(scores)
    mask = random.random(200) < 0.2
    allowed = [item for item in everything.order.tolist() if mask[item]]
    made = everything.allowing(mask)
    assert isinstance(made, Retriever)
    for width in (3, 1, 10, 300):
        found = made.retrieve(requests(num_requests=2), width)
        expected = (allowed + [-1] * 300)[:width]
        assert found.items.tolist() == [expected] * 2
        assert found.scores[0].tolist() == [scores[item] if item >= 0 else -np.inf for item in expected]


def test_what_a_mask_allows_is_looked_for_no_further_than_needed(monkeypatch):
    monkeypatch.setattr(retrievers, "FIRST_BLOCK", 4)
    looked_at = []

    class Spy(np.ndarray):
        def __getitem__(self, places):
            looked_at.append(len(places))
            return np.asarray(self)[places]

    everything = StaticRetriever(np.arange(1000.0))
    made = everything.allowing((np.arange(1000) % 2 == 0).view(Spy))
    assert made.retrieve(requests(num_requests=1), 3).items.tolist() == [[998, 996, 994]]
    assert looked_at == [4, 4]  # of 8 items every other one is allowed
    made.retrieve(requests(num_requests=1), 4)
    assert looked_at == [4, 4]  # which were found before
    made.retrieve(requests(num_requests=1), 5)
    assert looked_at == [4, 4, 8]


def test_all_masks_share_one_order():
    everything = StaticRetriever(np.arange(5.0))
    everything.allowing(np.ones(5, dtype=np.bool_)).retrieve(requests(num_requests=1), 2)
    assert everything.order is everything.order


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
