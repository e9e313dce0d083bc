import numpy as np
import pytest

from recsys.runtime import onnx_stages
from recsys.runtime.onnx_stages import OnnxEncoder, OnnxRanker
from tests.retrieval.made import requests

HISTORIES = [[3], [1, 2], [], [5, 6, 7], [2]]


class LastItem:
    """Encodes a request as its user and the sum of its history; scores a candidate as candidate + 10 * user."""

    def __init__(self):
        self.sizes = []

    def run(self, inputs):
        self.sizes.append(len(inputs["user_index"]))
        users = inputs["user_index"].astype(np.float32)
        if "candidates" in inputs:
            return inputs["candidates"] + 10 * users[:, None]
        return np.stack([users, np.maximum(inputs["history"], 0).sum(axis=1)], axis=1)


ENCODED = [[0, 3], [1, 3], [2, 0], [3, 18], [4, 2]]


@pytest.mark.parametrize(
    ("max_numbers", "sizes"),
    # The longest history has 3 items, of 4 numbers each: 12 numbers for a request.
    [(2**26, [5]), (60, [5]), (59, [4, 1]), (24, [2, 2, 1]), (12, [1] * 5), (1, [1] * 5)],
)
def test_requests_are_encoded_in_blocks_that_bound_the_memory(monkeypatch, max_numbers, sizes):
    monkeypatch.setattr(onnx_stages, "MAX_NUMBERS", max_numbers)
    model = LastItem()
    assert OnnxEncoder(model, floats_per_position=4)(requests(HISTORIES)).tolist() == ENCODED
    assert model.sizes == sizes


def test_a_model_that_holds_nothing_for_a_position_gets_all_at_once():
    model = LastItem()
    OnnxEncoder(model, floats_per_position=0)(requests(HISTORIES))
    assert model.sizes == [5]


def test_no_requests_are_one_empty_block():
    model = LastItem()
    assert OnnxEncoder(model, floats_per_position=4)(requests([])).shape == (0, 2)
    assert model.sizes == [0]


@pytest.mark.parametrize(("max_numbers", "sizes"), [(2**26, [5]), (24, [2, 2, 1])])
def test_each_block_gets_its_own_candidates(monkeypatch, max_numbers, sizes):
    monkeypatch.setattr(onnx_stages, "MAX_NUMBERS", max_numbers)
    model = LastItem()
    items = np.array([[0, 1], [2, 3], [4, 5], [6, 7], [8, 9]])
    scores = OnnxRanker(model, 4, num_items=10).score(requests(HISTORIES), items)
    assert scores.tolist() == [[0, 1], [12, 13], [24, 25], [36, 37], [48, 49]]
    assert model.sizes == sizes


def test_items_that_the_ranker_does_not_know_have_no_score():
    asked = []

    class Model(LastItem):
        def run(self, inputs):
            asked.append(inputs["candidates"].tolist())
            return super().run(inputs)

    scores = OnnxRanker(Model(), 4, num_items=3).score(requests([[], []]), np.array([[2, 3], [-1, 9]]))
    np.testing.assert_array_equal(scores, [[2, np.nan], [9, np.nan]])  # of item -1 any score will do: -1 + 10
    assert asked == [[[2, -1], [-1, -1]]]


def test_a_ranker_that_scores_new_items_gets_their_vectors():
    class Model(LastItem):
        def run(self, inputs):
            self.given = inputs["new_items"]
            return super().run(inputs)

    model, vectors = Model(), np.zeros((0, 2), dtype=np.float32)
    ranker = OnnxRanker(model, 4, num_items=3, new_items=lambda: vectors)
    items = np.array([[2, 3, 5]])
    np.testing.assert_array_equal(ranker.score(requests([[]]), items), [[2, np.nan, np.nan]])
    assert model.given.shape == (1, 2) and np.isnan(model.given).all()  # no table is empty
    vectors = np.array([[1, 2], [3, 4]], dtype=np.float32)  # two items came, 3 and 4
    np.testing.assert_array_equal(ranker.score(requests([[]]), items), [[2, 3, np.nan]])
    assert model.given is vectors
