"""Which of two interleaved rankers do users prefer?

Each unit has a preference: the ranker that got more credit by it. If the rankers were equally good, the coins of the
interleaving would give either the same chance, so the share of units that prefer the second among those that prefer
one is tested against a half: by the sign test when all units have come, and at any time by an exact confidence
sequence of that share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import scipy.stats

from recsys.errors import ExperimentError
from recsys.experiments.metric import require_number
from recsys.experiments.rate_sequences import always_valid_rate_p_value, rate_bounds
from recsys.experiments.unit_statistics import unit_values
from recsys.retrieval.types import FloatArray

InterleavingVerdict = Literal["first is better", "second is better", "no difference shown", "too early"]


@dataclass(frozen=True, slots=True)
class InterleavingComparison:
    """What the preferences of the units say of two rankers.

    Args:
        units: number of units with credit or without.
        prefer_first: units that prefer the first ranker.
        prefer_second: units that prefer the second.
        second_share: share of the second among those that prefer one; NaN where there are none.
        low: lower bound of the share, at all looks together.
        high: upper bound.
        sign_test_p_value: for one look at a time that was planned.
        always_valid_p_value: for any look.
        verdict: by the bounds, so that it holds at every look.
        sentence: what a person reads.
    """

    units: int
    prefer_first: int
    prefer_second: int
    second_share: float
    low: float
    high: float
    sign_test_p_value: float
    always_valid_p_value: float
    verdict: InterleavingVerdict
    sentence: str


def compare_rankers(
    first_credit: Sequence[float] | FloatArray,
    second_credit: Sequence[float] | FloatArray,
    alpha: float = 0.05,
    optimal_units: float = 500.0,
    min_units: int = 20,
) -> InterleavingComparison:
    """Compare two rankers at this look.

    Args:
        first_credit: of each unit, over all its lists, when its outcome is final; shape [units].
        second_credit: of the same units.
        alpha: probability to ever find a difference where there is none.
        optimal_units: units with a preference at which the smallest difference is found; the bounds hold at any number.
        min_units: fewer units with a preference are too early, as a matter of taste: the bounds are exact.

    Raises:
        ExperimentError: the credits are not of the same units, or a setting is out of range.
    """
    first, second = unit_values("first_credit", first_credit), unit_values("second_credit", second_credit)
    if len(first) != len(second):
        raise ExperimentError(f"credits must be of the same units; there are {len(first)} and {len(second)}")
    prefer_first, prefer_second = int((first > second).sum()), int((second > first).sum())
    decided = prefer_first + prefer_second
    prior = mixture_prior(optimal_units)
    low, high = (float(bound) for bound in rate_bounds(prefer_second, decided, alpha, prior))
    p_value = float(always_valid_rate_p_value(prefer_second, decided, 0.5, prior))
    verdict: InterleavingVerdict = "no difference shown"
    if decided < min_units:
        verdict = "too early"
    elif not low <= 0.5 <= high:
        verdict = "second is better" if low > 0.5 else "first is better"
    return InterleavingComparison(
        units=len(first),
        prefer_first=prefer_first,
        prefer_second=prefer_second,
        second_share=prefer_second / decided if decided else float("nan"),
        low=low,
        high=high,
        sign_test_p_value=float(scipy.stats.binomtest(prefer_second, decided).pvalue) if decided else 1.0,
        always_valid_p_value=p_value,
        verdict=verdict,
        sentence=_sentence(len(first), (prefer_first, prefer_second), (low, high), verdict, alpha),
    )


def sum_by_unit(
    unit_ids: Sequence[str], first_credit: Sequence[float], second_credit: Sequence[float]
) -> tuple[FloatArray, FloatArray]:
    """Credits of lists added up by unit, in the order in which the units came first.

    Args:
        unit_ids: of each list.
        first_credit: of each list.
        second_credit: of each list.

    Returns:
        The credits of both rankers, of shape [units].

    Raises:
        ExperimentError: the lengths differ.
    """
    if not len(unit_ids) == len(first_credit) == len(second_credit):
        raise ExperimentError(
            f"each list has a unit and two credits; there are {len(unit_ids)}, {len(first_credit)} and "
            f"{len(second_credit)}"
        )
    _, first_places, places = np.unique(np.asarray(unit_ids, dtype=object), return_index=True, return_inverse=True)
    order = np.argsort(np.argsort(first_places))
    sums = np.zeros((2, len(first_places)))
    for row, credit in zip(sums, (first_credit, second_credit), strict=True):
        np.add.at(row, order[places], np.asarray(credit, np.float64))
    return sums[0], sums[1]


def mixture_prior(optimal_units: float) -> tuple[float, float]:
    """The Beta prior around a half by which the smallest difference from a half is found at about so many units.

    A normal mixture finds most where the variance of the rates is about ``8 s**2 / n`` for alpha = .05, with the
    variance ``s**2 = 1/4`` of a unit; that of Beta(a, a) is ``1 / (4 (2 a + 1))``.

    Raises:
        ExperimentError: ``optimal_units`` is below 20.
    """
    require_number("optimal_units", optimal_units, 20, 1e12)
    a = (optimal_units / 8 - 1) / 2
    return a, a


def _sentence(units: int, preferences: tuple[int, int], bounds: tuple[float, float], verdict: str, alpha: float) -> str:
    first, second = preferences
    seen = f"Of {units} units {first} prefer the first ranker and {second} the second"
    if first + second == 0 or verdict == "too early":
        return f"{seen}; too early to say."
    return (
        f"{seen}: {second / (first + second):.1%} [{bounds[0]:.1%}, {bounds[1]:.1%}] for the second at every look with "
        f"{1 - alpha:.0%} confidence; {verdict}."
    )
