from __future__ import annotations

import io
import time
from types import SimpleNamespace
from typing import Any

import pytest

from recsys.cli.console import PlainConsole
from recsys.cli.progress import ProgressDisplay
from recsys.training.lightning_training import LightningTraining
from recsys.training.reports.fit_progress import FitProgress
from tests.terminal import screen_lines
from tests.training.recipes import TRAIN, mf, run, sampled


class Shown:
    """A display on a terminal of 80 columns."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.console = PlainConsole(file=self.stream, width=80, force_terminal=True, color_system=None)
        self.display = ProgressDisplay(self.console)

    def lines(self) -> list[str]:
        if self.display._progress is not None:
            self.display._progress.refresh()
        return screen_lines(self.stream.getvalue(), 80)


def trainer(epoch: int, max_epochs: int | None = 4) -> Any:
    return SimpleNamespace(current_epoch=epoch, max_epochs=max_epochs, num_training_batches=1)


@pytest.fixture(name="training")
def training_fixture() -> LightningTraining:
    """Five steps an epoch, in one call."""
    training = LightningTraining(sampled(mf(), batch_size=-(-len(TRAIN) // 5)))
    training.train_dataloader()
    return training


class Clock:
    """A time that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_bar_counts_the_steps_of_all_epochs_also_inside_a_call(training):
    shown, clock = Shown(), Clock()
    callback = FitProgress(True, shown.display, clock)
    callback.on_train_start(trainer(1), training)
    callback.on_train_epoch_start(trainer(1), training)
    clock.now += 0.2
    training.after_step()
    (line,) = shown.lines()
    assert line.startswith("epoch 2/4 ") and "30%" in line  # of 20: the five of the first epoch, and one
    callback.on_validation_start(trainer(1), training)
    assert shown.lines()[0].startswith("epoch 2/4    validation ")
    callback.on_train_end(trainer(3), training)
    assert shown.lines() == []


@pytest.mark.parametrize("early_stopping", [False, True])
def test_the_rest_is_told_by_whole_epochs_validation_included(early_stopping, training):
    shown, clock = Shown(), Clock()
    callback = FitProgress(early_stopping, shown.display, clock)
    callback.on_train_start(trainer(0), training)
    callback.on_train_epoch_start(trainer(0), training)
    for _ in range(2):
        clock.now += 4
        training.after_step()
    assert shown.lines()[0].endswith("12 s left in the epoch")  # three steps of four seconds
    clock.now += 40  # the other steps, and validation
    callback.on_train_epoch_start(trainer(1), training)
    at_most = "at most " * early_stopping
    assert shown.lines()[0].endswith(f" {at_most}2:24 min left")  # three epochs of 48 s
    training.after_step()
    assert shown.lines()[0].endswith(f" {at_most}2:24 min left")  # a step alone changes nothing
    callback.on_train_end(trainer(3), training)


def test_steps_that_follow_quickly_are_shown_together(training):
    shown, clock = Shown(), Clock()
    callback = FitProgress(False, shown.display, clock)
    callback.on_train_start(trainer(0), training)
    callback.on_train_epoch_start(trainer(0), training)
    for _ in range(3):
        training.after_step()
    assert " 0%" in shown.lines()[0]
    callback.on_validation_start(trainer(0), training)
    assert " 15%" in shown.lines()[0]
    callback.on_train_end(trainer(3), training)


@pytest.mark.parametrize("max_epochs", [None, -1])
def test_a_training_without_a_known_end_has_no_total(max_epochs, training):
    shown, clock = Shown(), Clock()
    callback = FitProgress(False, shown.display, clock)
    callback.on_train_start(trainer(0, max_epochs), training)
    callback.on_train_epoch_start(trainer(0, max_epochs), training)
    clock.now += 0.2
    training.after_step()
    (line,) = shown.lines()
    assert line.startswith("epoch 1") and line.endswith(" 1")
    callback.on_exception(trainer(0), training, KeyboardInterrupt())
    assert shown.lines() == []


def test_lines_of_epochs_stay_and_the_bar_leaves_nothing(tmp_path, monkeypatch):
    shown = Shown()
    monkeypatch.setattr("recsys.training.reports.fit_progress.progress", shown.display)
    monkeypatch.setattr(FitProgress.__init__, "__defaults__", (shown.display, time.monotonic))
    run(sampled(mf()), tmp_path, 3, print_line=shown.console.print, progress_bar=True)
    lines = shown.lines()
    assert lines[0].startswith("a step takes ")
    assert [line.partition("  ")[0] for line in lines[1:]] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert "training" in shown.stream.getvalue()
