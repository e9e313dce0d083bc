import pytest
import torch
from torch import distributed
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.tensor import DTensor, Shard

from recsys.distributed.ranks import Ranks, set_ranks
from recsys.models.layers import embedding
from recsys.models.layers.embedding import Embedding, tables_are_whole, trained_parameters
from recsys.models.layers.sharded_embedding import (
    ShardedEmbedding,
    divide_tables,
    join_tables,
    sharded_rows,
    sharded_tables,
)
from recsys.training.optimizers.adam import Adam


@pytest.fixture(autouse=True)
def mesh(monkeypatch):
    """Of this process alone; tests of several are in ``tests/training/ranks``."""
    monkeypatch.setattr(embedding, "_whole", True)
    distributed.init_process_group("gloo", store=distributed.HashStore(), rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    distributed.destroy_process_group()


def test_one_rank_has_all_rows_and_the_same_vectors_and_gradients(mesh):
    torch.manual_seed(0)
    table, ids = Embedding(7, 3), torch.tensor([[0, 5], [5, 6]])
    divided = ShardedEmbedding(table, mesh)
    for each in (table, divided):
        (each(ids).square().sum() + each.table().sum()).backward()
    assert torch.equal(divided(ids), table(ids))
    assert torch.equal(divided.trained_rows.grad, table.weight.grad)
    assert torch.equal(divided.whole(), table.weight)


def test_the_weight_is_a_dtensor_whose_rows_an_optimiser_updates(mesh):
    divided = ShardedEmbedding(Embedding(7, 3), mesh)
    assert isinstance(divided.weight, DTensor) and divided.weight.placements == (Shard(0),)
    optimizer = Adam(trained_parameters(divided), lr=0.1)
    optimizer.keep(divided)
    before = divided.whole().clone()
    divided(torch.tensor([2, 4])).sum().backward()
    optimizer.step()
    optimizer.release()
    changed = (divided.weight.full_tensor() != before).any(1)
    assert changed.tolist() == [False, False, True, False, True, False, False]


def test_a_table_in_another_precision_has_its_rows_there(mesh):
    divided = ShardedEmbedding(Embedding(7, 3), mesh)
    single = divided.trained_rows
    divided.double()
    assert divided.trained_rows.dtype == torch.float64 and divided.trained_rows is not single
    assert divided.trained_rows is divided.trained_rows


def test_tables_of_a_network_are_divided_and_brought_together(mesh):
    network = torch.nn.Sequential(Embedding(4, 2), torch.nn.Linear(2, 1))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    divide_tables(network, mesh)
    assert list(sharded_tables(network)) == ["0"] and not tables_are_whole()
    join_tables(network)
    assert type(network[0]) is Embedding and tables_are_whole()
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items())


def test_open_tables_are_whole_until_they_are_closed(mesh):
    divided = ShardedEmbedding(Embedding(4, 2), mesh)
    weight, block = divided.weight, divided.block.data_ptr()
    divided.open()
    assert divided.is_whole and divided.block.data_ptr() == block and not isinstance(divided.weight, DTensor)
    divided.close()
    assert not divided.is_whole and divided.weight is weight


@pytest.mark.parametrize("num_rows", [1, 5, 8, 9])
def test_rows_are_divided_as_torch_does(num_rows):
    try:
        found = []
        for rank in range(4):
            set_ranks(Ranks(rank, 4, rank, 4))
            rows = sharded_rows(num_rows)
            found.append(list(range(rows.start, rows.stop)))
    finally:
        set_ranks(Ranks())
    chunks = [chunk.tolist() for chunk in torch.arange(num_rows).chunk(4)]
    assert found == chunks + [[]] * (4 - len(chunks))
