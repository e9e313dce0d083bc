"""What is popular, for requests for which a model finds nothing.

Shape suffixes: B requests, C candidates of each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from recsys.retrieval.candidates import Candidates
from recsys.retrieval.types import BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class CandidateResult:
    """Candidates of B requests.

    Args:
        candidates: of width C.
        personalized: whether they are the user's own, shape [B]; else they are what is popular.
    """

    candidates: Candidates
    personalized: BoolArray


def with_popularity_fallback(
    own: Candidates, told: BoolArray, popular: Callable[[IntArray], Candidates]
) -> CandidateResult:
    """The candidates of each request, or what is popular where there are none.

    Args:
        own: what a model found for B requests, at least one candidate wide.
        told: whether the request told the model something, shape [B]; else what it found is for everybody.
        popular: gives candidates of the same width for the requests at some positions, int64.
    """
    there = own.items[:, 0] >= 0
    if there.all():
        return CandidateResult(own, told)
    rows = np.flatnonzero(~there)
    instead = popular(rows)
    items, scores = own.items.copy(), own.scores.astype(np.float64)
    items[rows], scores[rows] = instead.items, instead.scores
    return CandidateResult(Candidates(items, scores), told & there)
