"""Reads what experiments have shown from the store."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from recsys.errors import ExperimentError
from recsys.experiments.unit_statistics import UnitStatistics
from recsys_serving.experimenting.analysed_units import AnalysedUnits, statistics_of, windows_of
from recsys_serving.experimenting.experiment_changes import experiment_of
from recsys_serving.experimenting.experiment_rollout import as_compared, compared_until, rollout_of
from recsys_serving.experimenting.results import ExperimentResults, results_over_time
from recsys_serving.recommending.assignments import Treatment, bundle_name
from recsys_serving.store.admin.records import ExperimentRecord
from recsys_serving.store.errors import NotFound
from recsys_serving.store.store import Store


def find_experiment(store: Store, experiment_id: str) -> ExperimentRecord:
    """An experiment.

    Raises:
        NotFound: there is none.
    """
    record = store.experiments.get(experiment_id)
    if record is None:
        raise NotFound(f"There is no experiment {experiment_id!r}.")
    return record


def treatment_of(record: ExperimentRecord, variant: str) -> Treatment:
    """What a variant sets, whether or not the experiment runs.

    Raises:
        NotFound: there is no such variant.
        ExperimentError: the definition is not by the rules.
    """
    experiment = experiment_of(record)
    for one in experiment.variants:
        if one.name == variant:
            bundle = None if one.bundle is None else bundle_name(one.bundle)
            return Treatment(experiment.id, one.name, bundle, one.list_options)
    names = ", ".join(one.name for one in experiment.variants)
    raise NotFound(f"The experiment {experiment.id!r} has no variant {variant!r}; it has {names}.")


def read_results(
    store: Store, record: ExperimentRecord, looks: int = 1, hours: float = 24.0
) -> list[ExperimentResults]:
    """What an experiment has shown at some looks, the last of them now; see :func:`results_over_time`.

    Where a rollout has given treatment to everyone, what was shown before is compared.

    Raises:
        StoreUnavailable: the store is away or too slow.
        ExperimentError: the definition or its metrics are not by the rules.
    """
    experiment, rollout = experiment_of(record), rollout_of(record)
    until = compared_until(rollout)
    outcomes = store.outcomes.units(record.experiment_id, windows_of(experiment), experiment.unit, until=until)
    return results_over_time(as_compared(experiment, rollout), outcomes, datetime.now(UTC), looks, hours)


def read_control(store: Store, record: ExperimentRecord, metric: str) -> UnitStatistics:
    """Moments of a metric of control's users.

    Raises:
        StoreUnavailable: the store is away or too slow.
        ExperimentError: there is no such metric.
    """
    experiment = experiment_of(record)
    names = [one.name for one in experiment.metrics]
    if metric not in names:
        raise ExperimentError(
            f"experiment {experiment.id!r} has the metrics {', '.join(names) or '(none)'}; {metric!r} is none of them"
        )
    outcomes = store.outcomes.units(record.experiment_id, windows_of(experiment), experiment.unit)
    final = AnalysedUnits(experiment, outcomes).final_at(datetime.now(UTC))
    control: Mapping[str, UnitStatistics] = statistics_of(final, experiment)[experiment.control.name]
    return control[metric]
