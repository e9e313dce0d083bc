"""The metrics of each unit, and their moments by variant: from counts of events to what comparisons take."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from recsys.errors import ExperimentError
from recsys.experiments.metric import EXPOSURES, Metric
from recsys.experiments.outcomes import VARIANT, count_column, value_column
from recsys.experiments.unit_statistics import MeanStatistics, RatioStatistics, UnitStatistics


def unit_metrics(units: pd.DataFrame, metrics: Sequence[Metric]) -> pd.DataFrame:
    """The numbers of each unit.

    Args:
        units: rows of :func:`recsys.experiments.outcomes.join_outcomes`, or of the same columns.
        metrics: what is computed.

    Returns:
        ``variant``, and for each metric a column of its name; for a ratio two, see :func:`denominator_column`.

    Raises:
        ExperimentError: there is no column of a metric's events.
    """
    numbers = {VARIANT: _column(units, VARIANT, "the variant")}
    for metric in metrics:
        column = value_column(metric.event) if metric.sum_values else count_column(metric.event)
        values = _column(units, column, f"metric {metric.name!r}").astype("float64")
        numbers[metric.name] = (values > 0).astype("float64") if metric.kind == "rate" else values
        if metric.denominator is not None:
            below = EXPOSURES if metric.denominator == EXPOSURES else count_column(metric.denominator)
            numbers[denominator_column(metric)] = _column(units, below, f"metric {metric.name!r}").astype("float64")
    return pd.DataFrame(numbers)


def denominator_column(metric: Metric) -> str:
    """Column of the denominator of a ratio."""
    return f"{metric.name}:denominator"


def variant_statistics(units: pd.DataFrame, metrics: Sequence[Metric]) -> dict[str, dict[str, UnitStatistics]]:
    """Moments of each metric, by variant and by the name of the metric; arguments as of :func:`unit_metrics`.

    Raises:
        ExperimentError: there is no column of a metric's events.
    """
    numbers = unit_metrics(units, metrics)
    return {
        str(variant): {metric.name: _statistics(rows, metric) for metric in metrics}
        for variant, rows in numbers.groupby(VARIANT)
    }


def _statistics(rows: pd.DataFrame, metric: Metric) -> UnitStatistics:
    values = rows[metric.name].to_numpy()
    if metric.denominator is None:
        return MeanStatistics.from_values(values)
    return RatioStatistics.from_values(values, rows[denominator_column(metric)].to_numpy())


def _column(units: pd.DataFrame, name: str, what: str) -> pd.Series:
    if name not in units:
        raise ExperimentError(
            f"{what} needs the column {name!r} of the units; there are {', '.join(map(str, units.columns))}"
        )
    return units[name]
