"""What an experiment has shown so far: comparisons that hold at every look, guardrails, the shares of its variants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from recsys.experiments.experiment import Experiment
from recsys.experiments.guardrails import check_guardrails
from recsys.experiments.sample_ratio import check_sample_ratio
from recsys.experiments.sequential_analysis import compare_sequentially
from recsys_serving.experimenting.analysed_units import AnalysedUnits, counts_of, statistics_of
from recsys_serving.store.events.records import UnitOutcome


@dataclass(frozen=True, slots=True)
class ExperimentResults:
    """What is known at one look.

    Args:
        at: the time of the look.
        num_units: units that are analysed, by variant.
        num_unfinished: units whose windows are not over.
        num_crossed: units that saw several variants, and are left out.
        sample_ratio: whether the variants have as many units as their shares say.
        comparisons: of each variant with control, by variant and metric.
        guardrails: by variant.
    """

    at: datetime
    num_units: dict[str, int]
    num_unfinished: int
    num_crossed: int
    sample_ratio: dict[str, Any]
    comparisons: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    guardrails: dict[str, list[dict[str, Any]]] = field(default_factory=dict)


def experiment_results(experiment: Experiment, outcomes: Sequence[UnitOutcome], now: datetime) -> ExperimentResults:
    """Compare the variants of an experiment.

    Args:
        experiment: with its metrics.
        outcomes: what each unit did.
        now: the time of the look.

    Raises:
        ExperimentError: the metrics do not fit what was counted.
    """
    return _results_at(experiment, AnalysedUnits(experiment, outcomes), now)


def results_over_time(
    experiment: Experiment, outcomes: Sequence[UnitOutcome], now: datetime, looks: int, hours: float = 24.0
) -> list[ExperimentResults]:
    """The results at several looks, as they were to be seen then; the last one is now's.

    Looks are at multiples of so many hours since 1970, in UTC: at 24, when a day begins. None is before the first
    unit's outcome was final. A unit that saw a second variant later is left out of all of them.

    Args:
        experiment: with its metrics.
        outcomes: what each unit did.
        now: the time of the last look.
        looks: number of looks, at most.
        hours: between two looks.

    Raises:
        ExperimentError: the metrics do not fit what was counted.
    """
    units = AnalysedUnits(experiment, outcomes)
    step = timedelta(hours=hours).total_seconds()
    last = math.ceil(now.timestamp() / step) - 1
    before = [datetime.fromtimestamp(number * step, UTC) for number in range(last - looks + 2, last + 1)]
    moments = [moment for moment in before if len(units.final_at(moment))]
    return [_results_at(experiment, units, moment) for moment in [*moments, now]]


def _results_at(experiment: Experiment, units: AnalysedUnits, now: datetime) -> ExperimentResults:
    final = units.final_at(now)
    counts = counts_of(final, experiment)
    results = ExperimentResults(
        at=now,
        num_units=counts,
        num_unfinished=units.num_unfinished(now),
        num_crossed=units.num_crossed,
        sample_ratio=plain(asdict(check_sample_ratio(counts, experiment.shares))),
    )
    if not experiment.metrics or not all(counts.values()):
        return results
    statistics = statistics_of(final, experiment)
    control = statistics[experiment.control.name]
    for variant in experiment.variants[1:]:
        treatment = statistics[variant.name]
        compared = [compare_sequentially(one, treatment[one.name], control[one.name]) for one in experiment.metrics]
        results.comparisons[variant.name] = [plain(asdict(one)) for one in compared]
        checked = check_guardrails(experiment.guardrails, experiment.metrics, treatment, control)
        results.guardrails[variant.name] = [plain(asdict(one)) for one in checked]
    return results


def plain(value: Any) -> Any:
    """The same as JSON can hold it: what is not finite is null."""
    if isinstance(value, dict):
        return {key: plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
