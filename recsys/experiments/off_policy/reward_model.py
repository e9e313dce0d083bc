"""A model of the reward for the doubly robust estimate: each item's mean, drawn towards that of its position.

It is cross-fitted: units are dealt into folds, and what is predicted for a unit was learnt from the other folds. So no
row is predicted from its own reward, as the doubly robust estimate asks (Chernozhukov, Chetverikov, Demirer, Duflo,
Hansen, Newey and Robins, Double/Debiased Machine Learning, 2018).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b

import numpy as np

from recsys.errors import ExperimentError
from recsys.retrieval.types import FloatArray

#: Probability of items at one position of one list.
ItemDistribution = Mapping[str, float]


def cross_fitted_predictions(
    rewards: FloatArray,
    item_ids: Sequence[Sequence[str]],
    target: Sequence[Sequence[ItemDistribution]],
    unit_ids: Sequence[str],
    num_folds: int = 2,
    smoothing: float = 20.0,
) -> tuple[FloatArray, FloatArray]:
    """Predictions for what was shown, and their mean under the policy that is judged.

    Args:
        rewards: shape [rows, positions].
        item_ids: of what was shown, for each row and position.
        target: what the policy would show there, for each row and position; probabilities add up to 1.
        unit_ids: of each row; all rows of a unit are in one fold.
        num_folds: 2 or more.
        smoothing: rewards of the position's mean that each item begins with.

    Returns:
        Two arrays of shape [rows, positions].

    Raises:
        ExperimentError: the lengths differ, or there is a fold without rows.
    """
    rows, positions = rewards.shape
    if not len(item_ids) == len(target) == len(unit_ids) == rows:
        raise ExperimentError(
            f"each row needs its items, its target and its unit; there are {rows} rows of rewards, {len(item_ids)} of "
            f"items, {len(target)} of targets and {len(unit_ids)} of units"
        )
    folds = np.array([_fold(unit, num_folds) for unit in unit_ids])
    shown, expected = np.empty((rows, positions)), np.empty((rows, positions))
    for fold in range(num_folds):
        others, own = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        if not len(others):
            raise ExperimentError("a model of the reward needs units of several folds; all are in one: log more")
        for position in range(positions):
            values = rewards[others, position]
            mean = float(values.mean())
            sums: dict[str, list[float]] = {}
            for row, value in zip(others.tolist(), values.tolist(), strict=True):
                total = sums.setdefault(item_ids[row][position], [smoothing * mean, smoothing])
                total[0] += value
                total[1] += 1.0
            predicted = {item: total / number for item, (total, number) in sums.items()}
            for row in own.tolist():
                shown[row, position] = predicted.get(item_ids[row][position], mean)
                distribution = target[row][position]
                expected[row, position] = sum(
                    probability * predicted.get(item, mean) for item, probability in distribution.items()
                )
    return shown, expected


def _fold(unit_id: str, num_folds: int) -> int:
    digest = blake2b(unit_id.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big") % num_folds
