import pytest
import torch
from torch import nn

from recsys.models.layers import int8_screening
from recsys.models.layers.int8_screening import LARGEST_LAYER, approximate_perceptron, multiplies_bytes
from recsys.models.neumf import MLP, NeuMF

CPU = torch.device("cpu")
needs_bytes = pytest.mark.skipif(not multiplies_bytes(CPU), reason="the processor has no fast products of bytes")


def perceptron(seed, dims, num_users=9, num_items=70, scale=1.0):
    """The parts of the first layer and the layers after it."""
    torch.manual_seed(seed)
    layers = [nn.Linear(a, b) for a, b in zip(dims, [*dims[1:], 1], strict=True)]
    for layer in layers:
        nn.init.normal_(layer.weight, std=scale)
    return torch.randn(num_users, dims[0]) * scale, torch.randn(num_items, dims[0]), layers


@torch.no_grad()
def reference(user_part, item_part, layers):
    """All pairs in double precision."""
    units = (user_part.double()[:, None] + item_part.double()).relu()
    for layer in layers[:-1]:
        units = (units @ layer.weight.double().T + layer.bias.double()).relu()
    return (units @ layers[-1].weight.double().T + layers[-1].bias.double())[..., 0]


@needs_bytes
@torch.no_grad()
@pytest.mark.parametrize("dims", [(16, 8), (128, 64), (LARGEST_LAYER, 4), (8, 16, 4), (12, 8, 6, 5), (1, 1)], ids=str)
@pytest.mark.parametrize("scale", [0.01, 1.0, 30.0])
def test_no_score_is_further_off_than_said(dims, scale):
    for seed in range(5):
        parts = perceptron(seed, dims, scale=scale)
        scores, error = approximate_perceptron(*parts)
        off = (scores - reference(*parts)).abs()
        assert scores.shape == (9, 70)
        assert error.shape == (9, 1)
        assert (off <= error).all()


@needs_bytes
@torch.no_grad()
def test_is_close_enough_to_be_of_use():
    parts = perceptron(0, (128, 64), num_items=500)
    scores, error = approximate_perceptron(*parts)
    spread = reference(*parts).std(dim=1)
    assert (scores - reference(*parts)).abs().mean() < 0.03 * spread.mean()
    assert error.mean() < 2 * spread.mean()


@needs_bytes
@torch.no_grad()
@pytest.mark.parametrize("offset", [-1e3, 1e3], ids=["always off", "always on"])
def test_users_beyond_all_items(offset):
    user_part, item_part, layers = perceptron(3, (6, 5))
    user_part[:, ::2] = offset
    scores, error = approximate_perceptron(user_part, item_part, layers)
    assert ((scores - reference(user_part, item_part, layers)).abs() <= error).all()


@needs_bytes
@torch.no_grad()
@pytest.mark.parametrize("dims", [(16, 8), (8, 16, 4)], ids=str)
def test_blocks_of_any_size_give_the_same(dims, monkeypatch):
    parts = perceptron(7, dims)
    whole = approximate_perceptron(*parts)
    for size in (1, 32, 70):
        monkeypatch.setattr(int8_screening, "_ITEMS_PER_BLOCK", size)
        # Another size adds in another order.
        torch.testing.assert_close(approximate_perceptron(*parts), whole, rtol=1e-5, atol=1e-4)


@needs_bytes
@torch.no_grad()
def test_the_largest_sums():
    ones = torch.ones(1, LARGEST_LAYER)
    item_part, second, output = torch.cat([ones, -ones, ones / 3]), nn.Linear(LARGEST_LAYER, 2), nn.Linear(2, 1)
    second.weight[0], second.weight[1] = 1.0, -1.0
    parts = -ones, item_part, [second, output]
    scores, error = approximate_perceptron(*parts)
    assert ((scores - reference(*parts)).abs() <= error).all()


@needs_bytes
@torch.no_grad()
def test_units_that_are_the_same_for_all_items_and_layers_of_zeros():
    user_part, item_part, layers = perceptron(4, (6, 5))
    item_part[:, 1] = 0.25
    layers[0].weight[2] = 0
    scores, error = approximate_perceptron(user_part, item_part, layers)
    assert ((scores - reference(user_part, item_part, layers)).abs() <= error).all()
    one_item = item_part[:1]
    scores, error = approximate_perceptron(user_part, one_item, layers)
    assert ((scores - reference(user_part, one_item, layers)).abs() <= error).all()


@torch.no_grad()
@pytest.mark.parametrize("value", [torch.nan, torch.inf])
@pytest.mark.parametrize("part", [0, 1, 2])
def test_numbers_that_are_not_finite_have_no_bound(part, value):
    user_part, item_part, layers = perceptron(5, (6, 5))
    (user_part, item_part, layers[0].weight)[part][3, 2] = value
    assert approximate_perceptron(user_part, item_part, layers) is None


@needs_bytes
@pytest.mark.parametrize("kind", [MLP, NeuMF])
def test_networks_bound_their_scores(kind):
    torch.manual_seed(6)
    network = kind(20, 50, embedding_dim=8, hidden_dims=(16, 8, 4), dropout=0.5, init_std=1.0).eval()
    users = torch.tensor([3, 19, 3])
    scores, error = network.approximate_catalogue(users)
    assert ((scores - network.score_catalogue(users)).abs() <= error).all()
    assert error.max() < network.score_catalogue(users).std()


def test_networks_say_where_it_would_not_pay(monkeypatch):
    users = torch.tensor([0])
    assert NeuMF(2, 3, 4, hidden_dims=(4,)).approximate_catalogue(users) is None  # no second layer
    assert NeuMF(2, 3, 4, hidden_dims=(LARGEST_LAYER + 1, 2)).approximate_catalogue(users) is None
    assert NeuMF(2, 3, 4, hidden_dims=(4, 2)).double().approximate_catalogue(users) is None
    with torch.autocast("cpu", torch.bfloat16):
        assert NeuMF(2, 3, 4, hidden_dims=(4, 2)).approximate_catalogue(users) is None
    monkeypatch.setattr(torch.cpu, "_is_vnni_supported", lambda: False, raising=False)
    assert NeuMF(2, 3, 4, hidden_dims=(4, 2)).approximate_catalogue(users) is None
    assert not int8_screening.multiplies_bytes(CPU)
    assert not int8_screening.multiplies_bytes(torch.device("cuda"))
