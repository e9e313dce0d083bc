"""Thompson's probabilities: how likely is each item the best one, by what is known of it?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.special

from recsys.errors import ExperimentError
from recsys.retrieval.types import FloatArray

#: Points of the integral: so many for each item, so many standard deviations around its mean.
_DEVIATIONS, _POINTS_OF_ITEM = 6.0, 61
#: And at most so many in all.
MAX_POINTS = 4001


def thompson_probabilities(
    successes: Sequence[float] | FloatArray,
    failures: Sequence[float] | FloatArray,
    prior: tuple[float, float] = (1.0, 1.0),
    max_points: int = MAX_POINTS,
) -> FloatArray:
    """Probability of each item that its rate, drawn from its Beta posterior, is the largest.

    ``p_i = integral of f_i(x) prod_{j != i} F_j(x) dx``, summed up over the union of points around the means of the
    items. Sampling from these numbers is Thompson sampling with probabilities that are known, as off-policy estimates
    need them: whatever error the sum has, the numbers are those that the items are drawn with.
    Source: Thompson, On the Likelihood that One Unknown Probability Exceeds Another, 1933.

    Args:
        successes: of each item, such as clicks; shape [items].
        failures: of each item, such as times it was shown without a click.
        prior: successes and failures that each item begins with.
        max_points: of the sum, 2 or more: fewer are quicker, and take the probabilities a little away from Thompson's.

    Returns:
        Shape [items], adding up to 1.

    Raises:
        ExperimentError: there are no items, the lengths differ, a number is negative, or there are too few points.
    """
    wins, losses = np.asarray(successes, np.float64), np.asarray(failures, np.float64)
    if wins.ndim != 1 or wins.shape != losses.shape or not len(wins):
        raise ExperimentError(
            f"each item needs its successes and failures; shapes {list(wins.shape)} and {list(losses.shape)} came"
        )
    if not ((wins >= 0) & (losses >= 0)).all() or min(prior) <= 0:
        raise ExperimentError("successes and failures must not be negative, and those of the prior must be above 0")
    if max_points < 2:
        raise ExperimentError(f"max_points must be 2 or more; {max_points} came")
    a, b = wins + prior[0], losses + prior[1]
    mean = a / (a + b)
    deviation = np.sqrt(mean * (1 - mean) / (a + b + 1))
    offsets = np.linspace(-_DEVIATIONS, _DEVIATIONS, _POINTS_OF_ITEM)
    near = np.clip((mean[:, None] + deviation[:, None] * offsets).ravel(), 0.0, 1.0)
    points = np.unique(np.append(near, [0.0, 1.0]))
    points = points[np.unique(np.linspace(0, len(points) - 1, max_points).round().astype(np.int64))]
    below = scipy.special.betainc(a[:, None], b[:, None], points)  # [items, points]
    with np.errstate(divide="ignore"):
        log_below = np.log(0.5 * (below[:, :-1] + below[:, 1:]))
    # The product over the other items is that over all divided by the item's own factor; factors of 0 are counted.
    is_zero = np.isneginf(log_below)
    finite = np.where(is_zero, 0.0, log_below)
    others = np.where(is_zero.sum(axis=0) - is_zero > 0, 0.0, np.exp(finite.sum(axis=0) - finite))
    probabilities = (np.diff(below, axis=1) * others).sum(axis=1)
    return probabilities / probabilities.sum()
