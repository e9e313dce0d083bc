import pytest
import torch
from torch import nn

from recsys.models.layers import projected_rows as module
from recsys.models.layers.embedding import Embedding
from recsys.models.layers.projected_rows import pays_by_table, projected_rows

IDS = torch.tensor([[0, 2, 2], [1, 0, 2]])


def test_the_whole_table_is_projected_where_each_row_is_read_four_times():
    table = Embedding(3, 128)
    assert pays_by_table(table, 12)
    assert not pays_by_table(table, 11)


def test_on_the_cpu_vectors_must_be_wide():
    assert not pays_by_table(Embedding(3, 127), 12)
    assert pays_by_table(Embedding(3, 2, device="meta"), 12)


@pytest.mark.parametrize("reads", [0, 100])
def test_both_ways_have_the_units_and_gradients_of_the_layer(reads, monkeypatch):
    monkeypatch.setattr(module, "READS_PER_ROW", reads)
    monkeypatch.setattr(module, "LEAST_DIM", {})
    torch.manual_seed(0)
    table, layer = Embedding(3, 4), nn.Linear(4, 5)
    parameters = [table.weight, *layer.parameters()]
    projected, expected = projected_rows(layer, table, IDS), layer(table.weight[IDS])
    assert projected.shape == (2, 3, 5)
    torch.testing.assert_close(projected, expected)
    gradients = (torch.autograd.grad(units.square().sum(), parameters) for units in (projected, expected))
    torch.testing.assert_close(*gradients)
