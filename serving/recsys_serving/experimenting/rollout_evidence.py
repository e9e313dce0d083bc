"""What the store knows of a rollout: its guardrails, its sample ratio, the units of treatment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

import pandas as pd

from recsys.experiments.experiment import Experiment
from recsys.experiments.guardrails import GuardrailResult, check_guardrail
from recsys.experiments.outcomes import UNIT_ID, VARIANT
from recsys.experiments.sample_ratio import SampleRatioResult, check_sample_ratio
from recsys.experiments.sequential_analysis import SequentialSettings
from recsys.experiments.unit_statistics import UnitStatistics
from recsys_serving.experimenting.analysed_units import AnalysedUnits, counts_of, statistics_of, windows_of
from recsys_serving.experimenting.experiment_rollout import ExperimentRollout, as_compared, compared_until
from recsys_serving.store.events.outcome_store import OutcomeStore


@dataclass(frozen=True, slots=True)
class RolloutEvidence:
    """What the next step of a rollout is decided by.

    Args:
        guardrails: of all units so far.
        units: of treatment whose outcome is final.
        sample_ratio: of the units from while there was a control; None: there was none.
    """

    guardrails: tuple[GuardrailResult, ...]
    units: int
    sample_ratio: SampleRatioResult | None


def gather_evidence(
    store: OutcomeStore, experiment: Experiment, rollout: ExperimentRollout, now: datetime
) -> RolloutEvidence:
    """Read what came of a rollout.

    While there is a control, all units count for all guardrails. Once everyone has treatment, control's users see a
    second variant: what treatment is compared with stays as it was, and the units that got treatment since then count
    for limits alone.

    Args:
        store: with the outcomes.
        experiment: of two variants, control first.
        rollout: where it is.
        now: the time of the look.

    Raises:
        StoreUnavailable: the store is away or too slow.
        ExperimentError: the metrics do not fit what was counted.
    """
    until = compared_until(rollout)
    windows = windows_of(experiment)
    compared = as_compared(experiment, rollout)
    outcomes = store.units(experiment.id, windows, experiment.unit, until=until)
    final = AnalysedUnits(compared, outcomes).final_at(now)
    treatment = experiment.variants[1].name
    both = statistics_of(final, compared)
    alone: Mapping[str, UnitStatistics] = both[treatment]
    counts = counts_of(final, compared)
    units = counts[treatment]
    if until is not None:
        later = AnalysedUnits(compared, store.units(experiment.id, windows, experiment.unit, since=until)).final_at(now)
        before = final[final[VARIANT] == treatment]
        # Who had treatment already has a unit; an outcome of another time would count the same user twice.
        had_it = {one.unit_id for one in outcomes if one.variant == treatment}
        fresh = later[(later[VARIANT] == treatment) & ~later[UNIT_ID].isin(had_it)]
        everyone = pd.concat([before, fresh], ignore_index=True)
        alone, units = statistics_of(everyone, compared)[treatment], len(everyone)
    ratio = None
    if sum(counts.values()):
        ratio = check_sample_ratio(counts, compared.shares)
    return RolloutEvidence(_checked(experiment, both[experiment.control.name], both[treatment], alone), units, ratio)


def _checked(
    experiment: Experiment,
    control: Mapping[str, UnitStatistics],
    compared: Mapping[str, UnitStatistics],
    alone: Mapping[str, UnitStatistics],
) -> tuple[GuardrailResult, ...]:
    """All guardrails, which together cry wolf as seldom as one of them may."""
    settings = SequentialSettings()
    each = replace(settings, alpha=settings.alpha / len(experiment.guardrails))
    metrics = {metric.name: metric for metric in experiment.metrics}
    return tuple(
        check_guardrail(
            one,
            metrics[one.metric],
            (compared if one.limit is None else alone)[one.metric],
            control[one.metric],
            each,
        )
        for one in experiment.guardrails
    )
