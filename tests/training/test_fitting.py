from functools import partial

import pytest
import pytorch_lightning as pl
import torch

from recsys.errors import RunError
from recsys.evaluation.ranked_batch import rank_users
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.mf import MF
from recsys.training.fitting import fit
from recsys.training.losses import (
    BPRLoss,
    LogisticLoss,
    SampledSoftmaxLoss,
    SquaredLoss,
    WeightedLogisticLoss,
)
from recsys.training.negatives import PopularityNegatives, UniformNegatives
from recsys.training.reports.fit_report import REPORT
from recsys.training.sampled_negatives import SampledNegativesModule
from tests.checkerboard import checkerboard
from tests.training.recipes import INTERACTIONS, SPLIT, full, mf, neumf, run, sampled


def hit_rate_among_first(network: torch.nn.Module, k: int) -> float:
    task = RankingTask.from_split(INTERACTIONS, SPLIT, "test")
    return rank_users(network.eval(), task, task.users, k).hits.any(1).float().mean().item()


RECIPES = {
    "mf, logistic, uniform negatives": lambda: sampled(mf()),
    "mf, BPR, popular negatives": lambda: sampled(mf(), loss=BPRLoss(), negative_sampler=PopularityNegatives(2)),
    "mf, sampled softmax": lambda: sampled(mf(), loss=SampledSoftmaxLoss(), negative_sampler=UniformNegatives(8)),
    "neumf, logistic": lambda: sampled(neumf()),
    "mf, softmax over the catalogue": lambda: full(mf()),
    "mf, weighted logistic over the catalogue": lambda: full(mf(), catalogue_loss=WeightedLogisticLoss()),
    "mf, squared error over the catalogue": lambda: full(mf(), catalogue_loss=SquaredLoss(0.1), l2=0.001),
    "neumf, softmax over the catalogue": lambda: full(neumf()),
}


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES.keys())
def test_recovers_the_checkerboard(recipe, tmp_path):
    module = recipe()
    run(module, tmp_path, max_epochs=40, patience=10)
    # The held-out item of a user is the only unseen one of its colour once validation is seen as well.
    assert hit_rate_among_first(module.network, 1) > 0.95


@pytest.mark.parametrize("recipe", ["neumf, logistic", "mf, softmax over the catalogue"])
def test_same_seed_gives_the_same_weights(recipe, tmp_path):
    weights = []
    for attempt in ("a", "b"):
        module = RECIPES[recipe]()
        run(module, tmp_path / attempt, max_epochs=2)
        weights.append(module.network.state_dict())
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_another_seed_gives_other_weights(tmp_path):
    first, second = sampled(mf(), seed=1), sampled(mf(), seed=2)
    run(first, tmp_path / "a", max_epochs=1)
    run(second, tmp_path / "b", max_epochs=1)
    assert not torch.equal(first.network.item_vectors.weight, second.network.item_vectors.weight)


