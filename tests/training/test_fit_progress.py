from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

import pytest

from recsys.cli.console import PlainConsole
from recsys.cli.progress import ProgressDisplay
from recsys.training.fit_progress import FitProgress
from tests.terminal import screen_lines
from tests.training.recipes import mf, run, sampled


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


def trainer(epoch: int, max_epochs: int | None = 4, calls: float = 5) -> Any:
    return SimpleNamespace(current_epoch=epoch, max_epochs=max_epochs, num_training_batches=calls)


def test_the_bar_counts_the_calls_of_all_epochs():
    shown = Shown()
    callback = FitProgress(early_stopping=True, display=shown.display)
    callback.on_train_start(trainer(1), None)
    callback.on_train_epoch_start(trainer(1), None)
    callback.on_train_batch_end(trainer(1))
    (line,) = shown.lines()
    assert line.startswith("epoch 2/4 ") and "30%" in line  # of 20: the five of the first epoch, and one
    callback.on_validation_start(trainer(1), None)
    assert shown.lines()[0].startswith("epoch 2/4    validation ")
    callback.on_train_end(trainer(3), None)
    assert shown.lines() == []


@pytest.mark.parametrize(("max_epochs", "calls"), [(None, 5), (-1, 5), (4, float("inf"))])
def test_a_training_without_a_known_end_has_no_total(max_epochs, calls):
    shown = Shown()
    callback = FitProgress(early_stopping=False, display=shown.display)
    callback.on_train_start(trainer(0, max_epochs, calls), None)
    callback.on_train_epoch_start(trainer(0, max_epochs, calls), None)
    callback.on_train_batch_end(trainer(0, max_epochs, calls))
    (line,) = shown.lines()
    assert line.startswith("epoch 1") and line.endswith(" 1")
    callback.on_exception(trainer(0), None, KeyboardInterrupt())
    assert shown.lines() == []


def test_lines_of_epochs_stay_and_the_bar_leaves_nothing(tmp_path, monkeypatch):
    shown = Shown()
    monkeypatch.setattr("recsys.training.fit_progress.progress", shown.display)
    monkeypatch.setattr(FitProgress.__init__, "__defaults__", (shown.display,))
    run(sampled(mf()), tmp_path, 3, print_line=shown.console.print, progress_bar=True)
    lines = shown.lines()
    assert [line.partition("  ")[0] for line in lines] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert "training" in shown.stream.getvalue()
