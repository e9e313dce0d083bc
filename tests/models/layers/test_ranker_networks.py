import pytest
import torch

from recsys.errors import ModelError
from recsys.models.layers.ranker_networks import LinearBlend, ResidualNetwork


def test_the_blend_starts_as_the_mean_and_looks_at_nothing_else():
    features = torch.tensor([[[1.0, 3.0, 100.0]]])
    assert LinearBlend(2, 3)(features).item() == 2


def test_the_network_starts_as_the_blend():
    features = torch.randn(2, 5, 7)
    assert ResidualNetwork(3, 7)(features).equal(LinearBlend(3, 7)(features))


def test_the_network_learns_what_no_blend_can():
    # An item is good if the two sources agree: exclusive or.
    features = torch.tensor([[[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]]])
    torch.manual_seed(0)
    network = ResidualNetwork(2, 2, hidden_dim=16)
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for _ in range(300):
        loss = (network(features) - torch.tensor([[1.0, -1.0, -1.0, 1.0]])).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.01


def test_no_hidden_units_are_refused():
    with pytest.raises(ModelError, match="hidden_dim"):
        ResidualNetwork(2, 3, hidden_dim=0)
