from functools import partial
from typing import Any

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from recsys.errors import ModelError, RunError, SettingsError
from recsys.models.interface.protocols import FoldsIn, ScoringModel
from recsys.training.fitting import fit
from recsys.training.losses import (
    LogisticLoss,
)
from recsys.training.module import RecommenderModule, require
from recsys.training.negatives import UniformNegatives
from recsys.training.sampled_negatives import SampledNegativesModule
from tests.training.recipes import INTERACTIONS, SPLIT, TRAIN, mf, run, sampled


def test_a_loss_that_is_no_number_stops_with_advice(tmp_path):
    module = sampled(mf(), optimizer=partial(torch.optim.SGD, lr=1e30), validation=None)
    with pytest.raises(RunError, match="a finite loss is required. Lower training.optimizer.lr"):
        run(module, tmp_path, max_epochs=3, monitor=None)


class FirstAbsent(UniformNegatives):
    """Negatives without chance: the next item, which on the checkerboard is of the other colour."""

    def draw(self, users, generator):
        return ((users + 1) % 2)[:, None].expand(-1, self.num_negatives)


def test_several_steps_in_a_call_train_as_one_step_in_each(tmp_path, monkeypatch):
    many = sampled(mf(), validation=None, negative_sampler=FirstAbsent())
    run(many, tmp_path / "many", max_epochs=2, monitor=None)
    monkeypatch.setattr("recsys.training.sampled_negatives.STEPS_PER_CALL", 1)
    single = sampled(mf(), validation=None, negative_sampler=FirstAbsent())
    run(single, tmp_path / "single", max_epochs=2, monitor=None)
    torch.testing.assert_close(many.network.state_dict(), single.network.state_dict())


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
    whole = module.manual_backward

    def counted(loss: torch.Tensor) -> None:
        called.append(loss)
        whole(loss)

    monkeypatch.setattr(module, "manual_backward", counted)
    trainer = partial(pl.Trainer, max_epochs=1, accelerator="cpu", devices=1, precision=precision)
    fit(module, trainer, tmp_path, monitor=None)
    assert len(called) == calls


def test_empty_training_data_are_refused():
    with pytest.raises(SettingsError, match="needs at least one interaction"):
        SampledNegativesModule(
            mf(), INTERACTIONS.take(SPLIT.train[:0]), 1, torch.optim.Adam, UniformNegatives(), LogisticLoss()
        )


def test_empty_batches_are_refused():
    with pytest.raises(SettingsError, match="batch_size=0"):
        sampled(mf(), batch_size=0)


def test_what_a_model_cannot_do_is_said_with_a_remedy():
    with pytest.raises(ModelError, match="Folding in needs a model that is FoldsIn, but MF is not. Choose another"):
        require(mf(), FoldsIn, "Folding in")
    network = mf()
    assert require(network, ScoringModel, "Validation") is network


def test_a_network_that_does_not_score_is_refused():
    with pytest.raises(ModelError, match="Validation needs a model that is ScoringModel, but Linear is not"):
        sampled(torch.nn.Linear(1, 1))


def test_an_optimiser_that_refuses_its_settings_is_told_by_its_key():
    module = sampled(mf(), optimizer=partial(torch.optim.Adam, lr=-1.0))
    with pytest.raises(SettingsError, match=r"Invalid learning rate: -1.0\). Correct training.optimizer"):
        module.configure_optimizers()


def test_a_schedule_is_made_of_the_optimiser():
    schedule = partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.5)
    made = sampled(mf(), scheduler=schedule).configure_optimizers()
    assert made["lr_scheduler"].optimizer is made["optimizer"]
    assert isinstance(sampled(mf()).configure_optimizers(), torch.optim.Adam)


def test_a_schedule_steps_once_an_epoch_and_not_once_a_step(tmp_path):
    module = sampled(
        mf(),
        optimizer=partial(torch.optim.SGD, lr=1.0),
        scheduler=partial(torch.optim.lr_scheduler.ExponentialLR, gamma=0.5),
        validation=None,
    )
    run(module, tmp_path, max_epochs=2, monitor=None)
    assert module.lr_schedulers().get_last_lr() == [0.25]


def test_validation_names_what_it_measures():
    assert "valid/ndcg@3" in sampled(mf(), validation_ks=(3, 5)).validation_metrics
    assert all("@10" not in name for name in sampled(mf(), validation_ks=(3, 5)).validation_metrics)


def test_validation_goes_over_the_users_with_held_out_items():
    slices = list(sampled(mf(), validation_batch_size=25).val_dataloader())
    assert [len(users) for users in slices] == [25, 15]
    assert torch.cat(slices).tolist() == list(range(40))


def test_there_is_nothing_to_validate_without_a_task():
    assert list(sampled(mf(), validation=None).val_dataloader()) == []


class MeanOfRows(RecommenderModule):
    """The loss of a step is the mean of its rows."""

    def train_dataloader(self):
        return DataLoader([(torch.tensor([1.0, 3.0, 7.0, 9.0, 30.0]),)], batch_size=None)

    def loss(self, batch):
        (rows,) = batch
        return rows.mean() + 0 * self.network.global_bias.sum()


def test_the_loss_of_an_epoch_is_the_mean_of_its_steps(tmp_path):
    module = MeanOfRows(mf(), TRAIN, 2, partial(torch.optim.SGD, lr=0.0))
    assert module.mean_loss() == 0.0  # before any step
    report = run(module, tmp_path, max_epochs=1, monitor=None)
    # steps of two rows: 2, 8 and the last one, 30
    assert report.epochs[0]["train/loss"] == module.mean_loss() == pytest.approx((2 + 8 + 30) / 3)


def test_the_randomness_of_an_epoch_depends_on_the_seed_alone():
    def drawn(seed: int) -> list[int]:
        module = sampled(mf(), seed=seed)
        module.on_train_epoch_start()
        return torch.randint(10**6, (3,), generator=module.generator).tolist() + torch.randint(10**6, (3,)).tolist()

    assert drawn(1) == drawn(1)
    assert drawn(1)[:3] != drawn(2)[:3] and drawn(1)[3:] != drawn(2)[3:]
