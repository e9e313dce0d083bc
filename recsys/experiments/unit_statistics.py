"""What is kept of the units of a variant: counts, means, variances. All else is computed from these.

Every number may be an array, such as one for each look or each simulated experiment; shapes are broadcast.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from recsys.errors import ExperimentError
from recsys.retrieval.types import FloatArray

#: A number, or an array of them.
Numbers: TypeAlias = float | FloatArray


@dataclass(frozen=True, slots=True)
class UnitEstimate:
    """A number that was estimated from units.

    Args:
        value: the estimate.
        standard_error: of it; NaN or 0 where there are too few units to know.
        information: grows in proportion to the units, as ``1 / standard_error**2`` does, but without its noise: the
            number of units of a mean; ``n m / (n + m)`` of a difference between n and m units.
    """

    value: Numbers
    standard_error: Numbers
    information: Numbers


@dataclass(frozen=True, slots=True)
class MeanStatistics:
    """Moments of one number of each unit: a rate or a mean.

    Args:
        count: number of units.
        mean: of their numbers; NaN without units.
        variance: unbiased; NaN with fewer than two units.
    """

    count: Numbers
    mean: Numbers
    variance: Numbers

    @classmethod
    def from_values(cls, values: Sequence[float] | FloatArray) -> MeanStatistics:
        """The moments of the numbers of units, shape [units].

        Raises:
            ExperimentError: they are not finite numbers in one dimension.
        """
        numbers = unit_values("values", values)
        count = len(numbers)
        mean = float(numbers.mean()) if count else np.nan
        return cls(count, mean, float(numbers.var(ddof=1)) if count > 1 else np.nan)

    @classmethod
    def from_successes(cls, successes: Numbers, count: Numbers) -> MeanStatistics:
        """The moments of numbers that are 0 or 1, of which there are so many ones."""
        total, ones = np.asarray(count, np.float64), np.asarray(successes, np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = ones / total
            return cls(total, rate, rate * (1 - rate) * total / (total - 1))

    def estimate(self) -> UnitEstimate:
        """The mean with its standard error."""
        with np.errstate(invalid="ignore", divide="ignore"):
            error = np.sqrt(np.asarray(self.variance) / np.asarray(self.count))
        return UnitEstimate(self.mean, error, self.count)


@dataclass(frozen=True, slots=True)
class RatioStatistics:
    """Moments of two numbers of each unit, of which the sums are divided: clicks by recommendations, for example.

    The standard error is that of the delta method, which treats units, not recommendations, as independent:
    ``var(a / b) = (var_a - 2 r cov + r**2 var_b) / (n mean_b**2)`` with ``r = mean_a / mean_b``.
    Source: Deng, Knoblich and Lu, Applying the Delta Method in Metric Analytics, KDD 2018.

    Args:
        count: number of units.
        numerator_mean: mean over units.
        denominator_mean: mean over units, above 0.
        numerator_variance: unbiased.
        denominator_variance: unbiased.
        covariance: unbiased.
    """

    count: Numbers
    numerator_mean: Numbers
    denominator_mean: Numbers
    numerator_variance: Numbers
    denominator_variance: Numbers
    covariance: Numbers

    @classmethod
    def from_values(
        cls, numerators: Sequence[float] | FloatArray, denominators: Sequence[float] | FloatArray
    ) -> RatioStatistics:
        """The moments of the numbers of units, both of shape [units].

        Raises:
            ExperimentError: they are not finite numbers in one dimension, or not equally many.
        """
        above, below = unit_values("numerators", numerators), unit_values("denominators", denominators)
        if len(above) != len(below):
            raise ExperimentError(
                f"a ratio needs both numbers of each unit; there are {len(above)} numerators and {len(below)} "
                "denominators"
            )
        if len(above) < 2:
            top, bottom = (float(one.mean()) if len(one) else np.nan for one in (above, below))
            return cls(len(above), top, bottom, np.nan, np.nan, np.nan)
        covariance = np.cov(above, below)
        return cls(
            len(above),
            float(above.mean()),
            float(below.mean()),
            float(covariance[0, 0]),
            float(covariance[1, 1]),
            float(covariance[0, 1]),
        )

    def estimate(self) -> UnitEstimate:
        """The ratio with its standard error."""
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = np.asarray(self.numerator_mean) / self.denominator_mean
            spread = (
                np.asarray(self.numerator_variance)
                - 2 * ratio * self.covariance
                + ratio**2 * np.asarray(self.denominator_variance)
            )
            variance = np.maximum(spread, 0.0) / (np.asarray(self.count) * np.asarray(self.denominator_mean) ** 2)
        return UnitEstimate(ratio, np.sqrt(variance), self.count)


#: What a variant has of a metric.
UnitStatistics: TypeAlias = MeanStatistics | RatioStatistics


def difference(first: UnitEstimate, second: UnitEstimate, weight: float = 1.0) -> UnitEstimate:
    """The estimate ``first - weight * second`` of two independent groups of units."""
    n, m = np.asarray(first.information, np.float64), np.asarray(second.information, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        return UnitEstimate(
            np.asarray(first.value) - weight * np.asarray(second.value),
            np.hypot(first.standard_error, weight * np.asarray(second.standard_error)),
            np.where(n + m > 0, n * m / (n + m), 0.0),
        )


def unit_values(what: str, values: Any) -> FloatArray:
    """Numbers of units as an array of float64, shape [units].

    Raises:
        ExperimentError: they are not finite numbers in one dimension.
    """
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ExperimentError(f"{what} must be numbers, one for each unit; {values!r} came") from None
    if numbers.ndim != 1:
        raise ExperimentError(f"{what} must be one for each unit, an array of one dimension; it has {numbers.ndim}")
    if not np.isfinite(numbers).all():
        raise ExperimentError(f"{what} must be finite numbers; {int((~np.isfinite(numbers)).sum())} are not")
    return numbers
