"""Shows how far a training is, and how long the rest of all its epochs takes.

An epoch takes what its steps, its validation and its checkpoint take. So how long the rest takes is told from the
first whole epoch on; before that, how long the steps of the first one still take.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import pytorch_lightning as pl

from recsys.cli.progress import SHORT_SECONDS, Bar, ProgressDisplay, progress

#: Epochs whose time is expected of those to come: the first ones may have been slower.
_LATELY = 5


class FitProgress(pl.Callback):
    """One bar for all epochs of a training.

    Args:
        early_stopping: whether the training may end before the last epoch.
        display: where the bar is shown.
        clock: gives the time in seconds.
    """

    def __init__(
        self,
        early_stopping: bool,
        display: ProgressDisplay = progress,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._early_stopping = early_stopping
        self._display = display
        self._open = ExitStack()
        self._bar: Bar | None = None
        self._clock = clock
        self._begin: float | None = None
        self._steps = 0
        self._epochs: list[float] = []

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin where the training goes on."""
        calls, epochs = trainer.num_training_batches, trainer.max_epochs or -1
        total = int(calls * epochs) if epochs > 0 and math.isfinite(calls) else None
        done = 0 if total is None else int(calls * trainer.current_epoch)
        self._bar = self._open.enter_context(
            self._display.bar("training", total, done, self._early_stopping, counted=False, timed=False)
        )

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say which epoch it is, and how long those that are left take."""
        now, last = self._clock(), trainer.max_epochs or -1
        if self._begin is not None:
            self._epochs.append(now - self._begin)
        self._begin = now
        self._describe(trainer, "")
        if self._bar is not None and self._epochs and last > 0:
            lately = self._epochs[-_LATELY:]
            self._bar.forecast(sum(lately) / len(lately) * (last - trainer.current_epoch))

    def on_train_batch_end(self, trainer: pl.Trainer, *arguments: Any, **options: Any) -> None:
        """Count a call of the training step."""
        if self._bar is None or self._begin is None:
            return
        self._bar.advance()
        self._steps += 1
        calls, took = trainer.num_training_batches, self._clock() - self._begin
        if not self._epochs and math.isfinite(calls) and took >= SHORT_SECONDS:
            self._bar.forecast(took / self._steps * (calls - self._steps), "in the epoch")

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
