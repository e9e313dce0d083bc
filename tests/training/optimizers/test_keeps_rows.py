import copy

import pytest
import torch
from torch import nn

from recsys.models.layers.embedding import Embedding
from recsys.training.optimizers.adagrad import Adagrad
from recsys.training.optimizers.adam import Adam, AdamW
from recsys.training.optimizers.sgd import SGD
from tests.training.optimizers.tables import Pair, always_by_rows, ids_of_steps

OPTIMIZERS = [
    (Adam, torch.optim.Adam, {"lr": 0.01}),
    (AdamW, torch.optim.AdamW, {"lr": 0.01, "weight_decay": 0.1}),
    (SGD, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}),
    (Adagrad, torch.optim.Adagrad, {"lr": 0.1}),
]


@pytest.fixture(autouse=True)
def by_rows(monkeypatch):
    always_by_rows(monkeypatch)


@pytest.mark.parametrize(("ours", "theirs", "settings"), OPTIMIZERS)
def test_its_state_is_that_of_pytorch_and_either_goes_on_from_it(ours, theirs, settings):
    pair = Pair(ours, theirs, **settings)
    steps = ids_of_steps(200)
    for ids in steps[:150]:
        pair.step(ids, 1e-3)
    state = copy.deepcopy(pair.optimizer.state_dict())
    assert state["state"].keys() == pair.dense.state_dict()["state"].keys()
    for name, value in pair.dense.state_dict()["state"][0].items():
        torch.testing.assert_close(state["state"][0][name], value, rtol=1e-6, atol=1e-12)
    resumed = Pair(ours, theirs, **settings)
    for table in (resumed.table, resumed.reference):
        table.load_state_dict(pair.table.state_dict())
    resumed.optimizer.load_state_dict(copy.deepcopy(state))
    resumed.dense.load_state_dict(copy.deepcopy(state))
    for ids in steps[150:]:
        pair.step(ids, 1e-3)
        resumed.step(ids, 1e-3)
    assert resumed.table.weight.grad.is_sparse
    assert resumed.difference() < 5e-9
    pair.optimizer.catch_up_all()
    assert torch.equal(resumed.table.weight, pair.table.weight)  # as if it had never been interrupted


@pytest.mark.parametrize(("ours", "theirs", "settings"), OPTIMIZERS)
def test_steps_with_a_dense_gradient_and_steps_without_any_are_taken_in_between(ours, theirs, settings):
    pair = Pair(ours, theirs, **settings)
    for number, ids in enumerate(ids_of_steps(220)):
        if number % 50 == 49:
            for table, optimizer in ((pair.table, pair.optimizer), (pair.reference, pair.dense)):
                optimizer.zero_grad()
                if number % 100 == 49:
                    weight = table.table() if table is pair.table else table.weight
                    (1e-3 * weight.square().sum()).backward()
                optimizer.step()
        else:
            pair.step(ids, 1e-3)
    assert pair.difference() < 5e-9


def test_other_parameters_are_updated_as_always():
    torch.manual_seed(0)
    network = nn.ModuleDict({"table": Embedding(30, 2), "layer": nn.Linear(2, 1)})
    other = copy.deepcopy(network)
    ours, theirs = Adam(network.parameters(), lr=0.1), torch.optim.Adam(other.parameters(), lr=0.1)
    ours.keep(network["table"])
    for _ in range(140):
        for each, optimizer in ((network, ours), (other, theirs)):
            optimizer.zero_grad()
            each["layer"](each["table"](torch.tensor([1, 4]))).square().sum().backward()
            optimizer.step()
    assert network["table"].weight.grad.is_sparse
    torch.testing.assert_close(network["layer"].state_dict(), other["layer"].state_dict())


def test_a_table_is_left_whole_and_alone():
    pair = Pair(SGD, torch.optim.SGD, lr=0.1, momentum=0.9)
    for ids in ids_of_steps(20):
        pair.step(ids, 0.1)
    pair.optimizer.release()
    assert pair.table.keeper is None
    torch.testing.assert_close(pair.table.weight, pair.reference.weight)
    pair.step(torch.tensor([1]), 0.1)
    assert not pair.table.weight.grad.is_sparse


def test_a_table_of_others_is_not_kept():
    optimizer = Adam(nn.Linear(1, 1).parameters(), lr=0.1)
    table = Embedding(3, 1)
    optimizer.keep(table)
    assert table.keeper is None
