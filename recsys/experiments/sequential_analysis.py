"""Two variants compared while the experiment runs, as often as one likes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from recsys.errors import ExperimentError
from recsys.experiments.confidence_sequences import always_valid_p_value, confidence_bounds
from recsys.experiments.metric import Metric, require_number
from recsys.experiments.unit_statistics import MeanStatistics, UnitEstimate, UnitStatistics, difference

#: What a comparison says of treatment against control.
Verdict = Literal["better", "worse", "no difference shown", "too early"]


@dataclass(frozen=True, slots=True)
class SequentialSettings:
    """How often a comparison that is looked at all the time may be wrong, and when it is to be sharpest.

    Args:
        alpha: probability to ever find a difference where there is none.
        optimal_units: units of each variant at which looking often costs least: there an interval is 1.55 times as wide
            as that of a single look, for an alpha of .05, and elsewhere a little more. It holds at any number of units.
            It must not be chosen by the outcomes.
        min_units: fewer units of a variant are too early: means of so few are not normal.
        min_successes: fewer units with, or without, success in both variants together are too early, of a rate.

    Raises:
        ExperimentError: a value is out of range.
    """

    alpha: float = 0.05
    optimal_units: float = 10_000.0
    min_units: int = 100
    min_successes: int = 30

    def __post_init__(self) -> None:
        require_number("alpha", self.alpha, 1e-9, 0.49)
        require_number("optimal_units", self.optimal_units, 2, math.inf)
        require_number("min_units", self.min_units, 2, math.inf)
        require_number("min_successes", self.min_successes, 1, math.inf)

    def too_early(self, metric: Metric, treatment: UnitStatistics, control: UnitStatistics) -> bool:
        """Whether there are too few units, or too few successes of a rate, for means to be about normal."""
        if min(float(treatment.count), float(control.count)) < self.min_units:
            return True
        if (
            metric.kind != "rate"
            or not isinstance(treatment, MeanStatistics)
            or not isinstance(control, MeanStatistics)
        ):
            return False
        units = float(treatment.count) + float(control.count)
        successes = float(treatment.mean) * float(treatment.count) + float(control.mean) * float(control.count)
        return min(successes, units - successes) < self.min_successes - 1e-6


@dataclass(frozen=True, slots=True)
class SequentialComparison:
    """What is known at one look; true at all looks together with the confidence that was asked for.

    Args:
        metric: name of the metric.
        treatment: its value.
        control: its value.
        difference: treatment less control.
        low: lower bound of the difference.
        high: upper bound.
        p_value: always valid, of this look.
        treatment_units: number of units.
        control_units: number of units.
        verdict: on treatment.
        sentence: what a person reads.
    """

    metric: str
    treatment: float
    control: float
    difference: float
    low: float
    high: float
    p_value: float
    treatment_units: int
    control_units: int
    verdict: Verdict
    sentence: str


def compare_sequentially(
    metric: Metric, treatment: UnitStatistics, control: UnitStatistics, settings: SequentialSettings | None = None
) -> SequentialComparison:
    """Compare two variants at this look.

    Args:
        metric: what is measured, and which direction is better.
        treatment: moments of its units, each counted once, when its outcome is final.
        control: of its units.
        settings: None: the default ones.

    Raises:
        ExperimentError: the moments do not fit the kind of the metric.
    """
    settings = settings or SequentialSettings()
    check_kind(metric, treatment, control)
    values = treatment.estimate(), control.estimate()
    change = difference(*values)
    optimal = settings.optimal_units / 2  # n m / (n + m) of as many units in each variant
    low, high = (float(bound) for bound in confidence_bounds(change, settings.alpha, optimal))
    early = settings.too_early(metric, treatment, control)
    if early or not math.isfinite(low):
        low, high, p_value, verdict = -math.inf, math.inf, 1.0, "too early" if early else "no difference shown"
    else:
        p_value = float(always_valid_p_value(change, optimal, settings.alpha))
        verdict = verdict_of(low, high, metric)
    return SequentialComparison(
        metric=metric.name,
        treatment=float(values[0].value),
        control=float(values[1].value),
        difference=float(change.value),
        low=low,
        high=high,
        p_value=p_value,
        treatment_units=int(treatment.count),
        control_units=int(control.count),
        verdict=verdict,  # type: ignore[arg-type]
        sentence=_sentence(metric, values, (low, high), verdict, settings),
    )


def verdict_of(low: float, high: float, metric: Metric) -> Verdict:
    """What an interval of the difference says of treatment."""
    if low <= 0 <= high or not (math.isfinite(low) and math.isfinite(high)):
        return "no difference shown"
    return "better" if (low > 0) == (metric.better == "higher") else "worse"


def check_kind(metric: Metric, *statistics: UnitStatistics) -> None:
    """Refuse moments of a mean for a ratio, and the other way round.

    Raises:
        ExperimentError: that is so.
    """
    for one in statistics:
        if isinstance(one, MeanStatistics) == (metric.kind == "ratio"):
            needed = "RatioStatistics" if metric.kind == "ratio" else "MeanStatistics"
            raise ExperimentError(
                f"metric {metric.name!r} is a {metric.kind} and needs {needed}; {type(one).__name__} came"
            )


def _sentence(
    metric: Metric,
    values: tuple[UnitEstimate, UnitEstimate],
    bounds: tuple[float, float],
    verdict: str,
    settings: SequentialSettings,
) -> str:
    treatment, control = float(values[0].value), float(values[1].value)
    if verdict == "too early":
        return (
            f"{metric.name}: too early to say; each variant needs {settings.min_units} units, and a rate "
            f"{settings.min_successes} with and without success."
        )
    seen = f"{metric.name}: treatment {treatment:.4g}, control {control:.4g}"
    if not np.isfinite(bounds).all():
        return f"{seen}; no difference shown, since nothing varies."
    return (
        f"{seen}, difference {treatment - control:+.3g} [{bounds[0]:+.3g}, {bounds[1]:+.3g}] at every look with "
        f"{1 - settings.alpha:.0%} confidence; {verdict}."
    )
