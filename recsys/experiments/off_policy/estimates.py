r"""How would another policy have done, by the log of the one that ran?

With rewards r, propensities p of what was shown (see :mod:`recsys.experiments.exploration`), probabilities q of the
same under the policy that is judged, weights ``w = q / p``, and a model's prediction m of the reward:

- IPS: the mean of ``w r``. Unbiased; varies most.
- SNIPS: ``sum w r / sum w``. Its bias vanishes with n, and it varies less, since errors of the weights cancel.
- doubly robust: the mean of ``E_q[m] + w (r - m)``. Unbiased whatever the model says, and precise where it is right.

Of slates, lists whose positions have rewards of their own, each is summed over positions with the weights of the
position alone (independence): right where the reward of an item depends on the item and its position, not on the other
items of the list. Otherwise the sum is biased by what the items do to each other.

Intervals are normal, from the spread of the rows' influences; rows of one unit are taken together. Where the overlap
is poor there is no estimate: :class:`OffPolicyEstimate` says why.

Source: Horvitz and Thompson, 1952 (IPS); Swaminathan and Joachims, The Self-Normalized Estimator for Counterfactual
Learning, NIPS 2015; Dudik, Langford and Li, Doubly Robust Policy Evaluation and Learning, ICML 2011; Li,
Abbasi-Yadkori, Kveton, Muthukrishnan, Vinay and Wen, Offline Evaluation of Ranking Policies with Click Models, KDD 2018
(slates).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import scipy.stats

from recsys.errors import ExperimentError
from recsys.experiments.metric import Direction, require_number, require_one_of
from recsys.experiments.off_policy.overlap import Overlap, OverlapLimits, measure_overlap
from recsys.retrieval.types import FloatArray

Estimator = Literal["ips", "snips", "doubly_robust"]
ESTIMATORS = ("ips", "snips", "doubly_robust")

#: What an estimate says of the policy against the one that ran.
OffPolicyVerdict = Literal["better", "worse", "no difference shown", "refused"]


class LoggedFeedback:
    """What was shown, with what probability, and what came of it. Shapes are [rows], or [rows, positions] of slates.

    Args:
        rewards: such as clicks, of each row or position.
        propensities: of what was shown, by the policy that ran; above 0 and at most 1.
        target_propensities: of the same by the policy that is judged; from 0 to 1.
        predictions: of a model, for what was shown; only for ``doubly_robust``.
        target_predictions: the mean of the model's predictions under the policy that is judged, of the same shape.
        unit_ids: of each row, where a unit has several; None: each row is a unit.

    Raises:
        ExperimentError: shapes differ, or a value is out of range.
    """

    def __init__(
        self,
        rewards: Any,
        propensities: Any,
        target_propensities: Any,
        predictions: Any = None,
        target_predictions: Any = None,
        unit_ids: Sequence[str] | None = None,
    ) -> None:
        self.rewards = _matrix("rewards", rewards)
        self.propensities = self._checked("propensities", propensities)
        self.target_propensities = self._checked("target_propensities", target_propensities)
        if not (self.propensities > 0).all() or not (self.propensities <= 1 + 1e-9).all():
            raise ExperimentError(
                "propensities must be above 0 and at most 1: what was shown was possible; they are from "
                f"{self.propensities.min():g} to {self.propensities.max():g}"
            )
        if not (self.target_propensities >= 0).all() or not (self.target_propensities <= 1 + 1e-9).all():
            raise ExperimentError(
                f"target_propensities must be from 0 to 1; they are from {self.target_propensities.min():g} to "
                f"{self.target_propensities.max():g}"
            )
        if (predictions is None) != (target_predictions is None):
            raise ExperimentError("predictions and target_predictions go together; only one of them came")
        self.predictions = None if predictions is None else self._checked("predictions", predictions)
        self.target_predictions = (
            None if target_predictions is None else self._checked("target_predictions", target_predictions)
        )
        self.clusters = self._clusters(unit_ids)

    @property
    def weights(self) -> FloatArray:
        """Of each row and position."""
        return self.target_propensities / self.propensities

    def _checked(self, name: str, values: Any) -> FloatArray:
        matrix = _matrix(name, values)
        if matrix.shape != self.rewards.shape:
            raise ExperimentError(
                f"{name} must be one for each reward; the shapes are {list(matrix.shape)} and "
                f"{list(self.rewards.shape)}"
            )
        return matrix

    def _clusters(self, unit_ids: Sequence[str] | None) -> Any:
        if unit_ids is None:
            return np.arange(len(self.rewards))
        if len(unit_ids) != len(self.rewards):
            raise ExperimentError(
                f"unit_ids must be one for each row; there are {len(unit_ids)} of {len(self.rewards)}"
            )
        return np.unique(np.asarray(unit_ids, dtype=object), return_inverse=True)[1]


@dataclass(frozen=True, slots=True)
class OffPolicyEstimate:
    """What a policy would have got for each row; None where that is refused.

    Args:
        estimator: ``ips``, ``snips`` or ``doubly_robust``.
        value: mean reward, of slates that of a list.
        low: lower bound.
        high: upper bound.
        logged_value: what the policy that ran did get.
        difference_low: lower bound of the difference to it.
        difference_high: upper bound.
        overlap: what the weights say.
        verdict: on the policy against the one that ran; ``refused`` where the overlap is poor.
        sentence: what a person reads.
    """

    estimator: str
    value: float | None
    low: float | None
    high: float | None
    logged_value: float
    difference_low: float | None
    difference_high: float | None
    overlap: Overlap
    verdict: OffPolicyVerdict
    sentence: str


def estimate_policy(
    feedback: LoggedFeedback,
    estimator: Estimator = "snips",
    confidence: float = 0.95,
    better: Direction = "higher",
    limits: OverlapLimits | None = None,
) -> OffPolicyEstimate:
    """Estimate what a policy would have got.

    Args:
        feedback: the log.
        estimator: ``ips``, ``snips`` or ``doubly_robust``.
        confidence: of the intervals.
        better: which direction of the reward is better.
        limits: of the overlap, from which on the estimate is refused; None: the default ones.

    Raises:
        ExperimentError: there are fewer than two units, or no predictions for ``doubly_robust``.
    """
    require_one_of("the estimator", estimator, ESTIMATORS)
    require_one_of("what is better", better, ("higher", "lower"))
    require_number("confidence", confidence, 0.01, 0.9999)
    overlap = measure_overlap(feedback.weights, limits)
    logged = feedback.rewards.sum(axis=1)
    logged_value = float(logged.mean())
    value, influences = _INFLUENCES[estimator](feedback)
    if not overlap.is_enough:
        return OffPolicyEstimate(
            estimator, None, None, None, logged_value, None, None, overlap, "refused", _refusal(overlap)
        )
    z = float(scipy.stats.norm.ppf((1 + confidence) / 2))
    half = z * standard_error(influences, feedback.clusters)
    change = value - logged_value
    half_change = z * standard_error(influences - (logged - logged_value), feedback.clusters)
    bounds = change - half_change, change + half_change
    verdict: OffPolicyVerdict = "no difference shown"
    if not bounds[0] <= 0 <= bounds[1]:
        verdict = "better" if (bounds[0] > 0) == (better == "higher") else "worse"
    sentence = (
        f"The policy would have got {value:.4g} [{value - half:.4g}, {value + half:.4g}] for each list, {change:+.3g} "
        f"[{bounds[0]:+.3g}, {bounds[1]:+.3g}] against {logged_value:.4g} of the one that ran, by {estimator} with an "
        f"effective sample size of {overlap.effective_size:.0f} of {overlap.rows}; {verdict}."
    )
    return OffPolicyEstimate(
        estimator, value, value - half, value + half, logged_value, *bounds, overlap, verdict, sentence
    )


def standard_error(influences: FloatArray, clusters: Any) -> float:
    """Of a mean, from centred influences of its rows; those of one cluster are added up first.

    Raises:
        ExperimentError: there are fewer than two clusters.
    """
    sums = np.bincount(clusters, weights=influences)
    if len(sums) < 2:
        raise ExperimentError(f"an interval needs at least two units; there are {len(sums)}: log more")
    return math.sqrt(float((sums**2).sum()) * len(sums) / (len(sums) - 1)) / len(influences)


def ips(feedback: LoggedFeedback) -> tuple[float, FloatArray]:
    """The estimate by inverse propensities, and the centred influence of each row."""
    rows = (feedback.weights * feedback.rewards).sum(axis=1)
    return float(rows.mean()), rows - rows.mean()


def snips(feedback: LoggedFeedback) -> tuple[float, FloatArray]:
    """The self-normalised estimate, by position, and the influence of each row: ``w (r - v) / mean w``.

    Where no weight of a position is above 0 nothing is known of it: the estimate is NaN.
    """
    weights = feedback.weights
    mean_weight = weights.mean(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        values = (weights * feedback.rewards).mean(axis=0) / mean_weight
        influences = (weights * (feedback.rewards - values) / mean_weight).sum(axis=1)
    return float(values.sum()), influences


def doubly_robust(feedback: LoggedFeedback) -> tuple[float, FloatArray]:
    """The doubly robust estimate, and the centred influence of each row.

    Raises:
        ExperimentError: there are no predictions.
    """
    if feedback.predictions is None or feedback.target_predictions is None:
        raise ExperimentError(
            "the doubly robust estimate needs predictions and target_predictions of a model; pass both, or choose snips"
        )
    residuals = feedback.weights * (feedback.rewards - feedback.predictions)
    rows = (feedback.target_predictions + residuals).sum(axis=1)
    return float(rows.mean()), rows - rows.mean()


_INFLUENCES: dict[str, Callable[[LoggedFeedback], tuple[float, FloatArray]]] = {
    "ips": ips,
    "snips": snips,
    "doubly_robust": doubly_robust,
}


def _refusal(overlap: Overlap) -> str:
    return f"No estimate: {'; '.join(overlap.problems)}."


def _matrix(name: str, values: Any) -> FloatArray:
    """Numbers of shape [rows, positions]; one position where they have one dimension."""
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise ExperimentError(f"{name} must be numbers, of shape [rows] or [rows, positions]; others came") from None
    if numbers.ndim not in (1, 2) or not numbers.size or not np.isfinite(numbers).all():
        raise ExperimentError(
            f"{name} must be finite numbers of shape [rows] or [rows, positions]; shape {list(numbers.shape)} came"
        )
    return numbers[:, None] if numbers.ndim == 1 else numbers
