from functools import partial
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from recsys.errors import RunError
from recsys.models.layers.embedding import Embedding
from recsys.training.fitting import fit
from recsys.training.fused import choice
from recsys.training.lightning_training import LightningTraining
from recsys.training.losses import LogisticLoss
from recsys.training.module import RecommenderModule
from recsys.training.negatives import UniformNegatives
from recsys.training.optimizers.adam import Adam
from recsys.training.optimizers.sgd import SGD
from recsys.training.sampled_negatives import SampledNegativesModule
from tests.training.recipes import TRAIN, mf, neumf, run, sampled


def test_a_loss_that_is_no_number_stops_with_advice(tmp_path):
    module = sampled(mf(), optimizer=partial(torch.optim.SGD, lr=1e30), validation=None)
    with pytest.raises(RunError, match="a finite loss is required. Lower training.optimizer.lr"):
        run(module, tmp_path, max_epochs=3, monitor=None)


class CountsBackwards(pl.Callback):
    """Counts the backward passes that Lightning tells of."""

    def __init__(self) -> None:
        self.count = 0

    def on_after_backward(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        self.count += 1


class CountsSteps(pl.Callback):
    """Counts the steps of the optimiser that Lightning tells of."""

    def __init__(self) -> None:
        self.count = 0

    def on_before_optimizer_step(
        self, trainer: pl.Trainer, pl_module: pl.LightningModule, optimizer: torch.optim.Optimizer
    ) -> None:
        self.count += 1


@pytest.mark.parametrize("counts", [CountsBackwards(), CountsSteps()], ids=lambda counts: type(counts).__name__)
def test_a_callback_hears_of_every_step_that_one_loop_would_take_and_changes_nothing(counts, tmp_path, monkeypatch):
    pytest.importorskip("numba")
    monkeypatch.setattr(choice, "LEAST_PAIRS", 0)

    def listening(callbacks: list[pl.Callback], **options: Any) -> pl.Trainer:
        return pl.Trainer(callbacks=[*callbacks, counts], max_epochs=2, accelerator="cpu", devices=1, **options)

    heard, unheard = (sampled(mf(), optimizer=partial(SGD, lr=0.1)) for _ in range(2))
    fit(heard, listening, tmp_path / "heard", monitor=None)
    run(unheard, tmp_path / "unheard", max_epochs=2, monitor=None)
    assert counts.count == 2 * -(-len(TRAIN) // 64)
    for one, other in zip(heard.network.parameters(), unheard.network.parameters(), strict=True):
        torch.testing.assert_close(one, other)  # loops add up in another order


@pytest.mark.parametrize(("precision", "calls"), [("32-true", 0), ("bf16-mixed", -(-len(TRAIN) // 64))])
def test_lightning_goes_backward_only_where_it_has_something_to_do(precision, calls, tmp_path, monkeypatch):
    module, called = sampled(mf()), []
    whole = LightningTraining.manual_backward

    def counted(training: LightningTraining, loss: torch.Tensor) -> None:
        called.append(loss)
        whole(training, loss)

    monkeypatch.setattr(LightningTraining, "manual_backward", counted)
    trainer = partial(pl.Trainer, max_epochs=1, accelerator="cpu", devices=1, precision=precision)
    fit(module, trainer, tmp_path, monitor=None)
    assert len(called) == calls


def test_a_schedule_steps_once_an_epoch_and_not_once_a_step(tmp_path):
    made: list[torch.optim.lr_scheduler.LRScheduler] = []

    def schedule(optimizer: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
        made.append(torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5))
        return made[-1]

    module = sampled(mf(), optimizer=partial(torch.optim.SGD, lr=1.0), scheduler=schedule, validation=None)
    run(module, tmp_path, max_epochs=2, monitor=None)
    assert made[-1].get_last_lr() == [0.25]


def test_a_schedule_hears_of_steps_that_one_loop_takes(tmp_path, monkeypatch):
    pytest.importorskip("numba")
    from recsys.training.fused.steps import FusedSteps

    monkeypatch.setattr(choice, "LEAST_PAIRS", 0)
    taken = []
    take = FusedSteps.take
    monkeypatch.setattr(FusedSteps, "take", lambda *arguments: taken.append(1) or take(*arguments))
    schedule = partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.5)
    module = sampled(mf(), optimizer=partial(Adam, lr=0.01), scheduler=schedule, validation=None)
    run(module, tmp_path, max_epochs=1, monitor=None)  # PyTorch would warn of a schedule that comes before the steps
    assert taken


class MeanOfRows(RecommenderModule):
    """The loss of a step is the mean of its rows."""

    def train_dataloader(self):
        return DataLoader([(torch.tensor([1.0, 3.0, 7.0, 9.0, 30.0]),)], batch_size=None)

    def loss(self, batch):
        (rows,) = batch
        return rows.mean() + 0 * self.network.global_bias.sum()


def test_the_loss_of_an_epoch_is_the_mean_of_its_steps(tmp_path):
    module = MeanOfRows(mf(), TRAIN, 2, partial(torch.optim.SGD, lr=0.0))
    report = run(module, tmp_path, max_epochs=1, monitor=None)
    # steps of two rows: 2, 8 and the last one, 30
    assert LightningTraining(module).mean_loss() == 0.0  # before any step
    assert report.epochs[0]["train/loss"] == pytest.approx((2 + 8 + 30) / 3)


def test_its_weights_are_those_of_the_module_by_the_same_names():
    module, other = sampled(mf()), sampled(mf())
    for parameter in other.network.parameters():
        parameter.data += 1.0
    training = LightningTraining(module)
    assert training.state_dict().keys() == module.state_dict().keys() >= {"network.item_vectors.weight"}
    training.load_state_dict(other.state_dict())
    torch.testing.assert_close(module.state_dict(), other.state_dict())


def test_products_have_the_precision_of_the_module_in_steps_alone(tmp_path):
    seen = []

    class Watched(SampledNegativesModule):
        def loss(self, batch):
            seen.append(torch.get_float32_matmul_precision())
            return super().loss(batch)

    before = torch.get_float32_matmul_precision()
    watched = Watched(mf(), TRAIN, 64, torch.optim.Adam, UniformNegatives(1), LogisticLoss())
    watched.product_precision = "high"
    run(watched, tmp_path, max_epochs=1, monitor=None)
    assert set(seen) == {"high"}
    assert torch.get_float32_matmul_precision() == before == "highest"


@pytest.fixture
def by_rows(monkeypatch):
    """Every table is updated by its touched rows, whatever its size."""
    monkeypatch.setattr("recsys.training.optimizers.table_rows._OVERHEAD", {"cpu": -(10**9), "cuda": 0})
    monkeypatch.setattr("recsys.training.optimizers.adam.AdamRule.first_step", 20)
    monkeypatch.setattr("recsys.training.optimizers.row_rule.find_spec", lambda name: None)


def trained(directory, network, optimizer, max_epochs=2):
    """The network after a training with validation by ``optimizer``, and what validation measured."""
    module = sampled(network, optimizer=partial(optimizer, lr=0.01), l2=0.01, batch_size=16)
    report = run(module, directory, max_epochs=max_epochs, resume=True)
    return module.network, [row["valid/ndcg@10"] for row in report.epochs]


@pytest.mark.parametrize("make", [mf, neumf])
def test_a_training_by_touched_rows_gives_the_weights_of_one_by_all_rows(make, tmp_path, by_rows):
    ours, our_metrics = trained(tmp_path / "rows", make(), Adam)
    theirs, their_metrics = trained(tmp_path / "all", make(), torch.optim.Adam)
    assert our_metrics == pytest.approx(their_metrics, abs=1e-3)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-4)
    assert all(table.keeper is None for table in ours.modules() if isinstance(table, Embedding))


def test_a_training_by_touched_rows_that_goes_on_gives_the_same_weights(tmp_path, by_rows):
    whole, _ = trained(tmp_path / "whole", mf(), Adam, max_epochs=2)
    trained(tmp_path / "parts", mf(), Adam, max_epochs=1)
    (tmp_path / "parts" / "fit.json").unlink()
    parts, _ = trained(tmp_path / "parts", mf(), Adam, max_epochs=2)
    for one, other in zip(whole.parameters(), parts.parameters(), strict=True):
        assert torch.equal(one, other)


def test_gradients_are_of_rows_where_that_costs_less(tmp_path, by_rows):
    module = sampled(mf(), optimizer=partial(SGD, lr=0.1), validation=None)
    seen = []
    whole = module.loss

    def loss(batch):
        seen.extend(type(table.keeper).__name__ for table in module.row_tables())
        return whole(batch)

    module.loss = loss
    run(module, tmp_path, max_epochs=1, monitor=None)
    assert set(seen) == {"TableRows"}


def test_what_is_compiled_has_no_tables_of_rows(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda function, **options: function)
    assert sampled(mf(), compile_network=True).row_tables() == []
    assert len(sampled(mf()).row_tables()) == 4
