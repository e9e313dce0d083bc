r"""Confidence sequences: intervals that hold at all times at once, so that looking often is safe.

A sequence of level ``1 - alpha`` holds the truth *at every look* with that probability. An experiment may be looked at
after each unit and stopped at any time, for any reason.

With the sum ``S`` of ``t`` centred units of variance ``s**2``, the mixture ``M = E[exp(l S/s - l**2 t/2)]`` over ``l``
from a normal distribution with mean 0 and variance ``rho**2`` is a martingale if the units are normal, so it reaches
``1 / alpha`` with probability alpha at most (Ville's inequality). It is

.. math:: M = (u + 1)^{-1/2} \exp\left(\frac{u}{u + 1} \frac{z^2}{2}\right), \quad u = t \rho^2,

where z is the estimate divided by its standard error. So the interval is the estimate and ``c(u)`` standard errors on
either side, ``c(u)**2 = (1 + 1/u) ln((1 + u) / alpha**2)``. One-sided, ``l`` is from the positive half of the normal
distribution and M is multiplied by ``2 Phi(z sqrt(u / (u + 1)))``. For units that are not normal, and a variance that
is estimated, the sequence is asymptotic: it holds from a number of units on at which means are about normal, as
intervals by the central limit theorem do. So callers look only after a burn-in.

u is 0 at the start and grows with the information of an estimate; ``c`` is smallest at the information that is said
beforehand (``optimal_information``).

Source: Robbins, Statistical Methods Related to the Law of the Iterated Logarithm, 1970; Howard, Ramdas, McAuliffe and
Sekhon, Time-uniform, Nonparametric, Nonasymptotic Confidence Sequences, 2021; Waudby-Smith, Arbour, Sinha, Kennedy and
Ramdas, Time-uniform Central Limit Theory and Asymptotic Confidence Sequences, Annals of Statistics 2024.
"""

from __future__ import annotations

import math

import numpy as np
import scipy.special

from recsys.errors import ExperimentError
from recsys.experiments.metric import require_number
from recsys.experiments.unit_statistics import Numbers, UnitEstimate
from recsys.retrieval.types import FloatArray

_NEWTON_STEPS = 12


def two_sided_multiplier(information: Numbers, alpha: float, optimal_information: float) -> FloatArray:
    """Standard errors on either side of an estimate, at each information.

    Args:
        information: of the estimate; infinity comes where it is 0.
        alpha: probability that the sequence ever misses the truth.
        optimal_information: at which the multiplier is smallest.

    Raises:
        ExperimentError: ``alpha`` or ``optimal_information`` is out of range.
    """
    u = _mixing_time(information, alpha, optimal_information)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(u > 0, np.sqrt((1 + 1 / u) * (np.log1p(u) - 2 * math.log(alpha))), np.inf)


def one_sided_multiplier(information: Numbers, alpha: float, optimal_information: float) -> FloatArray:
    """Standard errors on one side of an estimate, at each information; arguments as of the two-sided multiplier."""
    require_number("alpha of one side", alpha, 1e-12, 0.49)
    u = _mixing_time(information, 2 * alpha, optimal_information)
    # Solve x**2 / 2 + ln Phi(x) = level, of which the left side is convex and increasing, from a point above.
    level = 0.5 * np.log1p(u) - math.log(2 * alpha)
    x = np.sqrt(2 * (level + math.log(2)))
    for _ in range(_NEWTON_STEPS):
        log_phi = scipy.special.log_ndtr(x)
        slope = x + np.exp(-0.5 * x**2 - log_phi) / math.sqrt(2 * math.pi)
        x = x - (0.5 * x**2 + log_phi - level) / slope
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(u > 0, x * np.sqrt(1 + 1 / u), np.inf)


def confidence_bounds(
    estimate: UnitEstimate, alpha: float, optimal_information: float
) -> tuple[FloatArray, FloatArray]:
    """Lower and upper bounds that hold the truth at all looks together with probability ``1 - alpha``.

    Bounds are infinite where the standard error is not known or 0: nothing is known of what does not vary yet.

    Raises:
        ExperimentError: ``alpha`` or ``optimal_information`` is out of range.
    """
    half = _half_width(estimate, two_sided_multiplier(estimate.information, alpha, optimal_information))
    return _value(estimate) - half, _value(estimate) + half


def lower_bound(estimate: UnitEstimate, alpha: float, optimal_information: float) -> FloatArray:
    """A bound that the truth is above at all looks together with probability ``1 - alpha``."""
    return _value(estimate) - _half_width(
        estimate, one_sided_multiplier(estimate.information, alpha, optimal_information)
    )


def upper_bound(estimate: UnitEstimate, alpha: float, optimal_information: float) -> FloatArray:
    """A bound that the truth is below at all looks together with probability ``1 - alpha``."""
    return _value(estimate) + _half_width(
        estimate, one_sided_multiplier(estimate.information, alpha, optimal_information)
    )


def always_valid_p_value(
    estimate: UnitEstimate, optimal_information: float, alpha: float = 0.05, null: float = 0.0
) -> FloatArray:
    """The p-value of one look, against ``null``: ``min(1, 1 / M)``.

    It is at most ``alpha`` exactly where :func:`confidence_bounds` with this ``alpha`` leave ``null`` out.
    The smallest over the looks so far is again a p-value, whenever the experiment ends.

    Args:
        estimate: of this look.
        optimal_information: at which the test has the most power.
        alpha: the level that the sequence was made for; the mixture depends on it.
        null: the value that is tested.
    """
    u = _mixing_time(estimate.information, alpha, optimal_information)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = (_value(estimate) - null) / np.asarray(estimate.standard_error)
        log_m = 0.5 * (u / (u + 1) * z**2 - np.log1p(u))
    return np.where(_is_known(estimate), np.exp(-np.clip(log_m, 0.0, 700.0)), 1.0)


def _mixing_time(information: Numbers, alpha: float, optimal_information: float) -> FloatArray:
    """``u`` of the formulas: it is at its best value for ``alpha`` when the information is the optimal one.

    The width is smallest where the derivative of ``(1 + 1/u) ln((1 + u) / alpha**2)`` is 0, which is where
    ``ln((1 + u) / alpha**2) = u``, so ``u = -1 - W(-alpha**2 / e)`` with the lower branch of Lambert's W.
    """
    require_number("alpha", alpha, 1e-12, 0.999)
    require_number("optimal_information", optimal_information, 1e-12, math.inf)
    best = -1.0 - float(np.real(scipy.special.lambertw(-(alpha**2) / math.e, k=-1)))
    values = np.asarray(information, np.float64)
    if (values < 0).any():
        raise ExperimentError(f"information must not be negative; {float(values.min()):g} came")
    return values * (best / optimal_information)


def _half_width(estimate: UnitEstimate, multiplier: FloatArray) -> FloatArray:
    known = _is_known(estimate) & np.isfinite(multiplier)
    with np.errstate(invalid="ignore"):
        return np.where(known, np.asarray(estimate.standard_error) * multiplier, np.inf)


def _is_known(estimate: UnitEstimate) -> np.ndarray:
    errors = np.asarray(estimate.standard_error, np.float64)
    return np.isfinite(errors) & (errors > 0) & np.isfinite(_value(estimate))


def _value(estimate: UnitEstimate) -> FloatArray:
    return np.asarray(estimate.value, np.float64)
