import numpy as np
import pytest
import torch
from torch import nn

from recsys.data.interactions import Interactions
from recsys.errors import RecsysError
from recsys.models.interface.protocols import Factorized
from recsys.recommendation.similar_items import collaborative_neighbours, content_neighbours
from recsys.reporting.similar_items_table import neighbours_table
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


def test_scores_that_go_together_make_neighbours():
    # item 1 rises with item 0, item 2 falls, item 3 never varies; user 4 has no history and does not count
    found = collaborative_neighbours(Scores(TABLE), KNOWN, item=0, k=3)
    assert found.items.tolist() == [1]
    expected = np.corrcoef(np.array(TABLE)[:4, 0], np.array(TABLE)[:4, 1])[0, 1]
    assert found.similarities.tolist() == pytest.approx([expected], abs=1e-6)
    assert "correlation" in found.measure


def test_an_item_whose_scores_do_not_vary_has_no_neighbours():
    assert len(collaborative_neighbours(Scores(TABLE), KNOWN, item=3, k=3).items) == 0


def test_vectors_are_compared_by_their_cosine_where_there_are_some():
    found = collaborative_neighbours(Vectors(TABLE), KNOWN, item=0, k=3)
    assert found.items.tolist() == [2, 1]  # item 3 has no vector
    assert found.similarities.tolist() == pytest.approx([2 / (4 + 0.01) ** 0.5, 0.5**0.5])
    assert "vectors" in found.measure


def test_weights_from_item_to_item_come_first():
    found = collaborative_neighbours(Weights(TABLE), KNOWN, item=0, k=3)
    assert found.items.tolist() == [2, 1]
    assert "weights" in found.measure


@pytest.mark.parametrize("k", [0, -1, "many", 1.5])
def test_the_number_must_be_positive_and_whole(k):
    with pytest.raises(RecsysError, match="k must be a whole number of at least 1"):
        collaborative_neighbours(Weights(TABLE), KNOWN, item=0, k=k)


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"bias", "popularity", "random", "content"}))
def test_neighbours_on_the_board_have_the_same_colour(name):
    board = fitted(name)
    known = board.interactions.take(board.split.train)
    model = board.model
    found = collaborative_neighbours(model, known, item=6, k=4)
    assert 6 not in found.items
    assert len(found.items) > 0
    assert (found.items % 2 == 0).float().mean() >= 0.75
    assert hasattr(model, "item_weights") or isinstance(model, Factorized) or "correlation" in found.measure


def test_popularity_knows_no_neighbours():
    board = fitted("popularity")
    assert len(collaborative_neighbours(board.model, board.interactions, item=6, k=4).items) == 0


def test_content_makes_neighbours_of_the_same_colour():
    found = content_neighbours(prepared_board(), item=6, k=4)
    assert found.items.tolist() == [0, 2, 4, 8]
    assert found.similarities.tolist() == pytest.approx([1.0] * 4)


def test_the_table_has_both_lists_side_by_side():
    prepared = prepared_board()
    found = content_neighbours(prepared, item=6, k=4)
    table = neighbours_table(prepared, 6, found, found)
    assert [column.header for column in table.columns].count("similarity") == 2
    assert table.row_count == 4
    assert NUM_ITEMS > table.row_count
    alone = neighbours_table(prepared, 6, found, None)
    assert [column.header for column in alone.columns].count("similarity") == 1
    assert "by content: no item has features with words" in str(alone.caption)
