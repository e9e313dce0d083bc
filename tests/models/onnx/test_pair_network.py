import pytest
import torch
from torch import nn

from recsys.models.onnx.pair_network import CatalogueOfPairs, PairNetwork
from tests.models.onnx.model_queries import asked

#: Of users 0 and 1 (rows) and items 0 and 1, without hidden layers, as the last layer is 1 * first + 10 * second + .5
#: and the bias .25:
#: 2 * 1 + relu(1, 0) -> 1 + .75;   2 * -1 + relu(3, -4) -> 3 + .75;
#: 3 * 1 + relu(0, 1) -> 10 + .75;  3 * -1 + relu(2, -3) -> 2 + .75.
SCORES = [[3.75, 1.75], [13.75, -0.25]]


def linear(weights: list[list[float]], bias: list[float]) -> nn.Linear:
    layer = nn.Linear(len(weights[0]), len(weights))
    layer.weight.data, layer.bias.data = torch.tensor(weights), torch.tensor(bias)
    return layer.requires_grad_(False)


def network(*hidden: nn.Module) -> PairNetwork:
    return PairNetwork(
        user_vectors=torch.tensor([[2.0], [3.0]]),
        item_vectors=torch.tensor([[1.0], [-1.0]]),
        user_parts=torch.tensor([[1.0, -1.0], [0.0, 0.0]]),
        item_parts=torch.tensor([[0.0, 1.0], [2.0, -3.0]]),
        hidden=hidden,
        output=linear([[1.0, 10.0]], [0.5]),
        bias=torch.tensor(0.25),
    )


def test_the_catalogue_by_hand():
    assert CatalogueOfPairs(network())(asked([], [], users=[0, 1])).tolist() == SCORES


def test_candidates_have_the_scores_of_the_catalogue():
    scores = network()(asked([], [], users=[1, 0]), torch.tensor([[1, 0, 1], [0, 0, 1]]))
    assert scores.tolist() == [[-0.25, 13.75, -0.25], [3.75, 3.75, 1.75]]


def test_a_hidden_layer_ends_in_a_relu():
    # the units of user 0 and item 1 are (3, 0); doubled and turned (-6, 6 + 1), of which (0, 7) is left: 70 + .75 - 2
    hidden = network(linear([[-2.0, 0.0], [2.0, 0.0]], [0.0, 1.0]))
    assert hidden(asked([], users=[0]), torch.tensor([[1]])).item() == pytest.approx(68.75)


def test_unknown_users_have_no_scores():
    query = asked([0], [], users=[-1, 0])
    assert network().catalogue(query).isnan().tolist() == [[True, True], [False, False]]
    assert network()(query, torch.tensor([[0], [0]])).isnan().tolist() == [[True], [False]]


def test_no_candidate_is_no_error():
    assert network()(asked([], users=[0]), torch.tensor([[-1, 1]]))[0, 1] == SCORES[0][1]