class StopsAfter(pl.Callback):
    """Breaks off the training after the steps of an epoch, before it can be saved, as a killed process would."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        if trainer.current_epoch == self.epoch:
            raise RuntimeError("power cut")


@pytest.mark.parametrize(
    "make", [lambda **options: sampled(neumf(), **options), lambda **options: full(mf(), **options)]
)
def test_interrupted_and_resumed_training_gives_the_weights_of_an_uninterrupted_one(make, tmp_path):
    schedule = partial(torch.optim.lr_scheduler.CosineAnnealingLR, T_max=6)
    whole = make(scheduler=schedule)
    report = run(whole, tmp_path / "whole", max_epochs=6, patience=5)

    def interrupted_trainer(callbacks, **options):
        return pl.Trainer(max_epochs=6, accelerator="cpu", devices=1, callbacks=[*callbacks, StopsAfter(3)], **options)

    with pytest.raises(RuntimeError, match="power cut"):
        fit(make(scheduler=schedule), interrupted_trainer, tmp_path / "cut", monitor="valid/ndcg@10", patience=5)
    torch.manual_seed(999)  # another process has another global state
    resumed = make(scheduler=schedule)
    resumed_report = run(resumed, tmp_path / "cut", max_epochs=6, patience=5, resume=True)

    assert [row["epoch"] for row in resumed_report.epochs] == [row["epoch"] for row in report.epochs]
    assert [row["train/loss"] for row in resumed_report.epochs] == [row["train/loss"] for row in report.epochs]
    assert resumed_report.best_epoch == report.best_epoch
    expected = whole.network.state_dict()
    actual = resumed.network.state_dict()
    assert all(torch.equal(actual[name], expected[name]) for name in expected)


def test_what_was_trained_to_its_end_is_read_back_and_not_trained_again(tmp_path):
    first = sampled(mf())
    report = run(first, tmp_path, max_epochs=3)
    again = sampled(mf())
    lines: list[str] = []
    assert run(again, tmp_path, max_epochs=3, resume=True, print_line=lines.append) == report
    assert lines == []
    assert torch.equal(again.network.item_vectors.weight, first.network.item_vectors.weight)


def test_double_precision_loses_no_digit_where_a_training_is_gone_on_with(tmp_path):
    def trained(place, max_epochs):
        module = sampled(mf())
        trainer = partial(pl.Trainer, max_epochs=max_epochs, accelerator="cpu", devices=1, precision="64-true")
        fit(module, trainer, tmp_path / place, monitor="valid/ndcg@10", resume=True)
        return module.network.state_dict()

    expected = trained("whole", 3)
    trained("cut", 2)
    (tmp_path / "cut" / REPORT).unlink()
    for found in (trained("cut", 3), trained("whole", 3)):  # and what was trained to its end is read back
        assert all(value.dtype == torch.float64 and torch.equal(found[key], value) for key, value in expected.items())


def test_keeps_the_weights_of_the_best_epoch(tmp_path):
    module = full(mf(), optimizer=partial(torch.optim.SGD, lr=1e3))  # diverges after a while, so that the last is bad
    report = run(module, tmp_path, max_epochs=4)
    values = [row["valid/ndcg@10"] for row in report.epochs]
    assert report.best_epoch == values.index(max(values)) + 1
    assert report.best_value == pytest.approx(max(values))


def test_stops_early_without_improvement(tmp_path):
    module = sampled(mf(), optimizer=partial(torch.optim.SGD, lr=0.0))
    report = run(module, tmp_path, max_epochs=50, patience=2)
    assert len(report.epochs) == 3


def test_without_validation_the_last_epoch_is_kept(tmp_path):
    report = run(sampled(mf(), validation=None), tmp_path, max_epochs=2, monitor=None)
    assert (report.best_epoch, report.best_value) == (2, None)
    assert all(not name.startswith("valid/") for row in report.epochs for name in row)


def test_checkpoint_of_another_data_set_is_refused(tmp_path):
    run(sampled(mf()), tmp_path, max_epochs=1)
    (tmp_path / "fit.json").unlink()
    other_interactions, _ = checkerboard(num_users=10, num_items=12)
    other = SampledNegativesModule(
        MF(10, 12, embedding_dim=8),
        other_interactions,
        batch_size=64,
        optimizer=partial(torch.optim.Adam, lr=0.02),
        negative_sampler=UniformNegatives(4),
        loss=LogisticLoss(),
    )
    with pytest.raises(RunError, match="does not fit this model .*size mismatch.* another data set"):
        run(other, tmp_path, max_epochs=2, monitor=None, resume=True)


def test_l2_keeps_the_vectors_short(tmp_path):
    for make in (sampled, full):
        free, held = make(mf(), validation=None), make(mf(), validation=None, l2=1.0)
        run(free, tmp_path / f"{make.__name__}-free", max_epochs=5, monitor=None)
        run(held, tmp_path / f"{make.__name__}-held", max_epochs=5, monitor=None)
        assert held.network.item_vectors.weight.norm() < 0.5 * free.network.item_vectors.weight.norm()


def test_mixed_precision_learns(tmp_path):
    module = sampled(neumf())
    trainer = partial(pl.Trainer, max_epochs=40, accelerator="cpu", devices=1, precision="bf16-mixed")
    fit(module, trainer, tmp_path, monitor="valid/ndcg@10", patience=10)
    assert hit_rate_among_first(module.network, 1) > 0.9


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_trains_on_a_gpu(tmp_path):
    module = sampled(neumf())
    fit(module, partial(pl.Trainer, max_epochs=40, accelerator="gpu", devices=1), tmp_path, monitor="valid/ndcg@10")
    assert hit_rate_among_first(module.network.cpu(), 1) > 0.95
