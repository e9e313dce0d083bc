import errno
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytorch_lightning as pl
import torch

from recsys.errors import RecsysError, RunError
from recsys.evaluation.ranked_batch import rank_users
from recsys.evaluation.ranking_task import RankingTask
from recsys.models.mf import MF
from recsys.models.neumf import NeuMF
from recsys.training.fitting import FitReport, fit
from recsys.training.full_catalogue import FullCatalogueModule
from recsys.training.losses import (
    BPRLoss,
    LogisticLoss,
    SampledSoftmaxLoss,
    SoftmaxLoss,
    SquaredLoss,
    WeightedLogisticLoss,
)
from recsys.training.module import RecommenderModule
from recsys.training.negatives import PopularityNegatives, UniformNegatives
from recsys.training.sampled_negatives import SampledNegativesModule
from tests.checkerboard import checkerboard

INTERACTIONS, SPLIT = checkerboard()
TRAIN = INTERACTIONS.take(SPLIT.train)
VALIDATION = partial(RankingTask.from_split, INTERACTIONS, SPLIT, "valid")


def mf() -> MF:
    torch.manual_seed(0)
    return MF(INTERACTIONS.num_users, INTERACTIONS.num_items, embedding_dim=8)


def neumf() -> NeuMF:
    torch.manual_seed(0)
    return NeuMF(INTERACTIONS.num_users, INTERACTIONS.num_items, embedding_dim=8, hidden_dims=(16, 8), dropout=0.1)


def sampled(network: torch.nn.Module, **options: Any) -> SampledNegativesModule:
    settings: dict[str, Any] = {
        "batch_size": 64,
        "optimizer": partial(torch.optim.Adam, lr=0.02),
        "negative_sampler": UniformNegatives(4),
        "loss": LogisticLoss(),
        "validation": VALIDATION,
        **options,
    }
    return SampledNegativesModule(network, TRAIN, **settings)


def full(network: torch.nn.Module, **options: Any) -> FullCatalogueModule:
    settings: dict[str, Any] = {
        "batch_size": 16,
        "optimizer": partial(torch.optim.Adam, lr=0.05),
        "catalogue_loss": SoftmaxLoss(),
        "validation": VALIDATION,
        **options,
    }
    return FullCatalogueModule(network, TRAIN, **settings)


def run(module: RecommenderModule, directory: Path, max_epochs: int, **options: Any) -> FitReport:
    settings: dict[str, Any] = {"monitor": "valid/ndcg@10", **options}
    trainer = partial(pl.Trainer, max_epochs=max_epochs, accelerator="cpu", devices=1)
    return fit(module, trainer, directory, **settings)


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


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before_it_intact(tmp_path, monkeypatch):
    run(sampled(mf()), tmp_path, max_epochs=1)
    before = (tmp_path / "last.ckpt").read_bytes()
    (tmp_path / "fit.json").unlink()

    def half_written(checkpoint, file):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="No space left"):
        patch.setattr("recsys.training.checkpoints.torch.save", half_written)
        run(sampled(mf()), tmp_path, max_epochs=2, resume=True)
    assert (tmp_path / "last.ckpt").read_bytes() == before
    assert not list(tmp_path.glob("*.partial"))
    assert len(run(sampled(mf()), tmp_path, max_epochs=2, resume=True).epochs) == 2


def test_what_was_trained_to_its_end_is_read_back_and_not_trained_again(tmp_path):
    first = sampled(mf())
    report = run(first, tmp_path, max_epochs=3)
    again = sampled(mf())
    lines: list[str] = []
    assert run(again, tmp_path, max_epochs=3, resume=True, print_line=lines.append) == report
    assert lines == []
    assert torch.equal(again.network.item_vectors.weight, first.network.item_vectors.weight)


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


def test_each_epoch_gives_a_line_and_reaches_the_listener(tmp_path):
    lines: list[str] = []
    heard: list[int] = []
    run(sampled(mf()), tmp_path, 2, print_line=lines.append, listener=lambda epoch, metrics: heard.append(epoch))
    assert len(lines) == 2
    assert lines[0].startswith("epoch 1/2  loss ")
    assert "valid/ndcg@10" in lines[0]
    assert heard == [1, 2]


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


def test_a_loss_that_is_no_number_stops_with_advice(tmp_path):
    module = sampled(mf(), optimizer=partial(torch.optim.SGD, lr=1e30), validation=None)
    with pytest.raises(RunError, match="a finite loss is required. Lower training.optimizer.lr"):
        run(module, tmp_path, max_epochs=3, monitor=None)


def test_l2_keeps_the_vectors_short(tmp_path):
    for make in (sampled, full):
        free, held = make(mf(), validation=None), make(mf(), validation=None, l2=1.0)
        run(free, tmp_path / f"{make.__name__}-free", max_epochs=5, monitor=None)
        run(held, tmp_path / f"{make.__name__}-held", max_epochs=5, monitor=None)
        assert held.network.item_vectors.weight.norm() < 0.5 * free.network.item_vectors.weight.norm()


def test_full_catalogue_loss_is_one_for_each_positive_and_l2_is_scaled_by_frequency():
    network = mf()
    constant = lambda scores, rows, items, counts: counts.sum() * 2.0  # noqa: E731  a loss of 2 for each positive
    module = full(network, l2=0.1, l2_unobserved=0.5, catalogue_loss=constant)
    module.train_dataloader()
    users, items, pairs = INTERACTIONS.num_users, INTERACTIONS.num_items, len(TRAIN)
    user_weight = torch.bincount(torch.from_numpy(TRAIN.user_index), minlength=users) + 0.5 * items
    item_weight = torch.bincount(torch.from_numpy(TRAIN.item_index), minlength=items) + 0.5 * users
    penalty = (network.user_vectors.weight.square().sum(1) * user_weight).sum()
    penalty = penalty + (network.item_vectors.weight.square().sum(1) * item_weight).sum()
    expected = 2.0 + 0.1 * penalty / pairs
    torch.testing.assert_close(module.loss((torch.arange(users),)), expected)
    # Two halves give the same on average: nothing depends on the size of the batches.
    halves = [module.loss((half,)) for half in torch.arange(users).chunk(2)]
    torch.testing.assert_close((halves[0] + halves[1]) / 2, expected)


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


class FirstAbsent(UniformNegatives):
    """Negatives without chance: the next item, which on the checkerboard is of the other colour."""

    def draw(self, users, generator):
        return ((users + 1) % 2)[:, None].expand(-1, self.num_negatives)


def test_empty_training_data_are_refused():
    with pytest.raises(RecsysError, match="needs at least one interaction"):
        SampledNegativesModule(
            mf(), INTERACTIONS.take(SPLIT.train[:0]), 1, torch.optim.Adam, UniformNegatives(), LogisticLoss()
        )


def test_empty_batches_are_refused():
    with pytest.raises(RecsysError, match="batch_size=0"):
        sampled(mf(), batch_size=0)
