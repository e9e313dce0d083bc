import torch

from recsys.models.onnx.constant_scores import ConstantScores
from tests.models.onnx.model_queries import asked


def test_everyone_gets_the_same_scores():
    scores = ConstantScores(torch.tensor([3.0, -1.0]))(asked([0], [1, 0], [], users=[4, -1, 0]))
    assert scores.tolist() == [[3.0, -1.0]] * 3
    assert scores.dtype == torch.float32


def test_an_item_without_a_score_stays_without():
    scores = ConstantScores(torch.tensor([torch.nan, 1.0]))(asked([0]))
    assert scores.isnan().tolist() == [[True, False]]


def test_scores_move_with_the_module():
    assert list(ConstantScores(torch.zeros(2)).state_dict()) == ["scores"]
