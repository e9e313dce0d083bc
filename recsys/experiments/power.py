"""How many units an experiment needs: looked at once (tea-tasting), and looked at all the time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import scipy.stats

from recsys.errors import ExperimentError
from recsys.experiments.confidence_sequences import two_sided_multiplier
from recsys.experiments.metric import require_number
from recsys.experiments.tea_tasting_library import tea_tasting
from recsys.experiments.unit_statistics import MeanStatistics, RatioStatistics, UnitStatistics

_ABOVE, _BELOW = "above", "below"


@dataclass(frozen=True, slots=True)
class PowerSettings:
    """What an experiment is to find, and how surely.

    Args:
        relative_change: of control's value, such as .05 or -.05.
        power: probability to find a change so large.
        alpha: probability to find one where there is none.
        treatment_share: of the units of both variants.

    Raises:
        ExperimentError: a value is out of range.
    """

    relative_change: float
    power: float = 0.8
    alpha: float = 0.05
    treatment_share: float = 0.5

    def __post_init__(self) -> None:
        require_number("relative_change", self.relative_change, -1.0, 100.0)
        if self.relative_change == 0:
            raise ExperimentError("relative_change must not be 0: no number of units finds a change that is not there")
        require_number("power", self.power, 0.01, 0.9999)
        require_number("alpha", self.alpha, 1e-9, 0.5)
        require_number("treatment_share", self.treatment_share, 1e-4, 1 - 1e-4)


@dataclass(frozen=True, slots=True)
class PlannedUnits:
    """Units of both variants together.

    Args:
        fixed_horizon: for one look when they have all come.
        always_valid: for looks at any time, with ``optimal_units`` of that number; the change is found
            before in most experiments.
        sentence: what a person reads.
    """

    fixed_horizon: int
    always_valid: int
    sentence: str


def plan_units(control: UnitStatistics, settings: PowerSettings) -> PlannedUnits:
    """Units that are needed to find a change.

    Treatment is taken to vary as control does. A rate that rises varies more: planned for a power of 80 %, a rate of
    .10 that rises to .11 is found with 78 %.

    Args:
        control: moments of units as they are today.
        settings: what is to be found.

    Raises:
        ExperimentError: tea-tasting is not installed, or the moments have no variance or a mean of 0.
    """
    test = _test(settings, relative_change=settings.relative_change)
    fixed = int(test.solve_power_from_aggregates(_aggregates(control), "n_obs")[0].n_obs)
    always = _always_valid_units(control, settings)
    value = float(control.estimate().value)
    return PlannedUnits(
        fixed,
        always,
        f"Finding a change of {100 * settings.relative_change:+.3g} % of {value:.4g} with a probability of "
        f"{settings.power:.0%} takes {fixed:,} units in all where one looks once, and {always:,} where one looks at "
        "any time.",
    )


def detectable_change(control: UnitStatistics, units: int, settings: PowerSettings) -> float:
    """The relative change that so many units of both variants find when looked at once; of the sign of the settings'.

    Raises:
        ExperimentError: tea-tasting is not installed, or the moments have no variance or a mean of 0.
    """
    require_number("units", units, 4, math.inf)
    test = _test(settings, n_obs=units)
    found = float(test.solve_power_from_aggregates(_aggregates(control), "rel_effect_size")[0].rel_effect_size)
    return math.copysign(found, settings.relative_change)


def _test(settings: PowerSettings, relative_change: float | None = None, n_obs: int | None = None) -> Any:
    share = settings.treatment_share
    return tea_tasting().RatioOfMeans(
        _ABOVE,
        _BELOW,
        alternative="two-sided",
        equal_var=False,
        use_t=False,
        alpha=settings.alpha,
        ratio=share / (1 - share),
        power=settings.power,
        rel_effect_size=relative_change,
        n_obs=n_obs,
    )


def _aggregates(control: UnitStatistics) -> Any:
    """The moments in the library's type; a mean is a ratio whose denominator is 1."""
    estimate = control.estimate()
    if not float(estimate.standard_error) > 0 or float(estimate.value) == 0:
        raise ExperimentError(
            "planning needs units that vary and a value that is not 0; the value is "
            f"{float(estimate.value):g} with standard error {float(estimate.standard_error):g}: pass more units"
        )
    aggregates = tea_tasting().aggr.Aggregates
    if isinstance(control, RatioStatistics):
        return aggregates(
            int(control.count),
            {_ABOVE: float(control.numerator_mean), _BELOW: float(control.denominator_mean)},
            {_ABOVE: float(control.numerator_variance), _BELOW: float(control.denominator_variance)},
            {(_ABOVE, _BELOW): float(control.covariance)},
        )
    assert isinstance(control, MeanStatistics)
    return aggregates(
        int(control.count),
        {_ABOVE: float(control.mean), _BELOW: 1.0},
        {_ABOVE: float(control.variance), _BELOW: 0.0},
        {(_ABOVE, _BELOW): 0.0},
    )


def _always_valid_units(control: UnitStatistics, settings: PowerSettings) -> int:
    """Units at which the estimate is outside the sequence's interval around 0 with the wanted probability.

    With n units, shares p and q, and the standard deviation s of a unit, the standard error is ``s / sqrt(n p q)``; the
    change must be ``c + z`` standard errors, where c is the multiplier of the sequence at its best point.
    """
    estimate = control.estimate()
    deviation = float(estimate.standard_error) * math.sqrt(float(control.count))
    change = abs(settings.relative_change * float(estimate.value))
    multiplier = float(two_sided_multiplier(1.0, settings.alpha, 1.0))
    needed = multiplier + float(scipy.stats.norm.ppf(settings.power))
    return math.ceil((needed * deviation / change) ** 2 / (settings.treatment_share * (1 - settings.treatment_share)))
