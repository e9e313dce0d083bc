r"""Confidence sequences of rates that hold exactly, from the first unit on, however rare what is counted.

With s successes among n units, the likelihood ratio of a Beta(a, b) mixture of rates against one rate p,

.. math:: M(p) = \frac{B(a + s, b + n - s)}{B(a, b)\, p^s (1 - p)^{n - s}},

is a martingale if p is the true rate, so the rates with ``M(p) < 1 / alpha`` are a confidence sequence: at all looks
together the truth is among them with probability ``1 - alpha``, without any approximation.

Source: Robbins, Statistical Methods Related to the Law of the Iterated Logarithm, 1970, section 9.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import scipy.special

from recsys.errors import ExperimentError
from recsys.experiments.metric import require_number
from recsys.experiments.unit_statistics import Numbers
from recsys.retrieval.types import BoolArray, FloatArray

_BISECTIONS = 52


def rate_bounds(
    successes: Numbers, count: Numbers, alpha: float, prior: tuple[float, float] = (0.5, 0.5)
) -> tuple[FloatArray, FloatArray]:
    """Lower and upper bounds of a rate that hold at all looks together with probability ``1 - alpha``.

    Args:
        successes: units with success, at each look.
        count: all units.
        alpha: probability that the sequence ever misses the rate.
        prior: a and b of the mixture: where rates are expected. The sequence is exact whatever they are.

    Raises:
        ExperimentError: there are more successes than units, or a setting is out of range.
    """
    require_number("alpha", alpha, 1e-12, 0.999)
    ones, total = _counts(successes, count)
    level = _log_mixture(ones, total, prior) + math.log(alpha)
    with np.errstate(invalid="ignore", divide="ignore"):
        top = np.where(total > 0, ones / total, 0.5)  # of the likelihood, which falls on either side of it

    def outside(p: FloatArray) -> BoolArray:
        return scipy.special.xlogy(ones, p) + scipy.special.xlog1py(total - ones, -p) <= level

    low, high = _boundary(outside, np.stack([np.zeros_like(top), np.ones_like(top)]), np.stack([top, top]))
    return np.where(ones > 0, low, 0.0), np.where(ones < total, high, 1.0)


def always_valid_rate_p_value(
    successes: Numbers, count: Numbers, null: float, prior: tuple[float, float] = (0.5, 0.5)
) -> FloatArray:
    """The p-value of one look against a rate, ``min(1, 1 / M(null))``; the smallest of all looks is a p-value as well.

    It is at most alpha exactly where the bounds of :func:`rate_bounds` leave ``null`` out.

    Raises:
        ExperimentError: there are more successes than units, or ``null`` is not between 0 and 1.
    """
    require_number("null", null, 1e-12, 1 - 1e-12)
    ones, total = _counts(successes, count)
    log_m = _log_mixture(ones, total, prior) - ones * math.log(null) - (total - ones) * math.log1p(-null)
    return np.exp(-np.clip(log_m, 0.0, 700.0))


def rate_difference_bounds(
    first: tuple[Numbers, Numbers], second: tuple[Numbers, Numbers], alpha: float
) -> tuple[FloatArray, FloatArray]:
    """Bounds of the difference between two rates, each given as successes and units: half of ``alpha`` for each.

    They are exact, and wider than the asymptotic ones of
    :func:`recsys.experiments.confidence_sequences.confidence_bounds`: for rates so low that few units succeed.
    """
    first_low, first_high = rate_bounds(*first, alpha / 2)
    second_low, second_high = rate_bounds(*second, alpha / 2)
    return first_low - second_high, first_high - second_low


def _counts(successes: Numbers, count: Numbers) -> tuple[FloatArray, FloatArray]:
    ones, total = np.broadcast_arrays(np.asarray(successes, np.float64), np.asarray(count, np.float64))
    if ((ones < 0) | (ones > total)).any():
        raise ExperimentError("successes must be from 0 to the number of units: pass counts of units, not of events")
    return ones, total


def _log_mixture(ones: FloatArray, total: FloatArray, prior: tuple[float, float]) -> FloatArray:
    """Logarithm of the likelihood, averaged over the rates of the prior."""
    if min(prior) <= 0:
        raise ExperimentError(f"both numbers of the prior must be above 0; they are {prior}")
    a, b = prior
    return scipy.special.betaln(a + ones, b + total - ones) - scipy.special.betaln(a, b)


def _boundary(outside: Callable[[FloatArray], BoolArray], outer: FloatArray, inner: FloatArray) -> FloatArray:
    """The outer end of the rates that are not outside, by bisection from a rate that is and one that is not."""
    for _ in range(_BISECTIONS):
        middle = 0.5 * (outer + inner)
        is_outside = outside(middle)
        outer, inner = np.where(is_outside, middle, outer), np.where(is_outside, inner, middle)
    return outer
