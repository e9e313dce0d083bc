"""Boosts: factors that lift or lower the items that match filters.

Scores of different models have different scales, and some are below zero, so that a factor on a score would mean
something else for each. A boost therefore acts on the place in the list: an item at rank ``r`` with the factor ``f``
competes as if it stood at rank ``r / f``. With the factor 2 the tenth item competes with the fifth, whatever the scores
are; with .5 it competes with the twentieth; with 0 it comes last. Factors of several boosts are multiplied, items that
compete for one rank keep their order, and scores stay those of the model.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

from recsys.errors import RequestError
from recsys.retrieval.filtering.filter_language import FilterExpression, parse_filters
from recsys.retrieval.types import BoolArray, FloatArray, IntArray
from recsys_serving.recommending.types import Boost

#: Largest factor. A boost of 100 lifts the item at rank 1,000 to rank 10.
MAX_FACTOR = 100.0
#: Boosts of one query, at most.
MAX_BOOSTS = 20
#: Candidates that are looked at, at most; an item beyond them is not lifted.
MAX_CANDIDATES = 2_000

ParsedBoost = tuple[FilterExpression, float]


def parse_boosts(boosts: Sequence[Boost]) -> tuple[ParsedBoost, ...]:
    """The boosts with their filters parsed; those that change nothing are left out.

    Raises:
        RequestError: there are too many, a filter is malformed or missing, or a factor is out of range.
    """
    if len(boosts) > MAX_BOOSTS:
        raise RequestError(f"A query may have {MAX_BOOSTS} boosts, but {len(boosts)} came.")
    parsed = []
    for boost in boosts:
        filters = parse_filters(boost.filters)
        if filters is None:
            raise RequestError("A boost needs filters that say which items it is for, but it has none.")
        factor = boost.factor
        if isinstance(factor, bool) or not isinstance(factor, int | float) or not 0 <= factor <= MAX_FACTOR:
            raise RequestError(
                f"The factor of a boost must be a number from 0 to {MAX_FACTOR:g}, but it is {factor!r}."
            )
        if factor != 1:
            parsed.append((filters, float(factor)))
    return tuple(parsed)


def candidates_needed(k: int, boosts: Sequence[ParsedBoost]) -> int:
    """How many items to look at first, so that the first ``k`` are likely to be settled; see :func:`is_settled`."""
    if not boosts:
        return k
    lowers = any(factor < 1 for _, factor in boosts)
    return max(k, min(MAX_CANDIDATES, math.ceil(k * _largest(boosts)) * (2 if lowers else 1)))


def competing_ranks(
    rows: IntArray, boosts: Sequence[ParsedBoost], mask_of: Callable[[object], BoolArray]
) -> FloatArray:
    """The ranks at which candidates compete, shape [C], float64; infinite for the factor 0.

    Args:
        rows: of the candidates in the catalogue, best first, shape [C].
        boosts: factors and filters.
        mask_of: which rows of the catalogue filters allow.
    """
    factors: FloatArray = np.ones(len(rows), dtype=np.float64)
    for filters, factor in boosts:
        factors = np.where(mask_of(filters)[rows], factors * factor, factors)
    with np.errstate(divide="ignore"):
        return np.where(factors > 0, np.arange(1, len(rows) + 1) / factors, np.inf)


def is_settled(competing: FloatArray, k: int, boosts: Sequence[ParsedBoost]) -> bool:
    """Whether no item behind the candidates can come before the first ``k`` of them.

    The next item competes at rank ``(C + 1) / F`` at best, with F the product of the factors above 1.
    """
    if len(competing) < k:
        return False
    return bool(np.partition(competing, k - 1)[k - 1] <= (len(competing) + 1) / _largest(boosts))


def _largest(boosts: Sequence[ParsedBoost]) -> float:
    return math.prod(max(1.0, factor) for _, factor in boosts)
