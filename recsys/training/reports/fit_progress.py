"""Shows how far a training is, and how long the rest of all its epochs takes.

An epoch takes what its steps, its validation and its checkpoint take. So how long the rest takes is told from the
first whole epoch on; before that, how long the steps of the first one still take.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack

import pytorch_lightning as pl

from recsys.cli.progress import SHORT_SECONDS, Bar, ProgressDisplay, progress
from recsys.training.lightning_training import LightningTraining

#: Epochs whose time is expected of those to come: the first ones may have been slower.
_LATELY = 5

#: How often steps are shown at most, in seconds.
_SHOWN_SECONDS = 0.1


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
        self._epochs: list[float] = []
        self._per_epoch: int | None = None
        # Steps of the optimiser since the beginning, those of them that the bar shows, and when it last did.
        self._steps = self._advanced = 0
        self._shown = 0.0

    def on_train_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Begin where the training goes on."""
        assert isinstance(pl_module, LightningTraining)
        self._per_epoch, epochs = pl_module.num_steps(trainer.num_training_batches), trainer.max_epochs or -1
        total = self._per_epoch * epochs if epochs > 0 and self._per_epoch else None
        done = 0 if total is None or self._per_epoch is None else self._per_epoch * trainer.current_epoch
        self._bar = self._open.enter_context(
            self._display.bar("training", total, done, self._early_stopping, counted=False, timed=False)
        )
        pl_module.after_step = self._count_step

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say which epoch it is, and how long those that are left take."""
        self._show_steps()
        now, last = self._clock(), trainer.max_epochs or -1
        if self._begin is not None:
            self._epochs.append(now - self._begin)
        self._begin = now
        self._describe(trainer, "")
        if self._bar is not None and self._epochs and last > 0:
            lately = self._epochs[-_LATELY:]
            self._bar.forecast(sum(lately) / len(lately) * (last - trainer.current_epoch))

    def _count_step(self) -> None:
        """Count a step of the optimiser, of which there can be thousands a second."""
        self._steps += 1
        if self._clock() - self._shown >= _SHOWN_SECONDS:
            self._show_steps()

    def _show_steps(self) -> None:
        now = self._shown = self._clock()
        if self._bar is None or self._begin is None:
            return
        self._bar.advance(self._steps - self._advanced)
        self._advanced = self._steps
        took = now - self._begin
        if not self._epochs and self._steps and self._per_epoch and took >= SHORT_SECONDS:
            self._bar.forecast(took / self._steps * (self._per_epoch - self._steps), "in the epoch")

    def on_validation_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Say that it is validated."""
        self._show_steps()
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
