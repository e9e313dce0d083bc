from types import SimpleNamespace
from typing import Any

import pytest
import torch

from recsys.training.lightning_training import LightningTraining
from recsys.training.reports.epoch_history import EpochHistory
from tests.training.recipes import mf, run, sampled


def test_each_epoch_gives_a_line_and_reaches_the_listener(tmp_path):
    lines: list[str] = []
    heard: list[int] = []
    run(sampled(mf()), tmp_path, 2, print_line=lines.append, listener=lambda epoch, metrics: heard.append(epoch))
    assert len(lines) == 3
    assert lines[0].startswith("a step takes ")
    assert lines[1].startswith("epoch 1/2  loss ")
    assert "valid/ndcg@10" in lines[1]
    assert heard == [1, 2]


def trained(epoch: int, max_epochs: int | None = 10, is_first: bool = True, **metrics: float) -> Any:
    """A trainer at the end of an epoch, from 0."""
    return SimpleNamespace(
        callback_metrics={name.replace("_", "/"): torch.tensor(value) for name, value in metrics.items()},
        current_epoch=epoch,
        max_epochs=max_epochs,
        is_global_zero=is_first,
    )


def after(history: EpochHistory, *trainers: Any) -> EpochHistory:
    """``history`` after an epoch of each of ``trainers``, each of which took two seconds."""
    module = LightningTraining(sampled(mf(), validation=None))
    module._loss_sum, module._loss_steps = torch.tensor(1.5), 2
    for trainer in trainers:
        history.on_train_epoch_start(trainer, module)
        history._started -= 2.0
        history.on_train_epoch_end(trainer, module)
    return history


def test_a_line_has_the_loss_the_metric_and_the_best_so_far():
    lines: list[str] = []
    history = EpochHistory("valid/ndcg", lines.append)
    equal = trained(2, valid_ndcg=0.5)
    after(history, trained(0, valid_ndcg=0.5, valid_recall=0.7), trained(1, valid_ndcg=0.25), equal)
    # the loss is 1.5 / 2
    assert lines == [
        "epoch  1/10  loss 0.7500  valid/ndcg 0.5000 (best)  2.0 s",
        "epoch  2/10  loss 0.7500  valid/ndcg 0.2500 (best 0.5000 in 1)  2.0 s",
        "epoch  3/10  loss 0.7500  valid/ndcg 0.5000 (best 0.5000 in 1)  2.0 s",
    ]


def test_a_line_without_validation_has_the_loss_alone():
    lines: list[str] = []
    after(EpochHistory("valid/ndcg", lines.append), trained(0, max_epochs=None))
    assert lines == ["epoch 1/1  loss 0.7500  2.0 s"]


def test_all_that_is_logged_is_kept():
    (row,) = after(EpochHistory(""), trained(4, valid_ndcg=0.5)).epochs
    assert {**row, "train/seconds": 2} == {"epoch": 5, "valid/ndcg": 0.5, "train/loss": 0.75, "train/seconds": 2}
    assert row["train/seconds"] == pytest.approx(2.0, abs=0.1)


def test_the_other_processes_keep_silent():
    told: list[Any] = []
    history = EpochHistory("", told.append, lambda epoch, metrics: told.append(epoch))
    assert len(after(history, trained(0, is_first=False)).epochs) == 1
    assert told == []


def test_a_resumed_history_goes_on_after_the_epochs_of_the_checkpoint():
    before = after(EpochHistory(""), trained(0, valid_ndcg=0.9))
    lines: list[str] = []
    resumed = EpochHistory("valid/ndcg", lines.append)
    resumed.load_state_dict(before.state_dict())
    after(resumed, trained(1, valid_ndcg=0.5))
    assert [row["epoch"] for row in resumed.epochs] == [1, 2]
    assert [row["epoch"] for row in before.epochs] == [1]
    assert "(best 0.9000 in 1)" in lines[0]
