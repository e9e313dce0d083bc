import pytest
import torch

from recsys.models.layers.embedding import Embedding
from recsys.training.optimizers import row_rule
from recsys.training.optimizers.adam import Adam
from recsys.training.optimizers.sgd import SGD
from tests.training.optimizers.tables import Pair, always_by_rows


def kept(num_rows: int, dim: int) -> Embedding:
    table = Embedding(num_rows, dim)
    SGD(table.parameters(), lr=0.1, momentum=0.9).keep(table)
    return table


def test_large_tables_of_which_little_is_read_are_updated_by_rows_and_others_whole():
    assert kept(100_000, 64).keeper.by_rows(2048)
    assert not kept(100_000, 64).keeper.by_rows(50_000)
    assert not kept(1000, 64).keeper.by_rows(10)  # what the operators cost is more than the bytes that are saved


def test_compiled_loops_pay_for_more_rows(monkeypatch):
    pytest.importorskip("numba")
    table = Embedding(26_744, 64)
    optimizer = Adam(table.parameters())
    zeros = torch.zeros_like(table.weight)
    optimizer.state[table.weight].update(step=torch.tensor(500.0), exp_avg=zeros, exp_avg_sq=zeros)
    optimizer.keep(table)
    assert table.keeper.by_rows(10_240)
    monkeypatch.setattr(row_rule, "find_spec", lambda name: None)
    optimizer.keep(table)
    assert not table.keeper.by_rows(10_240)


def test_tables_that_stay_in_cache_together_are_updated_whole():
    """6,040 rows of 256 bytes in four arrays are 6 MB; with a table of 100,000 beside them they do not stay."""
    pytest.importorskip("numba")
    small, large = Embedding(6040, 64), Embedding(100_000, 64)
    optimizer = Adam([small.weight, large.weight])
    optimizer.keep(small)
    assert not small.keeper.costs_less_as_rows(1024)
    optimizer.keep(large)
    assert small.keeper.costs_less_as_rows(1024) and large.keeper.costs_less_as_rows(1024)


def test_rows_are_caught_up_before_they_are_read_and_not_twice(monkeypatch):
    always_by_rows(monkeypatch)
    pair = Pair(SGD, torch.optim.SGD, lr=0.1, momentum=0.9)
    for ids in (torch.tensor([1, 2]), torch.tensor([3])):
        pair.step(ids, 1.0)
    calls = []
    caught_up = pair.table.keeper._bring
    monkeypatch.setattr(pair.table.keeper, "_bring", lambda ids: (calls.append(ids), caught_up(ids)))
    ids = torch.tensor([[1, 1], [2, 3]])
    torch.testing.assert_close(pair.table(ids), pair.reference(ids))
    pair.table(ids)
    assert len(calls) == 1
    pair.table(ids[:1])
    assert len(calls) == 2  # other ids


def test_without_a_gradient_to_come_nothing_is_caught_up(monkeypatch):
    always_by_rows(monkeypatch)
    pair = Pair(SGD, torch.optim.SGD, lr=0.1, momentum=0.9)
    for ids in (torch.tensor([1, 2]), torch.tensor([3])):
        pair.step(ids, 1.0)
    before = pair.table.weight.clone()
    with torch.no_grad():
        pair.table(torch.tensor([1, 2]))
    assert torch.equal(pair.table.weight, before)
