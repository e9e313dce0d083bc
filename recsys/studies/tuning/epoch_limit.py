"""Stops a training between two epochs when its time is up."""

from __future__ import annotations

import time

from recsys.errors import EvaluationError


class TimeIsUp(Exception):
    """The next epoch would end too late."""


class EpochLimit:
    """A listener of epochs that ends a training which takes longer than it may.

    Args:
        metric: the metric whose best epoch counts; higher is better.
        limit_seconds: how long the training may take, from now on.
    """

    def __init__(self, metric: str, limit_seconds: float) -> None:
        self._metric = metric
        self._limit_seconds = limit_seconds
        self._started = self._before = time.perf_counter()
        self._longest = 0.0
        self._measured: list[tuple[float, int]] = []

    def __call__(self, epoch: int, metrics: dict[str, float]) -> None:
        """Note an epoch.

        Args:
            epoch: its number, from 1.
            metrics: what was measured after it.

        Raises:
            TimeIsUp: another epoch like the longest so far would end too late.
        """
        now = time.perf_counter()
        self._longest, self._before = max(self._longest, now - self._before), now
        if self._metric in metrics:
            self._measured.append((metrics[self._metric], epoch))
        if self._measured and now - self._started + self._longest > self._limit_seconds:
            raise TimeIsUp

    def best(self) -> tuple[float, int]:
        """The highest value and its epoch; of equal ones the first.

        Raises:
            EvaluationError: no epoch was measured by the metric.
        """
        if not self._measured:
            raise EvaluationError(
                f"metric must be one that is measured after each epoch, but it is {self._metric}. Add its cut-off to "
                "training.validation_ks."
            )
        return max(self._measured, key=lambda found: (found[0], -found[1]))
