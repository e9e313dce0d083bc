"""Is what was logged enough to say how another policy would do? Weights tell.

The weight of something that was shown is its probability under the policy that is judged (the target), divided by that
under the policy that showed it. Where a few weights outweigh all others, an estimate stands on a few users and its
interval is too narrow; where the weights do not have the mean of 1 that they must have, the log lacks what the target
would show, and no estimate can make up for it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from recsys.errors import ExperimentError
from recsys.experiments.metric import require_number
from recsys.retrieval.types import FloatArray


@dataclass(frozen=True, slots=True)
class OverlapLimits:
    """From where on an estimate is refused.

    Args:
        min_effective_size: the effective sample size ``(sum w)**2 / sum w**2`` must be at least this.
        max_weight_share: no single weight may be more than this share of their sum.
        mean_deviations: the mean weight may be so many standard errors from 1.
        min_mean_weight: and must be at least this, so that a target that the log has not shown is refused where too few
            weights came to be sure.

    Raises:
        ExperimentError: a value is out of range.
    """

    min_effective_size: float = 100.0
    max_weight_share: float = 0.05
    mean_deviations: float = 4.0
    min_mean_weight: float = 0.5

    def __post_init__(self) -> None:
        require_number("min_effective_size", self.min_effective_size, 1.0, math.inf)
        require_number("max_weight_share", self.max_weight_share, 1e-9, 1.0)
        require_number("mean_deviations", self.mean_deviations, 0.0, math.inf)
        require_number("min_mean_weight", self.min_mean_weight, 0.0, 1.0)


@dataclass(frozen=True, slots=True)
class Overlap:
    """What the weights say; of lists, at the position where it is worst.

    Args:
        rows: number of lists or actions.
        effective_size: of as many equally weighted rows the estimate is worth.
        max_weight: the largest weight.
        max_weight_share: its share of the sum of the weights.
        mean_weight: 1 but for chance, where the log has all that the target would show; that of the position where it
            is farthest from 1.
        problems: why an estimate is refused, in sentences; empty where it is not.
    """

    rows: int
    effective_size: float
    max_weight: float
    max_weight_share: float
    mean_weight: float
    problems: tuple[str, ...]

    @property
    def is_enough(self) -> bool:
        """Whether an estimate can be trusted."""
        return not self.problems


def measure_overlap(weights: FloatArray, limits: OverlapLimits | None = None) -> Overlap:
    """Measure weights, of shape [rows, positions].

    Raises:
        ExperimentError: there are no rows.
    """
    limits = limits or OverlapLimits()
    if weights.ndim != 2 or not weights.size:
        raise ExperimentError(f"overlap is measured on weights of rows and positions; shape {list(weights.shape)} came")
    rows = len(weights)
    sums, largest = weights.sum(axis=0), weights.max(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        effective = np.where(sums > 0, sums**2 / (weights**2).sum(axis=0), 0.0)
        shares = np.where(sums > 0, largest / sums, 1.0)
    means = sums / rows
    errors = weights.std(axis=0) / math.sqrt(rows)
    far = np.abs(means - 1.0) > limits.mean_deviations * errors + 1e-9
    low = means < limits.min_mean_weight
    worst = int(np.abs(means - 1.0).argmax())
    size, share, mean = float(effective.min()), float(shares.max()), float(means[worst])
    problems = []
    if size < limits.min_effective_size:
        problems.append(
            f"the effective sample size is {size:.1f} of {rows}, below {limits.min_effective_size:g}: log more, or "
            "judge a policy that is more like the one that was logged"
        )
    if share > limits.max_weight_share:
        problems.append(f"one row has {share:.1%} of all weight, more than {limits.max_weight_share:.1%}")
    if bool((far | low).any()):
        problems.append(
            f"the weights have a mean of {mean:.3g} instead of 1: the log lacks what the policy would show, or its "
            "propensities are wrong"
        )
    return Overlap(rows, size, float(largest.max()), share, mean, tuple(problems))
