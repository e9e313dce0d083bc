import torch

from recsys.models.layers import embedding
from recsys.models.layers.embedding import Embedding, tables_are_whole
from recsys.models.layers.sharded_embedding import ShardedEmbedding, replace_tables, sharded_tables


def test_one_rank_has_all_rows_and_the_same_vectors_and_gradients(monkeypatch):
    monkeypatch.setattr(embedding, "_whole", True)
    torch.manual_seed(0)
    table, ids = Embedding(7, 3), torch.tensor([[0, 5], [5, 6]])
    divided = ShardedEmbedding(table)
    for each in (table, divided):
        (each(ids).square().sum() + each.table().sum()).backward()
    assert torch.equal(divided(ids), table(ids))
    assert torch.equal(divided.weight.grad, table.weight.grad)
    assert torch.equal(divided.whole(), table.weight)


def test_tables_of_a_network_are_divided_and_brought_together(monkeypatch):
    monkeypatch.setattr(embedding, "_whole", True)
    network = torch.nn.Sequential(Embedding(4, 2), torch.nn.Linear(2, 1))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    replace_tables(network, sharded=True)
    assert list(sharded_tables(network)) == ["0"] and not tables_are_whole()
    replace_tables(network, sharded=False)
    assert type(network[0]) is Embedding and tables_are_whole()
    assert all(torch.equal(network.state_dict()[name], value) for name, value in before.items())


def test_open_tables_are_whole_until_they_are_closed():
    divided = ShardedEmbedding(Embedding(4, 2))
    block = divided.weight.data_ptr()
    divided.open()
    assert divided.is_whole and divided.block.data_ptr() == block
    divided.close()
    assert not divided.is_whole and divided.weight.data_ptr() == block
