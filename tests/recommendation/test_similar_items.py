import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from recsys.data.interactions import Interactions
from recsys.models.interface.protocols import Factorized
from recsys.models.linalg.top_entries import nonzero
from recsys.recommendation.similar_items import content_similarity, model_similarity
from recsys.reporting.similar_items_table import similar_items_table
from recsys.runtime.recommendation import SimilarItems
from tests.models.board_data import NUM_ITEMS, prepared_board
from tests.models.test_contract import MODELS, fitted

KNOWN = Interactions(
    np.arange(4, dtype=np.int32), np.zeros(4, dtype=np.int32), None, None, None, num_users=5, num_items=4
)


class Scores(nn.Module):
    """Fixed scores by user."""

    def __init__(self, scores):
        super().__init__()
        self.scores = torch.tensor(scores)

    def score(self, query):
        return self.scores[query.users]


class Vectors(Scores):
    def encode_users(self, query): ...

    def encode_items(self, items):
        return torch.tensor([[1.0, 0.0], [10.0, 10.0], [2.0, 0.1], [torch.nan, torch.nan]])[items]


class Weights(Scores):
    def item_weights(self, items):
        return torch.tensor([[0.0, 0.1, 0.3, -0.5]])


TABLE = [[1.0, 5.0, -2.0, 7.0], [2.0, 6.0, -4.0, 7.0], [3.0, 7.1, -6.0, 7.0], [4.0, 8.0, -8.0, 7.0], [9.0] * 4]


def small():
    """Prepared data with the interactions of users 0 to 3 with item 0, and four items."""
    prepared = prepared_board()
    schema = dataclasses.replace(prepared.schema, num_items=4, positive_threshold=None)
    return dataclasses.replace(prepared, interactions=KNOWN, schema=schema)


def nearest(model, item, k=3, prepared=None):
    similarity = model_similarity(model, prepared or small())
    items, values = similarity.nearest(torch.tensor([item]), k)
    kept = items[0] >= 0
    return items[0][kept].tolist(), values[0][kept].tolist(), similarity.measure


def test_scores_that_go_together_make_items_similar():
    # item 1 rises with item 0, item 2 falls, item 3 never varies; user 4 has no history and does not count
    items, values, measure = nearest(Scores(TABLE), item=0)
    assert items == [1]
    expected = np.corrcoef(np.array(TABLE)[:4, 0], np.array(TABLE)[:4, 1])[0, 1]
    assert values == pytest.approx([expected], abs=1e-6)
    assert measure == "correlation of scores"


def test_an_item_whose_scores_do_not_vary_is_like_none():
    assert nearest(Scores(TABLE), item=3)[0] == []


def test_vectors_are_compared_by_their_cosine_where_there_are_some():
    items, values, measure = nearest(Vectors(TABLE), item=0)
    assert items == [2, 1]  # item 3 has no vector
    assert values == pytest.approx([2 / (4 + 0.01) ** 0.5, 0.5**0.5])
    assert measure == "cosine of vectors"


def test_weights_from_item_to_item_come_first():
    items, values, measure = nearest(Weights(TABLE), item=0)
    assert items == [2, 1] and values == pytest.approx([0.3, 0.1])
    assert measure == "weight in the score"


def test_large_catalogues_are_not_compared_by_correlations(monkeypatch):
    monkeypatch.setattr("recsys.recommendation.similar_items.MAX_CORRELATED_ITEMS", 3)
    assert model_similarity(Scores(TABLE), small()) is None


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"bias", "popularity", "random", "content"}))
def test_similar_items_on_the_board_have_the_same_colour(name):
    board = fitted(name)
    items, _, measure = nearest(board.model, item=6, k=4, prepared=prepared_board())
    assert 6 not in items and len(items) > 0
    assert np.mean(np.array(items) % 2 == 0) >= 0.75
    assert (
        hasattr(board.model, "item_weights")
        or isinstance(board.model, Factorized)
        or measure == "correlation of scores"
    )


def test_popularity_knows_no_similar_items():
    assert nearest(fitted("popularity").model, item=6, k=4, prepared=prepared_board())[0] == []


def test_content_makes_items_of_one_colour_similar():
    similarity = content_similarity(prepared_board())
    items, values = similarity.nearest(torch.tensor([6, 7]), 4)
    assert items.tolist() == [[0, 2, 4, 8], [1, 3, 5, 9]]
    assert values[0].tolist() == pytest.approx([1.0] * 4)
    assert similarity.measure == "cosine of colours"


def test_the_table_has_both_lists_side_by_side():
    found = SimilarItems("i06", ["i00", "i02"], [1.0, 0.5], "cosine of vectors")
    nothing = SimilarItems("i06", [], [], "no item has features with words")
    titles_of = prepared_board().titles_of
    table = similar_items_table(titles_of, "i06", {"by the model": found, "by content": found})
    assert [str(column.header) for column in table.columns].count("similarity") == 2
    assert table.row_count == 2 < NUM_ITEMS
    alone = similar_items_table(titles_of, "i06", {"by the model": found, "by content": nothing})
    assert [str(column.header) for column in alone.columns].count("similarity") == 1
    assert "by content: no item has features with words" in str(alone.caption)


class SparseWeights(Weights):
    def sparse_item_weights(self, items):
        return nonzero(self.item_weights(items))

    def item_weights(self, items):
        return torch.tensor([[0.0, 0.1, 0.3, -0.5], [0.2, 0.0, 0.2, 0.2], [0.0, 0.0, 0.0, 0.7], [0.0] * 4])[items]


class DenseWeights(SparseWeights):
    def sparse_item_weights(self, items):
        return None


@pytest.mark.parametrize("known", [None, np.array([True, True, False, True]), np.array([False, True, True, True])])
@pytest.mark.parametrize("available", [None, torch.tensor([True, True, True, False])])
@pytest.mark.parametrize("k", [1, 2, 6])
def test_sparse_weights_have_the_neighbours_of_the_dense_ones(known, available, k):
    sparse, dense = (
        model_similarity(kind(TABLE), small(), known).nearest(torch.arange(4), k, available)
        for kind in (SparseWeights, DenseWeights)
    )
    assert torch.equal(sparse[0], dense[0])
    kept = dense[0] >= 0
    assert torch.equal(sparse[1][kept], dense[1][kept])


def test_of_sparse_weights_only_those_that_are_kept_are_held():
    similarity = model_similarity(SparseWeights(TABLE), small())
    assert similarity.width == 3
    items, values = similarity.nearest(torch.tensor([1, 3]), 2)
    assert items.tolist() == [[0, 2], [-1, -1]]  # ties by the lower item
    assert values[0] == pytest.approx([0.2, 0.2])
