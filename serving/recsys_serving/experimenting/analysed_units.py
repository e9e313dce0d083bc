"""The units of an experiment that are analysed, each from the moment on at which its outcome is final."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from recsys.experiments.experiment import Experiment
from recsys.experiments.metric import EXPOSURES
from recsys.experiments.outcomes import VARIANT, count_column, value_column
from recsys.experiments.unit_metrics import variant_statistics
from recsys.experiments.unit_statistics import MeanStatistics, RatioStatistics, UnitStatistics
from recsys_serving.store.events.records import OutcomeWindows, UnitOutcome

_FINAL_AT = "final_at"


class AnalysedUnits:
    """Units that saw one variant, which no one gave them by hand, in the order in which their outcomes become final.

    A unit counts once its windows are over, so that all have had the same time, and its row does not change any more.

    Args:
        experiment: with its metrics and windows.
        outcomes: what each unit did.
    """

    def __init__(self, experiment: Experiment, outcomes: Sequence[UnitOutcome]) -> None:
        self._experiment = experiment
        self.num_crossed = sum(one.variants > 1 for one in outcomes)
        straight = [one for one in outcomes if one.variants == 1 and one.unit_id not in experiment.overrides]
        self._rows = _rows(experiment, straight)

    def final_at(self, moment: datetime) -> pd.DataFrame:
        """The rows whose outcomes are final at a moment, with the columns that metrics need."""
        return self._rows.iloc[: int(np.searchsorted(self._rows[_FINAL_AT].to_numpy(), moment.timestamp(), "right"))]

    def num_unfinished(self, moment: datetime) -> int:
        """Units that had a list before a moment, and whose windows are not over then."""
        begun = self._rows[_FINAL_AT].to_numpy() - _window_seconds(self._experiment) <= moment.timestamp()
        return int(begun.sum()) - len(self.final_at(moment))


def windows_of(experiment: Experiment) -> OutcomeWindows:
    """How long lists and interactions count."""
    return OutcomeWindows(experiment.exposure_window_hours * 3600, experiment.attribution_window_hours * 3600)


def counts_of(units: pd.DataFrame, experiment: Experiment) -> dict[str, int]:
    """Number of units by variant."""
    numbers = units[VARIANT].value_counts()
    return {name: int(numbers.get(name, 0)) for name in experiment.shares}


def statistics_of(units: pd.DataFrame, experiment: Experiment) -> dict[str, Mapping[str, UnitStatistics]]:
    """Moments of each metric by variant, also of variants without units."""
    found = variant_statistics(units, experiment.metrics) if len(units) else {}
    nothing: dict[str, UnitStatistics] = {
        metric.name: MeanStatistics.from_values([])
        if metric.denominator is None
        else RatioStatistics.from_values([], [])
        for metric in experiment.metrics
    }
    return {name: found.get(name, nothing) for name in experiment.shares}


def _window_seconds(experiment: Experiment) -> float:
    windows = windows_of(experiment)
    return windows.exposure_seconds + windows.attribution_seconds


def _rows(experiment: Experiment, outcomes: Sequence[UnitOutcome]) -> pd.DataFrame:
    """A row for each unit, with the columns of :func:`recsys.experiments.outcomes.join_outcomes`."""
    events = {metric.event for metric in experiment.metrics}
    events |= {metric.denominator for metric in experiment.metrics if metric.denominator not in (None, EXPOSURES)}
    wait = _window_seconds(experiment)
    columns: dict[str, list[Any]] = {
        _FINAL_AT: [one.first_shown_at.timestamp() + wait for one in outcomes],
        "unit_id": [one.unit_id for one in outcomes],
        VARIANT: [one.variant for one in outcomes],
        EXPOSURES: [one.exposures for one in outcomes],
    }
    for event in sorted(map(str, events)):
        columns[count_column(event)] = [one.interactions.get(event, 0) for one in outcomes]
        columns[value_column(event)] = [one.values.get(event, 0.0) for one in outcomes]
    return pd.DataFrame(columns).sort_values(_FINAL_AT, kind="stable", ignore_index=True)
