"""How long last fits, tests and the page will probably take, learnt from those that were made."""

from __future__ import annotations

import statistics
import time

import numpy as np

from recsys.evaluation.statistics.paired_tests import PAIRED_TESTS, paired_difference
from recsys.studies.comparison.comparing import Settings
from recsys.studies.leaderboard.entrant import Standing

#: Seconds of a page without tests: its tables and its chart.
PAGE_SECONDS = 3.0


class FinalCosts:
    """Estimates in seconds of wall time.

    A last fit takes what the best trial took, and a start that is the same for all models: a process, the data, the
    baseline, the test. The start is the median of those that were measured.

    Args:
        start: a guess of that, until one is measured.
        pair: the test of one model against another, of which each pair has one.

    Example:
        >>> costs = FinalCosts(start=3.0, pair=0.1)
        >>> costs.note(seconds=7.0, trial_seconds=5.0)
        >>> costs.start
        2.0
    """

    def __init__(self, start: float, pair: float) -> None:
        self._guess, self._pair = start, pair
        self._measured: list[float] = []

    def note(self, seconds: float, trial_seconds: float) -> None:
        """Learn from a last fit.

        Args:
            seconds: what it took, with the test.
            trial_seconds: what the trial took whose settings it has.
        """
        self._measured.append(max(seconds - trial_seconds, 0.0))

    @property
    def start(self) -> float:
        """Beyond what the trial took."""
        return statistics.median(self._measured) if self._measured else self._guess

    def of(self, standing: Standing) -> float:
        """The last fit and the test of a model; 0 where they are done or there is nothing to test."""
        best = standing.best
        return 0.0 if best is None or standing.tested else best.wall_seconds + self.start

    def report(self, num_models: int) -> float:
        """The comparison of so many models, and the page."""
        return PAGE_SECONDS + self._pair * num_models * (num_models - 1) / 2


def measured_pair_seconds(num_users: int, settings: Settings) -> float:
    """What the test of two models on so many users takes here and now."""
    values = np.random.default_rng(0).random((2, max(num_users, 2)))
    began = time.perf_counter()
    paired_difference(values[0], values[1], PAIRED_TESTS[settings.test], settings.num_samples)
    return time.perf_counter() - began
