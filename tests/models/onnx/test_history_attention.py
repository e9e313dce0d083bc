import math

import pytest
import torch
from torch.nn import functional

from recsys.models.interface.protocols import Query
from recsys.models.layers.history_attention import MIN_TEMPERATURE, HistoryAttention
from recsys.models.onnx.history_attention import ServedAttention
from tests.models.onnx.model_queries import asked, assert_scores_close, random_histories, served

VECTORS = torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8], [0.0, 0.0]])


def test_attention_and_mean_of_the_cosines_by_hand():
    attended, mean = ServedAttention(VECTORS, temperature=1.0, max_history=5)(asked([0, 1]))[0]
    # cosines to items 0 and 1: (1, 0), (0, 1), (.6, .8) and (0, 0)
    weights = [math.exp(0.6), math.exp(0.8)]
    expected = [math.e / (math.e + 1)] * 2 + [(0.6 * weights[0] + 0.8 * weights[1]) / sum(weights), 0.0]
    torch.testing.assert_close(attended, torch.tensor(expected))
    torch.testing.assert_close(mean, torch.tensor([0.5, 0.5, 0.7, 0.0]))


def test_only_the_latest_interactions_count():
    attention = ServedAttention(VECTORS, temperature=1.0, max_history=1)
    assert attention(asked([0, 1])).equal(attention(asked([1])))


def test_an_empty_history_has_no_similarity():
    scores = ServedAttention(VECTORS, temperature=1.0, max_history=5)(asked([], [2]))
    assert scores.isnan().all(2).tolist() == [[True, True], [False, False]]


@pytest.mark.parametrize("temperature", [MIN_TEMPERATURE, 0.3])
def test_gives_what_the_layer_gives(temperature):
    layer = HistoryAttention(9, 4, temperature, max_history=6)
    layer.vectors = functional.normalize(torch.randn(9, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    histories = random_histories([1, 20, 0, 6], 9, 0)
    query = served(Query(torch.full((4,), -1), histories), 2)
    assert_scores_close(ServedAttention(layer.vectors, temperature, 6)(query), layer(histories))
