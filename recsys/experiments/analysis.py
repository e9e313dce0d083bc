"""Variants compared once, when as many units have come as were planned: intervals narrower than those of looking often.

The statistics are tea-tasting's: Welch's t-test for means and, by the delta method, for ratios; the z-test of two
proportions for rates; CUPED where a covariate from before the experiment is given.

Source of CUPED: Deng, Xu, Kohavi and Walker, Improving the Sensitivity of Online Controlled Experiments by Utilizing
Pre-Experiment Data, WSDM 2013.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from recsys.errors import ExperimentError
from recsys.experiments.metric import Metric, require_number, require_one_of
from recsys.experiments.outcomes import VARIANT
from recsys.experiments.sequential_analysis import Verdict, verdict_of
from recsys.experiments.tea_tasting_library import tea_tasting
from recsys.experiments.unit_metrics import denominator_column, unit_metrics

#: How p-values are corrected for the number of comparisons: the chance of one false discovery, or the share of them.
Correction = Literal["holm", "benjamini_hochberg", "none"]
CORRECTIONS = ("holm", "benjamini_hochberg", "none")


@dataclass(frozen=True, slots=True)
class FixedHorizonSettings:
    """When and how the comparison is made.

    Args:
        planned_units: of each variant; before, the verdict is that it is too early. None: the plan is fulfilled.
        alpha: probability to find a difference where there is none.
        correction: for all metrics and variants together.
        min_units: fewer units of a variant are too early, whatever was planned.
        covariates: by the name of a metric, a column of the units that was known before the experiment and goes with
            the metric, such as its value in the weeks before (CUPED).

    Raises:
        ExperimentError: a value is out of range.
    """

    planned_units: int | None = None
    alpha: float = 0.05
    correction: Correction = "holm"
    min_units: int = 100
    covariates: Mapping[str, str] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        require_number("alpha", self.alpha, 1e-9, 0.5)
        require_number("min_units", self.min_units, 2, math.inf)
        require_one_of("the correction", self.correction, CORRECTIONS)
        if self.planned_units is not None:
            require_number("planned_units", self.planned_units, 1, math.inf)


@dataclass(frozen=True, slots=True)
class FixedHorizonComparison:
    """Treatment against control by one metric.

    Args:
        metric: name of the metric.
        variant: name of the treatment.
        treatment: its value; adjusted by the covariate where there is one.
        control: the same of control.
        difference: treatment less control.
        low: lower bound of the difference, without correction.
        high: upper bound.
        relative_difference: the difference divided by control's value.
        relative_low: lower bound.
        relative_high: upper bound.
        p_value: two-sided.
        corrected_p_value: corrected for all comparisons; the verdict goes by it.
        verdict: on treatment.
        sentence: what a person reads.
    """

    metric: str
    variant: str
    treatment: float
    control: float
    difference: float
    low: float
    high: float
    relative_difference: float
    relative_low: float
    relative_high: float
    p_value: float
    corrected_p_value: float
    verdict: Verdict
    sentence: str


def analyse(
    units: pd.DataFrame, metrics: Sequence[Metric], control: str, settings: FixedHorizonSettings | None = None
) -> list[FixedHorizonComparison]:
    """Compare each variant with control by each metric.

    Args:
        units: rows of :func:`recsys.experiments.outcomes.join_outcomes`, with the columns of the covariates.
        metrics: what is compared.
        control: name of the variant.
        settings: None: the default ones.

    Returns:
        Variants in the order of their names, and metrics in theirs.

    Raises:
        ExperimentError: tea-tasting is not installed, or there are no units of control or of another variant, or a
            covariate is missing.
    """
    settings = settings or FixedHorizonSettings()
    numbers = _with_covariates(unit_metrics(units, metrics), units, metrics, settings)
    counts = numbers[VARIANT].value_counts()
    if not metrics:
        raise ExperimentError("an analysis needs at least one metric; there is none")
    if control not in counts or len(counts) < 2:
        raise ExperimentError(
            f"an analysis needs units of control ({control!r}) and of another variant; there are those of "
            f"{', '.join(sorted(map(str, counts.index))) or 'none'}"
        )
    early = {str(name) for name in counts.index if min(counts[name], counts[control]) < _needed(settings)}
    results = _results(numbers, metrics, control, settings)
    means = numbers.groupby(VARIANT)[[metric.name for metric in metrics]].mean()
    comparisons = []
    for variant in sorted(set(map(str, counts.index)) - {control}):
        for metric in metrics:
            row = results.get(variant, {}).get(metric.name) or _row_of_constants(means[metric.name], variant, control)
            comparisons.append(_comparison(metric, variant, row, variant in early, settings))
    return comparisons


def _needed(settings: FixedHorizonSettings) -> int:
    return max(settings.min_units, settings.planned_units or 0)


def _with_covariates(
    numbers: pd.DataFrame, units: pd.DataFrame, metrics: Sequence[Metric], settings: FixedHorizonSettings
) -> pd.DataFrame:
    names = [metric.name for metric in metrics]
    for metric, column in settings.covariates.items():
        if metric not in names or column not in units:
            raise ExperimentError(
                f"the covariate {column!r} of {metric!r} needs a metric ({', '.join(names)}) and a column of the units "
                f"({', '.join(map(str, units.columns))})"
            )
        numbers[_covariate(metric)] = units[column].astype("float64").to_numpy()
        if numbers[_covariate(metric)].isna().any():
            raise ExperimentError(
                f"the covariate {column!r} must be known of all units; of some it is not: fill in the mean of the "
                "others"
            )
    return numbers


def _covariate(metric: str) -> str:
    return f"{metric}:covariate"


def _results(
    numbers: pd.DataFrame, metrics: Sequence[Metric], control: str, settings: FixedHorizonSettings
) -> dict[str, dict[str, dict[str, Any]]]:
    """Rows of tea-tasting by variant and metric, with corrected p-values."""
    library = tea_tasting()
    compared = {}
    for variant in sorted(set(map(str, numbers[VARIANT])) - {control}):
        pair = numbers[numbers[VARIANT].isin([control, variant])]
        tests = {
            f"m{place}": _test(library, metric, settings)
            for place, metric in enumerate(metrics)
            if (pair.groupby(VARIANT)[metric.name].nunique() > 1).any()
        }
        if tests:
            with np.errstate(all="ignore"):  # a control of 0 has no relative difference, which is told as such
                compared[variant] = library.Experiment(tests, variant=VARIANT).analyze(pair, control)
    if not compared:
        return {}
    match settings.correction:
        case "holm":
            corrected = library.adjust_fwer(
                compared, alpha=settings.alpha, arbitrary_dependence=True, method="bonferroni"
            )
        case "benjamini_hochberg":
            corrected = library.adjust_fdr(compared, alpha=settings.alpha)
        case _:
            corrected = {
                variant: {name: row._asdict() | {"pvalue_adj": row.pvalue} for name, row in rows.items()}
                for variant, rows in compared.items()
            }
    names = {f"m{place}": metric.name for place, metric in enumerate(metrics)}
    return {variant: {names[key]: dict(row) for key, row in rows.items()} for variant, rows in dict(corrected).items()}


def _row_of_constants(means: pd.Series, variant: str, control: str) -> dict[str, float]:
    """A row for a metric that does not vary among the units of either variant, of which no test says anything."""
    bounds = ("effect_size_ci_lower", "effect_size_ci_upper", "rel_effect_size_ci_lower", "rel_effect_size_ci_upper")
    values = {"treatment": float(means[variant]), "control": float(means[control]), "pvalue": 1.0, "pvalue_adj": 1.0}
    sizes = {"effect_size": values["treatment"] - values["control"], "rel_effect_size": math.nan}
    return values | sizes | dict.fromkeys(bounds, math.nan)


def _test(library: Any, metric: Metric, settings: FixedHorizonSettings) -> Any:
    """The test of a metric. Columns go by position, since their names as arguments differ between releases."""
    common = {"alternative": "two-sided", "confidence_level": 1 - settings.alpha}
    covariate = _covariate(metric.name) if metric.name in settings.covariates else None
    if metric.kind == "ratio":
        below = denominator_column(metric)
        # A covariate is a number of the unit, as the ratio's parts are: it is divided by the mean of ones.
        return library.RatioOfMeans(metric.name, below, covariate, None, equal_var=False, use_t=True, **common)
    if metric.kind == "rate" and covariate is None:
        return library.Proportion(metric.name, method="norm", correction=False, equal_var=False, **common)
    return library.Mean(metric.name, covariate, equal_var=False, use_t=True, **common)


def _comparison(
    metric: Metric, variant: str, row: Mapping[str, Any], early: bool, settings: FixedHorizonSettings
) -> FixedHorizonComparison:
    values = {key: float(value) for key, value in row.items() if isinstance(value, int | float)}
    p_value, corrected = values["pvalue"], values["pvalue_adj"]
    low, high = values["effect_size_ci_lower"], values["effect_size_ci_upper"]
    verdict: Verdict = "no difference shown"
    if early:
        verdict = "too early"
    elif corrected <= settings.alpha:
        verdict = verdict_of(low, high, metric)
    return FixedHorizonComparison(
        metric=metric.name,
        variant=variant,
        treatment=values["treatment"],
        control=values["control"],
        difference=values["effect_size"],
        low=low,
        high=high,
        relative_difference=values["rel_effect_size"],
        relative_low=values["rel_effect_size_ci_lower"],
        relative_high=values["rel_effect_size_ci_upper"],
        p_value=p_value,
        corrected_p_value=corrected,
        verdict=verdict,
        sentence=_sentence(metric, variant, values, verdict, settings),
    )


def _sentence(
    metric: Metric, variant: str, values: Mapping[str, float], verdict: str, settings: FixedHorizonSettings
) -> str:
    if verdict == "too early":
        return f"{metric.name}: too early to say of {variant}; each variant needs {_needed(settings)} units."
    seen = f"{metric.name}: {variant} {values['treatment']:.4g}, control {values['control']:.4g}"
    if math.isnan(values["effect_size_ci_lower"]):
        return f"{seen}; no difference shown, since nothing varies."
    relative = [values[f"rel_effect_size{part}"] for part in ("", "_ci_lower", "_ci_upper")]
    if all(map(math.isfinite, relative)):
        change, low, high = (f"{number:+.1%}" for number in relative)
    else:
        change, low, high = (f"{values[f'effect_size{part}']:+.3g}" for part in ("", "_ci_lower", "_ci_upper"))
    return (
        f"{seen}, difference {change} [{low}, {high}], p = {values['pvalue_adj']:.2g} of all comparisons together; "
        f"{verdict}."
    )
