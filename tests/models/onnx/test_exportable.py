import pytest
import torch
from torch import nn

from recsys.models.onnx.constant_scores import ConstantScores
from recsys.models.onnx.exportable import EncoderRanker, Exportable, ServingForm, scores_of
from recsys.models.onnx.user_table import UserTable
from tests.models.onnx.model_queries import asked

#: Users (1, 2) and (0, -1); items (1, 0), (0, 1) and (2, 2).
VECTORS = ServingForm(
    UserTable(torch.tensor([[1.0, 2.0], [0.0, -1.0]])), torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
)
SCORES = ServingForm(ConstantScores(torch.tensor([5.0, 3.0, 4.0])), None)
QUERY = asked([], [], users=[0, 1])


def test_scores_are_products_where_there_are_item_vectors():
    # 1*1 + 2*0, 1*0 + 2*1, 1*2 + 2*2; and 0, -1, -2
    assert scores_of(VECTORS, QUERY).tolist() == [[1.0, 2.0, 6.0], [0.0, -1.0, -2.0]]


def test_without_item_vectors_the_encoder_gives_the_scores():
    assert scores_of(SCORES, QUERY).tolist() == [[5.0, 3.0, 4.0]] * 2


@pytest.mark.parametrize("form", [VECTORS, SCORES], ids=["vectors", "scores"])
def test_a_ranker_gives_candidates_their_scores_of_the_catalogue(form):
    candidates = torch.tensor([[2, 0], [1, 2]])
    expected = scores_of(form, QUERY).gather(1, candidates)
    assert EncoderRanker(form)(QUERY, candidates).equal(expected)


@pytest.mark.parametrize("form", [VECTORS, SCORES], ids=["vectors", "scores"])
def test_no_candidate_is_no_error(form):
    ranked = EncoderRanker(form)(QUERY, torch.tensor([[-1, 1], [-1, -1]]))
    assert ranked.shape == (2, 2)
    assert ranked[0, 1] == scores_of(form, QUERY)[0, 1]


def test_a_new_candidate_is_scored_by_its_vector():
    vectors = torch.tensor([[3.0, 1.0], [torch.nan, torch.nan]])
    scores = EncoderRanker(VECTORS)(QUERY, torch.tensor([[3, 2, 4], [0, 3, -1]]), vectors)
    # 1*3 + 2*1 and 0*3 - 1*1 for the first new item; nothing is known of the second
    assert scores[0, :2].tolist() == [5.0, 6.0] and scores[1, :2].tolist() == [0.0, -1.0]
    assert scores[0, 2].isnan()


def test_who_has_no_vector_has_no_scores():
    stranger = asked([], users=[-1])
    assert EncoderRanker(VECTORS)(stranger, torch.tensor([[0, 1]])).isnan().all()
    assert scores_of(VECTORS, stranger).isnan().all()


def test_a_model_can_be_exported_where_it_has_the_form():
    class Model(nn.Module):
        def serving_form(self) -> ServingForm:
            return SCORES

    assert isinstance(Model(), Exportable)
    assert not isinstance(nn.Linear(1, 1), Exportable)
