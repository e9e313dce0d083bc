"""Shows how far a training is, and how long the rest of all its epochs takes."""

from __future__ import annotations

import math
from contextlib import ExitStack
from typing import Any

import pytorch_lightning as pl

from recsys.cli.progress import Bar, ProgressDisplay, progress


class FitProgress(pl.Callback):
    """One bar for all epochs of a training.

    Args:
        early_stopping: whether the training may end before the last epoch.
        display: where the bar is shown.
    """

    def __init__(self, early_stopping: bool, display: ProgressDisplay = progress) -> None:
        self._early_stopping = early_stopping
        self._display = display
        self._open = ExitStack()
        self._bar: Bar | None = None

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin where the training goes on."""
        calls, epochs = trainer.num_training_batches, trainer.max_epochs or -1
        total = int(calls * epochs) if epochs > 0 and math.isfinite(calls) else None
        done = 0 if total is None else int(calls * trainer.current_epoch)
        self._bar = self._open.enter_context(
            self._display.bar("training", total, done, self._early_stopping, counted=False)
        )

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say which epoch it is."""
        self._describe(trainer, "")

    def on_train_batch_end(self, trainer: pl.Trainer, *arguments: Any, **options: Any) -> None:
        """Count a call of the training step."""
        if self._bar is not None:
            self._bar.advance()

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say that it is validated."""
        self._describe(trainer, " validation")

    def on_train_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Remove the bar."""
        self._open.close()

    def on_exception(self, trainer: pl.Trainer, pl_module: pl.LightningModule, exception: BaseException) -> None:
        """Remove the bar, whatever has ended the training."""
        self._open.close()

    def _describe(self, trainer: pl.Trainer, what: str) -> None:
        if self._bar is not None:
            last = trainer.max_epochs or -1
            epoch = f"epoch {trainer.current_epoch + 1}{f'/{last}' * (last > 0)}"
            self._bar.describe(f"{epoch:12}{what:11}")  # so that the bar stays where it is
