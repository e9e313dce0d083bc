"""What an experiment has shown so far: comparisons that hold at every look, guardrails, and whether shares are right.

Units count whose windows are over, so that all have had the same time. A user who saw two variants is left out.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pandas as pd

from recsys.experiments.experiment import Experiment
from recsys.experiments.guardrails import check_guardrails
from recsys.experiments.outcomes import VARIANT, count_column, value_column
from recsys.experiments.sample_ratio import check_sample_ratio
from recsys.experiments.sequential_analysis import compare_sequentially
from recsys.experiments.unit_metrics import variant_statistics
from recsys_serving.store.events.records import UserOutcome


@dataclass(frozen=True, slots=True)
class ExperimentResults:
    """What is known at this look.

    Args:
        num_units: units that are analysed, by variant.
        num_unfinished: units whose windows are not over.
        num_crossed: units that saw several variants, and are left out.
        sample_ratio: whether the variants have as many units as their shares say.
        comparisons: of each variant with control, by variant and metric.
        guardrails: by variant.
    """

    num_units: dict[str, int]
    num_unfinished: int
    num_crossed: int
    sample_ratio: dict[str, Any]
    comparisons: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    guardrails: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def experiment_results(experiment: Experiment, outcomes: Sequence[UserOutcome], now: datetime) -> ExperimentResults:
    """Compare the variants of an experiment.

    Args:
        experiment: with its metrics.
        outcomes: what each user did.
        now: the time of the look.

    Raises:
        ExperimentError: the metrics do not fit what was counted.
    """
    windows = timedelta(hours=experiment.exposure_window_hours + experiment.attribution_window_hours)
    crossed = [one for one in outcomes if one.variants > 1]
    straight = [one for one in outcomes if one.variants == 1 and one.user_id not in experiment.overrides]
    finished = [one for one in straight if one.first_shown_at + windows <= now]
    counts = {name: sum(one.variant == name for one in finished) for name in experiment.shares}
    results = ExperimentResults(
        num_units=counts,
        num_unfinished=len(straight) - len(finished),
        num_crossed=len(crossed),
        sample_ratio=_plain(asdict(check_sample_ratio(counts, experiment.shares))),
    )
    if not experiment.metrics or not all(counts.values()):
        return results
    statistics = variant_statistics(_units(experiment, finished), experiment.metrics)
    control = statistics[experiment.control.name]
    for variant in experiment.variants[1:]:
        treatment = statistics[variant.name]
        compared = [compare_sequentially(one, treatment[one.name], control[one.name]) for one in experiment.metrics]
        results.comparisons[variant.name] = [_plain(asdict(one)) for one in compared]
        checked = check_guardrails(experiment.guardrails, experiment.metrics, treatment, control)
        results.guardrails[variant.name] = [_plain(asdict(one)) for one in checked]
    return results


def _units(experiment: Experiment, outcomes: Sequence[UserOutcome]) -> pd.DataFrame:
    """A row for each user, with the columns of :func:`recsys.experiments.outcomes.join_outcomes`."""
    events = {metric.event for metric in experiment.metrics}
    events |= {metric.denominator for metric in experiment.metrics if metric.denominator is not None}
    columns: dict[str, list[Any]] = {
        VARIANT: [one.variant for one in outcomes],
        "exposures": [one.exposures for one in outcomes],
    }
    for event in events:
        columns[count_column(event)] = [one.interactions.get(event, 0) for one in outcomes]
        columns[value_column(event)] = [one.values.get(event, 0.0) for one in outcomes]
    return pd.DataFrame(columns)


def _plain(value: Any) -> Any:
    """The same as JSON can hold it: what is not finite is null."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
