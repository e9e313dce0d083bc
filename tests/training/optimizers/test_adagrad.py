import pytest
import torch

from recsys.training.optimizers.adagrad import Adagrad
from tests.training.optimizers.tables import Pair, always_by_rows, ids_of_steps


@pytest.fixture
def always(monkeypatch):
    always_by_rows(monkeypatch)


@pytest.mark.parametrize("settings", [{}, {"lr_decay": 0.01, "initial_accumulator_value": 0.1}])
def test_adagrad_of_touched_rows_equals_adagrad_of_all_rows(always, settings):
    pair = Pair(Adagrad, torch.optim.Adagrad, lr=0.1, **settings)
    for number, ids in enumerate(ids_of_steps(120)):
        pair.step(ids, 0.1, used_twice=number % 3 == 0)
    assert pair.table.weight.grad.is_sparse
    assert pair.difference() < 1e-12


def test_a_penalty_updates_all_rows():
    assert Pair(Adagrad, torch.optim.Adagrad, lr=0.1, weight_decay=0.1).table.keeper is None
