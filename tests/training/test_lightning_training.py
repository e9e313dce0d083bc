from functools import partial
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from recsys.errors import RunError
from recsys.training.fitting import fit
from recsys.training.lightning_training import LightningTraining
from recsys.training.losses import LogisticLoss
from recsys.training.module import RecommenderModule
from recsys.training.negatives import UniformNegatives
from recsys.training.sampled_negatives import SampledNegativesModule
from tests.training.recipes import INTERACTIONS, TRAIN, mf, run, sampled


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


def test_a_callback_hears_of_every_backward_pass_and_changes_nothing(tmp_path):
    counts = CountsBackwards()

    def listening(callbacks: list[pl.Callback], **options: Any) -> pl.Trainer:
        return pl.Trainer(callbacks=[*callbacks, counts], max_epochs=2, accelerator="cpu", devices=1, **options)

    heard, unheard = sampled(mf()), sampled(mf())
    fit(heard, listening, tmp_path / "heard", monitor=None)
    run(unheard, tmp_path / "unheard", max_epochs=2, monitor=None)
    assert counts.count == 2 * -(-len(TRAIN) // 64)
    for one, other in zip(heard.network.parameters(), unheard.network.parameters(), strict=True):
        assert torch.equal(one, other)


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


def test_validation_goes_over_the_users_with_held_out_items():
    places = list(LightningTraining(sampled(mf(), validation_batch_size=25)).val_dataloader())
    assert places == [slice(0, 25), slice(25, 40)]


def validated(module, said):
    training = LightningTraining(module)
    training.print_line = said.append
    training.val_dataloader()
    return training._validation_task.users


def test_validation_of_a_sample_is_said_and_is_the_same_for_a_seed():
    said = []
    first, again, other = (validated(sampled(mf(), validation_users=10, seed=seed), said) for seed in (1, 1, 2))
    assert first.equal(again) and not first.equal(other)
    assert len(first) == 10
    assert said[0] == (
        "validation ranks for a sample of 10 of 40 users, the same in each epoch (training.validation_users=10)"
    )


def test_validation_that_takes_more_than_an_epoch_is_of_a_sample(monkeypatch):
    said = []
    assert len(validated(sampled(mf()), said)) == 40 and said == []
    monkeypatch.setattr("recsys.training.validation_sample.MIN_USERS", 5)
    monkeypatch.setattr(SampledNegativesModule, "epoch_cost", lambda self: 12.0 * INTERACTIONS.num_items)
    assert len(validated(sampled(mf()), said)) == 12
    assert "for all it would take 3.3 times an epoch. training.validation_users=40 takes all." in said[0]


def test_there_is_nothing_to_validate_without_a_task():
    assert list(LightningTraining(sampled(mf(), validation=None)).val_dataloader()) == []


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
