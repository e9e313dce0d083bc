from functools import partial
from typing import Any

import pytest

pytest.importorskip("numba")

import pytorch_lightning as pl
import torch
from torch import nn

from recsys.models.mf import MF
from recsys.training.fitting import fit
from recsys.training.fused import choice
from recsys.training.fused.steps import FusedSteps
from recsys.training.losses import BPRLoss, LogisticLoss
from recsys.training.optimizers.adam import Adam, AdamW
from recsys.training.optimizers.sgd import SGD
from recsys.training.sampled_negatives import SampledNegativesModule
from tests.training.fused.test_pairs import network
from tests.training.recipes import TRAIN, sampled

OPTIMIZERS = {
    "sgd": partial(SGD, lr=0.5),
    "adam": partial(Adam, lr=0.02),
    "adamw": partial(AdamW, lr=0.02, weight_decay=0.1, betas=(0.8, 0.99), eps=1e-6),
}


class Calls(pl.Callback):
    """Notes how many steps Lightning knows of."""

    def on_train_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self.steps = trainer.global_step


@pytest.fixture(autouse=True)
def always(monkeypatch):
    monkeypatch.setattr(choice, "LEAST_PAIRS", 0)


def trained(tmp_path, optimizer, model: nn.Module, loss: nn.Module, epochs: int = 3, callbacks=()):
    made: SampledNegativesModule = sampled(model, loss=loss, optimizer=optimizer, l2=0.1, validation=None)
    counted = Calls()

    def trainer(callbacks, **options):
        return pl.Trainer(
            max_epochs=epochs, accelerator="cpu", devices=1, callbacks=[*callbacks, counted, *more], **options
        )

    more = list(callbacks)
    report = fit(made, trainer, tmp_path, monitor=None)
    losses = [row["train/loss"] for row in report.epochs]
    return torch.cat([weight.detach().flatten() for weight in model.parameters()]), losses, counted.steps


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("loss", [BPRLoss(), LogisticLoss()], ids=lambda loss: type(loss).__name__)
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_training_ends_as_one_of_single_steps(name, loss, biases, tmp_path, monkeypatch):
    taken = []
    take = FusedSteps.take
    monkeypatch.setattr(FusedSteps, "take", lambda self, *rows: taken.append(take(self, *rows)) or taken[-1])
    found = trained(tmp_path / "whole", OPTIMIZERS[name], network(biases=biases), loss)
    assert taken
    monkeypatch.setattr(FusedSteps, "possible", lambda self, *sizes: False)
    expected = trained(tmp_path / "single", OPTIMIZERS[name], network(biases=biases), loss)
    torch.testing.assert_close(found[0], expected[0])
    assert found[1] == pytest.approx(expected[1])
    assert found[2] == expected[2] > 0


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_single_steps_go_on_from_whole_ones(name, tmp_path, monkeypatch):
    """The optimiser's state is PyTorch's own, whoever has taken the steps before."""

    def ends(pattern: list[bool], directory: str) -> torch.Tensor:
        answers = iter(pattern * 100)
        monkeypatch.setattr(FusedSteps, "possible", lambda self, *sizes: next(answers))
        return trained(tmp_path / directory, OPTIMIZERS[name], network(), BPRLoss(), epochs=4)[0]

    torch.testing.assert_close(ends([True, False], "mixed"), ends([False], "single"))


def test_where_somebody_listens_steps_are_taken_one_by_one(tmp_path, monkeypatch):
    class Listens(pl.Callback):
        def on_after_backward(self, *_: Any) -> None:
            self.heard = True

    monkeypatch.setattr(FusedSteps, "take", None)
    listens = Listens()
    trained(tmp_path, OPTIMIZERS["sgd"], network(), BPRLoss(), callbacks=[listens])
    assert listens.heard


def possible(optimizer, model: MF, num_positives: int = 4) -> bool:
    made = sampled(model, loss=BPRLoss(), optimizer=optimizer, validation=None)
    kept = made.configure_optimizers()
    for table in made.row_tables():
        kept.keep(table)
    return FusedSteps(made._fused, kept).possible(num_positives, 2)


def test_they_are_for_plain_descent_and_for_adam_where_whole_tables_cost_less():
    assert possible(OPTIMIZERS["sgd"], network())
    assert possible(OPTIMIZERS["adam"], network())
    assert not possible(partial(SGD, lr=0.1, momentum=0.9), network())
    assert not possible(partial(Adam, lr=0.1, weight_decay=0.1), network())
    assert not possible(OPTIMIZERS["sgd"], network(dropout=0.5))
    assert not possible(OPTIMIZERS["adam"], MF(10**5, TRAIN.num_items, embedding_dim=64))


def test_a_network_with_more_than_its_tables_takes_single_steps():
    class WithMore(MF):
        def __init__(self) -> None:
            super().__init__(TRAIN.num_users, TRAIN.num_items, embedding_dim=4)
            self.more = nn.Parameter(torch.zeros(1))

    assert not possible(OPTIMIZERS["sgd"], WithMore())


@pytest.mark.parametrize("name", ["sgd", "adam"])
def test_rows_that_are_not_in_a_table_are_refused(name):
    made = sampled(network(), loss=BPRLoss(), optimizer=OPTIMIZERS[name], validation=None)
    kept = made.configure_optimizers()
    for table in made.row_tables():
        kept.keep(table)
    steps = FusedSteps(made._fused, kept)
    with pytest.raises(IndexError, match="not in the table of its vectors"):
        steps.take(torch.tensor([0, 10**6]), torch.tensor([[0, 1], [0, 1]]), 2)
    assert steps.take(torch.tensor([0, 0]), torch.tensor([[0, 1], [0, 1]]), 2) > 0
