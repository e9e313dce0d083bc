"""Whether a guardrail is crossed: one-sided and always valid, so that it can be looked at after every unit."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from recsys.errors import ExperimentError
from recsys.experiments.confidence_sequences import upper_bound
from recsys.experiments.metric import Guardrail, Metric
from recsys.experiments.rate_sequences import rate_bounds
from recsys.experiments.sequential_analysis import SequentialSettings, check_kind
from recsys.experiments.unit_statistics import MeanStatistics, UnitEstimate, UnitStatistics, difference


@dataclass(frozen=True, slots=True)
class GuardrailResult:
    """What is known of a guardrail at one look.

    Args:
        guardrail: the bound.
        crossed: whether treatment is certainly beyond it.
        measured: whether there were enough units to say; a guardrail that was not measured is not crossed.
        margin: how far treatment is inside the bound, in units of the metric; negative where it is beyond; NaN without
            units.
        margin_bound: the most that the margin may be: the guardrail is crossed where it is below 0.
        sentence: what a person reads.
    """

    guardrail: Guardrail
    crossed: bool
    measured: bool
    margin: float
    margin_bound: float
    sentence: str


def check_guardrails(
    guardrails: Sequence[Guardrail],
    metrics: Sequence[Metric],
    treatment: Mapping[str, UnitStatistics],
    control: Mapping[str, UnitStatistics],
    settings: SequentialSettings | None = None,
) -> list[GuardrailResult]:
    """All guardrails of an experiment; together they cry wolf with probability ``alpha`` at most, at any look ever.

    Args:
        guardrails: the bounds.
        metrics: at least those of the guardrails.
        treatment: moments of its units by the names of metrics.
        control: of its units; may lack those that are bounded by a limit alone.
        settings: their ``alpha`` is divided among the guardrails; None: the default ones.

    Raises:
        ExperimentError: a metric or its moments are missing, or do not fit.
    """
    settings = settings or SequentialSettings()
    by_name = {metric.name: metric for metric in metrics}
    each = replace(settings, alpha=settings.alpha / max(1, len(guardrails)))
    found = []
    for guardrail in guardrails:
        if guardrail.metric not in by_name or guardrail.metric not in treatment:
            raise ExperimentError(
                f"guardrail {guardrail.metric!r} needs its metric and the moments of treatment; there are those of "
                f"{', '.join(sorted(set(by_name) & set(treatment))) or 'none'}"
            )
        units = treatment[guardrail.metric], control.get(guardrail.metric)
        found.append(check_guardrail(guardrail, by_name[guardrail.metric], *units, each))
    return found


def check_guardrail(
    guardrail: Guardrail,
    metric: Metric,
    treatment: UnitStatistics,
    control: UnitStatistics | None,
    settings: SequentialSettings,
) -> GuardrailResult:
    """One guardrail at one look.

    The margin is ``treatment - (1 - tolerance) control`` where higher is better, ``(1 + tolerance) control -
    treatment`` where lower is, and the distance to the limit where there is one. A rate against a limit is judged
    exactly, from the first unit on.

    Raises:
        ExperimentError: a relative guardrail has no control, or moments do not fit the metric.
    """
    if guardrail.relative_tolerance is None:
        return _against_limit(guardrail, metric, treatment, settings)
    if control is None:
        raise ExperimentError(
            f"guardrail {guardrail.metric!r} is relative to control, of which nothing came: pass its moments, or give "
            "the guardrail a limit"
        )
    check_kind(metric, treatment, control)
    sign = 1.0 if guardrail.better == "higher" else -1.0
    change = difference(treatment.estimate(), control.estimate(), 1.0 - sign * guardrail.relative_tolerance)
    margin = UnitEstimate(sign * change.value, change.standard_error, change.information)
    early = settings.too_early(metric, treatment, control)
    return _result(guardrail, margin, settings.alpha, settings.optimal_units / 2, early)


def _against_limit(
    guardrail: Guardrail, metric: Metric, treatment: UnitStatistics, settings: SequentialSettings
) -> GuardrailResult:
    assert guardrail.limit is not None
    check_kind(metric, treatment)
    sign = 1.0 if guardrail.better == "higher" else -1.0
    estimate = treatment.estimate()
    margin = UnitEstimate(sign * (estimate.value - guardrail.limit), estimate.standard_error, estimate.information)
    if metric.kind == "rate" and isinstance(treatment, MeanStatistics):
        count = float(treatment.count)
        successes = round(float(treatment.mean) * count) if count else 0
        # Both bounds hold together with 1 - alpha, so the one of them that counts does as well.
        low, high = rate_bounds(successes, count, settings.alpha)
        bound = float(high - guardrail.limit if sign > 0 else guardrail.limit - low)
        return _told(guardrail, float(margin.value), bound, measured=count > 0)
    early = float(treatment.count) < settings.min_units
    return _result(guardrail, margin, settings.alpha, settings.optimal_units, early)


def _result(
    guardrail: Guardrail, margin: UnitEstimate, alpha: float, optimal_information: float, early: bool
) -> GuardrailResult:
    bound = math.inf if early else float(upper_bound(margin, alpha, optimal_information))
    return _told(guardrail, float(margin.value), bound, measured=not early)


def _told(guardrail: Guardrail, margin: float, bound: float, measured: bool) -> GuardrailResult:
    crossed = measured and bound < 0
    if guardrail.limit is not None:
        allowed = f"must be {'at least' if guardrail.better == 'higher' else 'at most'} {guardrail.limit:g}"
    else:
        direction = "below" if guardrail.better == "higher" else "above"
        allowed = f"must be at most {100 * (guardrail.relative_tolerance or 0):.3g} % {direction} control"
    if not measured:
        state = "too few units to say"
    elif crossed:
        state = f"crossed, beyond it by {-margin:.3g}, and by {-bound:.3g} at least"
    else:
        state = f"not crossed, {'inside it' if margin >= 0 else 'beyond it, not certainly,'} by {abs(margin):.3g}"
    sentence = f"Guardrail: {guardrail.metric} {allowed}: {state}."
    return GuardrailResult(guardrail, crossed, measured, margin, bound, sentence)
