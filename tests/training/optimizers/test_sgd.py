import pytest
import torch

from recsys.training.optimizers import row_rule
from recsys.training.optimizers.sgd import SGD, SGDRule
from tests.training.optimizers.tables import Pair, always_by_rows, ids_of_steps


@pytest.fixture
def always(monkeypatch):
    always_by_rows(monkeypatch)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"momentum": 0.9},
        {"weight_decay": 0.05},
        {"momentum": 0.9, "weight_decay": 0.05, "dampening": 0.2},
        {"momentum": 0.9, "weight_decay": 0.05, "nesterov": True},
    ],
)
def test_sgd_of_touched_rows_equals_sgd_of_all_rows(always, settings):
    pair = Pair(SGD, torch.optim.SGD, lr=0.1, **settings)
    for number, ids in enumerate(ids_of_steps(120)):
        if number == 60:
            for optimizer in (pair.optimizer, pair.dense):
                optimizer.param_groups[0]["lr"] = 0.03
        pair.step(ids, 0.1, used_twice=number % 3 == 0)
    assert pair.table.weight.grad.is_sparse
    assert pair.difference() < 1e-12


def test_compiled_loops_are_for_rows_that_stay_when_they_have_no_gradient(always):
    pytest.importorskip("numba")
    weight = torch.zeros(2, 2)
    assert SGDRule(momentum=False, still=True).kernels(weight) is not None
    assert SGDRule(momentum=False, still=False).kernels(weight) is None
    assert SGDRule(momentum=True, still=False).kernels(weight) is None
    assert SGDRule(momentum=False, still=True).kernels(weight.to(torch.bfloat16)) is None


def test_plain_sgd_equals_that_of_all_rows_without_compiled_loops(always, monkeypatch):
    monkeypatch.setattr(row_rule, "find_spec", lambda name: None)
    pair = Pair(SGD, torch.optim.SGD, lr=0.1)
    for ids in ids_of_steps(20):
        pair.step(ids, 0.1)
    assert pair.difference() < 1e-12


def test_a_gradient_to_climb_updates_all_rows():
    assert Pair(SGD, torch.optim.SGD, lr=0.1, maximize=True).table.keeper is None
