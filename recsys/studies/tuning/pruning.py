"""Stops trials whose epochs are worse on validation than those of other trials."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # an extra, which a training without a search does not need
    from optuna import Trial


class PrunedTrial(Exception):
    """A trial is not worth going on with.

    Args:
        value: the best value so far.
        best_epoch: its epoch.
    """

    def __init__(self, value: float, best_epoch: int) -> None:
        super().__init__(value, best_epoch)
        self.value = value
        self.best_epoch = best_epoch


class PruningListener:
    """A listener of epochs that reports each to a trial, and ends the training where the study's pruner says so.

    Args:
        trial: of Optuna.
        metric: the optimised metric; epochs without it are not reported.
        sign: 1 if more of the metric is better, -1 if less.
    """

    def __init__(self, trial: Trial, metric: str, sign: int = 1) -> None:
        self._trial, self._metric, self._sign = trial, metric, sign
        self._best: tuple[float, int] | None = None

    def __call__(self, epoch: int, metrics: dict[str, float]) -> None:
        """Report an epoch.

        Args:
            epoch: its number, from 1.
            metrics: what was measured after it.

        Raises:
            PrunedTrial: the trial is to be stopped.
        """
        value = metrics.get(self._metric, math.nan)
        if math.isnan(value):
            return
        if self._best is None or self._sign * (value - self._best[0]) > 0:
            self._best = value, epoch
        self._trial.report(value, epoch)
        if self._trial.should_prune():
            raise PrunedTrial(*self._best)
