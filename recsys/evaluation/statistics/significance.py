"""Bootstrap confidence intervals of means over users.

Shape suffixes: U users, M measures, R resamples.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from recsys.errors import EvaluationError
from recsys.evaluation.means import FloatArray, mean_over_users
from recsys.evaluation.statistics.resampling import resampled_ratios

#: Fewer users, or fewer with a hit, and percentile intervals are too narrow.
_FEW_USERS, _FEW_HITS = 100, 20


def narrow_intervals_note(values: FloatArray) -> str:
    """A warning where the percentile intervals of a measure are too narrow to be relied on; else an empty text.

    Resamples of few users, or of few that are not zero, are too much alike: in a simulation with 20 users of whom 30 %
    have a hit the intervals of 95 % held the truth in 88 % of the cases, with 50 users and 10 % in 85 %, with 300 users
    and 1 % in 80 %.

    Args:
        values: of one measure for each user, shape [U]; NaN for a user for whom it is not defined.
    """
    defined = values[~np.isnan(values)]
    num_users, num_hits = len(defined), int((defined != 0).sum())
    if 0 < num_users < _FEW_USERS:
        reason = f"there are only {num_users} users in the test"
    elif 0 < num_users and num_hits < _FEW_HITS:
        reason = f"only {num_hits} of {num_users:,} users in the test have a hit"
    else:
        return ""
    return (
        f"{reason[0].upper()}{reason[1:]}: intervals of so few are too narrow, and hold the truth in some 80 % to 92 % "
        "of cases instead of 95 %. Test more users, or a longer list."
    )


class Interval(NamedTuple):
    """Ends of a confidence interval."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over users and its bootstrap interval.

    Args:
        mean: over the users for whom the measure is defined.
        low: lower end of the interval; NaN without a bootstrap.
        high: upper end of the interval; NaN without a bootstrap.
        num_users: users for whom the measure is defined.
    """

    mean: float
    low: float
    high: float
    num_users: int

    @property
    def interval(self) -> Interval:
        """Both ends."""
        return Interval(self.low, self.high)

    @classmethod
    def of(cls, values: FloatArray, num_samples: int, seed: int) -> Estimate:
        """The estimate from the values of each user, with a 95 % interval.

        Args:
            values: of one measure, shape [U]; NaN for a user for whom it is not defined.
            num_samples: resamples of the bootstrap; 0 for none.
            seed: of the bootstrap.
        """
        (low, high) = (
            bootstrap_intervals(values[:, None], num_samples, seed)[0] if num_samples > 0 else (math.nan, math.nan)
        )
        return cls(float(mean_over_users(values[:, None])[0]), low, high, int((~np.isnan(values)).sum()))


def bootstrap_intervals(
    values: FloatArray | Tensor, num_samples: int = 1000, seed: int = 0, confidence: float = 0.95
) -> list[Interval]:
    """Percentile bootstrap intervals of means over users.

    Users are drawn with replacement, as many as there are, ``num_samples`` times; all measures share the draws. The
    interval cuts off equal shares of the resampled means at both ends. It shows how the mean varies with other users of
    the same population, not with another split or another training seed.
    Source: Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13.

    Args:
        values: shape [U, M], float64; NaN where a measure is undefined for a user, who is then left out of its mean. On
            a GPU all is computed there.
        num_samples: number of resamples, R, at least 1.
        seed: seed of the draws; the same seed gives the same intervals.
        confidence: share of resampled means inside the interval, between 0 and 1.

    Returns:
        One interval for each measure; NaN for a measure that is undefined for every user.

    Raises:
        EvaluationError: there are no users, or a setting is out of range.
    """
    # A view of a Pandas column may be read-only, which tensors do not take.
    values = values if isinstance(values, torch.Tensor) else torch.from_numpy(np.require(values, requirements="W"))
    missing = values.isnan()
    if not bool(missing.any()):
        return _ratio_intervals(values, torch.ones_like(values[:, :1]), num_samples, seed, confidence)
    return _ratio_intervals(values.masked_fill(missing, 0.0), (~missing).double(), num_samples, seed, confidence)


def bootstrap_ratio_intervals(
    totals: FloatArray, counts: FloatArray, num_samples: int = 1000, seed: int = 0, confidence: float = 0.95
) -> list[Interval]:
    """Percentile bootstrap intervals of means over observations of which users have several, such as ratings.

    Users are drawn as in :func:`bootstrap_intervals`, each with all their observations: the mean is the sum of the
    totals of the drawn users divided by the sum of their counts.

    Args:
        totals: sum over the observations of each user, shape [U, M].
        counts: number of observations of each user, shape [U].
        num_samples: number of resamples, R, at least 1.
        seed: seed of the draws; the same seed gives the same intervals.
        confidence: share of resampled means inside the interval, between 0 and 1.

    Returns:
        One interval for each measure.

    Raises:
        EvaluationError: there are no users, or a setting is out of range.
    """
    return _ratio_intervals(torch.as_tensor(totals), torch.as_tensor(counts)[:, None], num_samples, seed, confidence)


def _ratio_intervals(totals: Tensor, counts: Tensor, num_samples: int, seed: int, confidence: float) -> list[Interval]:
    """Intervals of ``sum of totals / sum of counts``; ``totals`` is [U, M], ``counts`` [U, M] or [U, 1]."""
    num_users, num_measures = totals.shape
    if num_users == 0:
        raise EvaluationError(
            "a bootstrap needs at least one user; there are none: evaluate a stage with held-out items"
        )
    if num_samples < 1 or not 0 < confidence < 1:
        raise EvaluationError(
            "a bootstrap needs at least 1 sample and a confidence between 0 and 1; "
            f"they are {num_samples} and {confidence}: correct them"
        )
    means = resampled_ratios(totals, counts, num_samples, seed).cpu().numpy()

    tail = (1.0 - confidence) / 2.0
    intervals = []
    for column in means.T:  # measures, not users
        drawn = column[~np.isnan(column)]  # a resample may miss every user for whom a measure is defined
        low, high = np.quantile(drawn, [tail, 1.0 - tail]) if len(drawn) > 0 else (np.nan, np.nan)
        intervals.append(Interval(float(low), float(high)))
    return intervals
