"""Exploration slots: places of a list that may show other items, with the probability of everything that is shown.

In each slot, with probability epsilon, the item that the ranker put there gives way to one of a pool. The items of the
pool are drawn with weights: all the same, or Thompson's probabilities, mixed with a share of equal ones so that every
item has a chance. For m slots m different items are drawn such that item i is among them with probability
``min(1, c w_i)``, where c makes these add up to m (systematic sampling), and are dealt out to the slots at random. So
item i stands in a given slot with probability ``epsilon min(1, c w_i) / m``, exactly, and the ranker's item stays with
probability ``1 - epsilon``: the propensities that are to be logged, and by which off-policy estimates weight.

Source of systematic sampling: Madow, On the Theory of Systematic Sampling, 1949.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from recsys.errors import ExperimentError
from recsys.experiments.metric import require_number, require_one_of
from recsys.experiments.thompson import MAX_POINTS, thompson_probabilities
from recsys.retrieval.types import FloatArray, IntArray

#: How the items of a pool are weighted.
ExplorationMethod = Literal["uniform", "thompson"]
METHODS = ("uniform", "thompson")


@dataclass(frozen=True, slots=True)
class ExplorationPolicy:
    """Where and how often a list explores.

    Args:
        slots: positions from 0, ascending.
        epsilon: probability of each slot to show an item of the pool; 1: it always does.
        method: ``uniform``: all items of the pool alike; ``thompson``: by how likely each is the best.

    Raises:
        ExperimentError: a value is out of range.
    """

    slots: Sequence[int] = (4,)
    epsilon: float = 0.1
    method: ExplorationMethod = "uniform"

    def __post_init__(self) -> None:
        object.__setattr__(self, "slots", tuple(self.slots))
        if not self.slots or min(self.slots) < 0 or any(low >= high for low, high in pairwise(self.slots)):
            raise ExperimentError(f"slots must be positions from 0 in ascending order; {list(self.slots)} came")
        require_number("epsilon", self.epsilon, 0.0, 1.0)
        require_one_of("the method of exploration", self.method, METHODS)

    def pool(
        self,
        item_ids: Sequence[str],
        successes: Sequence[float],
        failures: Sequence[float],
        max_points: int = MAX_POINTS,
    ) -> ExplorationPool:
        """The pool of the method. It takes some time where there are many items: make it once for many lists.

        Args:
            item_ids: each once.
            successes: of each, such as clicks.
            failures: of each, such as times it was shown without a click.
            max_points: see :func:`recsys.experiments.thompson.thompson_probabilities`.

        Raises:
            ExperimentError: an item comes twice, or the numbers do not fit.
        """
        if self.method == "uniform":
            return ExplorationPool(item_ids)
        return ExplorationPool.thompson(item_ids, successes, failures, max_points=max_points)


class ExplorationPool:
    """Items that may be shown to learn about them, each with a weight. It is made once for many lists.

    Args:
        item_ids: each once.
        weights: of each, above 0; None: all alike.

    Raises:
        ExperimentError: an item comes twice, or the weights do not fit.
    """

    def __init__(self, item_ids: Sequence[str], weights: Sequence[float] | FloatArray | None = None) -> None:
        self.item_ids: tuple[str, ...] = tuple(item_ids)
        self.weights: FloatArray = np.ones(len(self.item_ids)) if weights is None else np.asarray(weights, np.float64)
        if len(set(self.item_ids)) < len(self.item_ids):
            raise ExperimentError("each item must be in the pool only once; some come twice")
        if self.weights.shape != (len(self.item_ids),) or not (self.weights > 0).all():
            raise ExperimentError(
                f"each of the {len(self.item_ids)} items of the pool needs a weight above 0; shape "
                f"{list(self.weights.shape)} came, the smallest {self.weights.min(initial=np.inf):g}"
            )

    @classmethod
    def thompson(
        cls,
        item_ids: Sequence[str],
        successes: Sequence[float],
        failures: Sequence[float],
        uniform_share: float = 0.1,
        max_points: int = MAX_POINTS,
    ) -> ExplorationPool:
        """A pool whose items are weighted by how likely each is the best, see :mod:`recsys.experiments.thompson`.

        Args:
            item_ids: each once.
            successes: of each, such as clicks.
            failures: of each, such as times it was shown without a click.
            uniform_share: share of equal weights, above 0, so that no item is ever left out.
            max_points: see :func:`recsys.experiments.thompson.thompson_probabilities`.

        Raises:
            ExperimentError: a value is out of range, or an item comes twice.
        """
        require_number("uniform_share", uniform_share, 1e-6, 1.0)
        best = thompson_probabilities(successes, failures, max_points=max_points)
        return cls(item_ids, (1 - uniform_share) * best + uniform_share / len(best))


@dataclass(frozen=True, slots=True)
class ExploredList:
    """A list with the propensities that are to be logged.

    Args:
        item_ids: as it is shown.
        propensities: probability of each item to stand where it does, given the ranker's list and the pool.
        explored: whether each is from the pool.
    """

    item_ids: tuple[str, ...]
    propensities: tuple[float, ...]
    explored: tuple[bool, ...]


def explore(
    item_ids: Sequence[str], pool: ExplorationPool, policy: ExplorationPolicy, generator: np.random.Generator
) -> ExploredList:
    """Put items of the pool into the slots of a list.

    Args:
        item_ids: the ranker's list, best first. Slots beyond its end are left out.
        pool: items that are in the list are left out of it. Where there are fewer than slots, the last slots explore
            nothing.
        policy: where and how often.
        generator: of the draws.

    Raises:
        ExperimentError: an item of the list comes twice.
    """
    listed = set(item_ids)
    if len(listed) < len(item_ids):
        raise ExperimentError(f"each item must be in a list only once; {list(item_ids)} came")
    fresh = [place for place, item in enumerate(pool.item_ids) if item not in listed]
    slots = [slot for slot in policy.slots if slot < len(item_ids)][: len(fresh)]
    shown, propensities, explored = list(item_ids), [1.0] * len(item_ids), [False] * len(item_ids)
    if not slots:
        return ExploredList(tuple(shown), tuple(propensities), tuple(explored))
    inclusion = inclusion_probabilities(pool.weights[fresh], len(slots))
    drawn = generator.permutation(systematic_sample(inclusion, generator))
    for slot, place, explores in zip(slots, drawn, generator.random(len(slots)) < policy.epsilon, strict=True):
        if explores:
            shown[slot], explored[slot] = pool.item_ids[fresh[place]], True
            propensities[slot] = float(policy.epsilon * inclusion[place] / len(slots))
        else:
            propensities[slot] = 1.0 - policy.epsilon
    return ExploredList(tuple(shown), tuple(propensities), tuple(explored))


def inclusion_probabilities(weights: FloatArray, number: int) -> FloatArray:
    """Probabilities in proportion to weights, capped at 1, that add up to ``number``.

    Args:
        weights: above 0, shape [items].
        number: of items to draw, at most as many as there are.
    """
    probabilities, certain = np.zeros(len(weights)), np.zeros(len(weights), dtype=bool)
    while True:
        rest = number - certain.sum()
        free = weights[~certain].sum()
        probabilities = np.where(certain, 1.0, weights * (rest / free if free > 0 else 0.0))
        over = ~certain & (probabilities >= 1.0)
        if not over.any():
            return probabilities
        certain |= over


def systematic_sample(inclusion: FloatArray, generator: np.random.Generator) -> IntArray:
    """Places of different items, each drawn with its probability; as many as the probabilities add up to."""
    number = round(float(inclusion.sum()))
    ends = np.cumsum(inclusion)
    ends *= number / ends[-1]  # the last end is the number itself, whatever was rounded
    return np.searchsorted(ends, generator.random() + np.arange(number), side="right").astype(np.int64)
