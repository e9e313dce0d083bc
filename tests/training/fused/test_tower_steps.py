from functools import partial
from typing import Any

import pytest

pytest.importorskip("numba")

import pytorch_lightning as pl
import torch
from torch import nn

from recsys.models.neumf import NeuMF
from recsys.training.fitting import fit
from recsys.training.fused import choice, tower_adam
from recsys.training.fused.tower_steps import TowerSteps
from recsys.training.losses import BPRLoss, LogisticLoss
from recsys.training.optimizers.adagrad import Adagrad
from recsys.training.optimizers.adam import Adam, AdamW
from recsys.training.optimizers.sgd import SGD
from recsys.training.reports.fit_report import REPORT
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


def schedule(optimizer):
    return torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5)


def fitted(tmp_path, max_epochs: int, resume: bool = False, **options: Any) -> nn.Module:
    made = sampled(network("neumf", **options.pop("of_network", {})), validation=None, scheduler=schedule, **options)
    trainer = partial(pl.Trainer, max_epochs=max_epochs, accelerator="cpu", devices=1)
    fit(made, trainer, tmp_path, monitor=None, resume=resume)
    return made.network


@pytest.mark.parametrize(
    ("name", "batch_size"), [*((name, 13) for name in OPTIMIZERS), ("adam", 1), ("adagrad", 1), ("decayed", 10**4)]
)
def test_a_training_with_a_schedule_ends_as_one_by_operators(name, batch_size, tmp_path, monkeypatch):
    monkeypatch.setattr(tower_adam, "_ROWS_OF_TOUCHED", 10**6)
    options = {"optimizer": OPTIMIZERS[name], "batch_size": batch_size, "loss": BPRLoss(), "l2": 0.01}
    found = fitted(tmp_path / "fused", 2, **options)
    monkeypatch.setattr(choice, "LEAST_PAIRS", 10**12)
    expected = fitted(tmp_path / "plain", 2, **options)
    for weight, wanted in zip(found.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(weight, wanted, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["adam", "adamw", "momentum"])
def test_a_training_that_goes_on_drops_what_an_uninterrupted_one_drops(name, tmp_path, monkeypatch):
    monkeypatch.setattr(tower_adam, "_ROWS_OF_TOUCHED", 10**6)
    options = {"optimizer": OPTIMIZERS[name], "batch_size": 4, "of_network": {"dropout": 0.4}}
    whole = fitted(tmp_path / "whole", 3, **options)
    fitted(tmp_path / "cut", 1, **options)
    (tmp_path / "cut" / REPORT).unlink()
    gone_on = fitted(tmp_path / "cut", 3, resume=True, **options)
    for weight, wanted in zip(gone_on.parameters(), whole.parameters(), strict=True):
        assert torch.equal(weight, wanted)
