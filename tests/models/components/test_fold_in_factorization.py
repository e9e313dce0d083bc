import pytest
import torch
from torch import Tensor

from recsys.data.histories import Histories
from recsys.errors import ModelError
from recsys.models.components.fold_in_factorization import FoldInFactorization
from recsys.models.interface.protocols import Factorized, FoldsIn, Query, ScoringModel
from recsys.models.onnx.fold_in_factors import Projection
from tests.models.linalg.test_interaction_matrix import histories


class Sum(FoldInFactorization):
    """The user vector is the sum of those of the history's items."""

    def fold_in(self, histories: Histories) -> Tensor:
        rows = torch.repeat_interleave(torch.arange(len(histories)), histories.counts)
        return torch.zeros(len(histories), 2).index_add_(0, rows, self.item_vectors[histories.items])

    def serving_encoder(self) -> Projection:
        return Projection(self.item_vectors)


def model() -> Sum:
    folded = Sum(num_items=3, embedding_dim=2)
    folded.item_vectors.copy_(torch.tensor([[1.0, 0], [0, 2], [1, 1]]))
    return folded


def test_implements_its_protocols():
    assert isinstance(model(), ScoringModel)
    assert isinstance(model(), FoldsIn)
    assert isinstance(model(), Factorized)


def test_scores_are_products_with_the_vector_of_the_history():
    # vectors of the histories: [1, 2] and [1, 1]
    assert model().score_histories(histories([0, 1], [2])).tolist() == [[1, 4, 3], [1, 2, 2]]


def test_known_and_unknown_users_are_scored_by_their_history_alone():
    scores = model().score(Query(torch.tensor([5, -1]), histories([0, 1], [0, 1])))
    assert scores[0].equal(scores[1])
    assert scores.isfinite().all()


def test_an_empty_history_has_neither_vector_nor_scores():
    query = Query(torch.tensor([0, 1]), histories([], [2]))
    assert model().encode_users(query)[0].isnan().all()
    assert model().score(query)[0].isnan().all()
    assert model().score(query)[1].isfinite().all()


def test_encodes_the_items_asked_for():
    assert model().encode_items(torch.tensor([2, 0])).tolist() == [[1, 1], [1, 0]]


def test_refuses_no_dimensions():
    with pytest.raises(ModelError, match="embedding_dim must be at least 1, but it is 0"):
        Sum(3, 0)
