from functools import partial
from typing import Any

import pytest

pytest.importorskip("numba")

import pytorch_lightning as pl
import torch
from torch import nn

from recsys.models.neumf import NeuMF
from recsys.training.fitting import fit
from recsys.training.fused import choice
from recsys.training.fused.tower_steps import TowerSteps
from recsys.training.losses import BPRLoss, LogisticLoss
from recsys.training.optimizers.adagrad import Adagrad
from recsys.training.optimizers.adam import Adam, AdamW
from recsys.training.optimizers.sgd import SGD
from tests.training.fused.test_steps import Calls
from tests.training.fused.test_towers import network
from tests.training.optimizers.tables import always_by_rows
from tests.training.recipes import TRAIN, sampled

OPTIMIZERS = {
    "sgd": partial(SGD, lr=0.5),
    "momentum": partial(SGD, lr=0.1, momentum=0.9),
    "adagrad": partial(Adagrad, lr=0.1),
    "adam": partial(Adam, lr=0.02),
    "decayed": partial(Adam, lr=0.02, weight_decay=0.1),
    "adamw": partial(AdamW, lr=0.02, weight_decay=0.1, betas=(0.8, 0.99), eps=1e-6),
}


@pytest.fixture(autouse=True)
def always(monkeypatch):
    monkeypatch.setattr(choice, "LEAST_PAIRS", 0)


def trained(tmp_path, optimizer, loss: nn.Module, dropout: float):
    model = network("neumf", dropout=dropout)
    made, counted = sampled(model, loss=loss, optimizer=optimizer, l2=0.1, validation=None), Calls()

    def trainer(callbacks, **options):
        return pl.Trainer(max_epochs=3, accelerator="cpu", devices=1, callbacks=[*callbacks, counted], **options)

    report = fit(made, trainer, tmp_path, monitor=None)
    losses = [row["train/loss"] for row in report.epochs]
    return torch.cat([weight.detach().flatten() for weight in model.parameters()]), losses, counted.steps


@pytest.mark.parametrize("by_rows", [False, True])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_training_ends_as_one_of_single_steps(name, by_rows, tmp_path, monkeypatch):
    if by_rows:
        always_by_rows(monkeypatch)
    loss, dropout = (BPRLoss(), 0.0) if by_rows else (LogisticLoss(), 0.4)
    taken: list[Any] = []
    take = TowerSteps.take
    monkeypatch.setattr(TowerSteps, "take", lambda self, *rows: taken.append(take(self, *rows)) or taken[-1])
    found = trained(tmp_path / "whole", OPTIMIZERS[name], loss, dropout)
    assert taken
    monkeypatch.setattr(TowerSteps, "possible", lambda self, *sizes: False)
    expected = trained(tmp_path / "single", OPTIMIZERS[name], loss, dropout)
    torch.testing.assert_close(found[0], expected[0])
    assert found[1] == pytest.approx(expected[1])
    assert found[2] == expected[2] > 0


def steps(model: nn.Module) -> TowerSteps:
    made = sampled(model, loss=BPRLoss(), optimizer=OPTIMIZERS["adam"], validation=None)
    kept = made.configure_optimizers()
    for table in made.row_tables():
        kept.keep(table)
    return TowerSteps(made._fused, kept)


def test_they_are_for_networks_that_are_towers_and_no_more():
    class WithMore(NeuMF):
        def __init__(self) -> None:
            super().__init__(TRAIN.num_users, TRAIN.num_items, embedding_dim=4)
            self.more = nn.Parameter(torch.zeros(1))

    assert steps(network("neumf")).possible(4, 2)
    assert not steps(WithMore()).possible(4, 2)
    assert not steps(network("neumf", dropout=1.0)).possible(4, 2)
    frozen = network("neumf")
    frozen.gmf.output.bias.requires_grad_(False)
    assert not steps(frozen).possible(4, 2)


def test_rows_that_are_not_in_a_table_are_refused():
    taking = steps(network("neumf"))
    with pytest.raises(IndexError, match="not in the table of its vectors"):
        taking.take(torch.tensor([0, 10**6]), torch.tensor([[0, 1], [0, 1]]), 2)
    assert taking.take(torch.tensor([0, 0]), torch.tensor([[0, 1], [0, 1]]), 2) > 0
