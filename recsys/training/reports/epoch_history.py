"""Metrics of each epoch: kept, and printed as one line."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytorch_lightning as pl

from recsys.training.lightning_training import LightningTraining
from recsys.training.reports.fit_report import Listener


class EpochHistory(pl.Callback):
    """Collects what is logged in each epoch.

    The history is part of the checkpoint, so that the curves of a resumed run show the whole training.

    Args:
        monitor: the metric shown in each line, beside the loss.
        print_line: receives one line an epoch; None prints nothing.
        listener: receives the epoch (from 1) and its metrics, for example to track them.
    """

    def __init__(
        self, monitor: str, print_line: Callable[[str], None] | None = None, listener: Listener | None = None
    ) -> None:
        self._monitor = monitor
        self._print_line = print_line
        self._listener = listener
        self._started = 0.0
        self.epochs: list[dict[str, float]] = []

    def on_train_epoch_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Start the clock."""
        self._started = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        """Record the epoch."""
        assert isinstance(pl_module, LightningTraining)
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        metrics["train/loss"] = pl_module.mean_loss()
        metrics["train/seconds"] = time.perf_counter() - self._started
        epoch = trainer.current_epoch + 1
        self.epochs.append({"epoch": epoch, **metrics})
        if trainer.is_global_zero:
            if self._print_line is not None:
                self._print_line(self._line(epoch, trainer.max_epochs or epoch, metrics))
            if self._listener is not None:
                self._listener(epoch, metrics)

    def _line(self, epoch: int, max_epochs: int, metrics: dict[str, float]) -> str:
        parts = [f"epoch {epoch:>{len(str(max_epochs))}}/{max_epochs}", f"loss {metrics['train/loss']:.4f}"]
        if self._monitor in metrics:
            # Of equal ones the first, whose weights are kept.
            best = max(self.epochs, key=lambda row: row.get(self._monitor, float("-inf")))
            found = "best" if best["epoch"] == epoch else f"best {best[self._monitor]:.4f} in {best['epoch']:.0f}"
            parts.append(f"{self._monitor} {metrics[self._monitor]:.4f} ({found})")
        return "  ".join([*parts, f"{metrics['train/seconds']:.1f} s"])

    def state_dict(self) -> dict[str, object]:
        """The epochs so far."""
        return {"epochs": self.epochs}

    def load_state_dict(self, state_dict: dict[str, object]) -> None:
        """Go on from the epochs of a checkpoint."""
        epochs = state_dict["epochs"]
        assert isinstance(epochs, list)
        self.epochs = list(epochs)
