"""Re-ranks candidates so that a list as a whole is better than its items one by one.

Shape suffixes: B requests, C candidates, K list length.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from recsys.errors import RetrievalError
from recsys.retrieval.candidates import Candidates
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import BoolArray, IntArray

#: Numbers held at once by a re-ranker, at most, unless one request needs more.
MAX_NUMBERS = 2**22


@runtime_checkable
class Reranker(Protocol):
    """Chooses a list out of the candidates."""

    def rerank(self, requests: RequestBatch, candidates: Candidates, k: int) -> IntArray:
        """Choose ``k`` candidates of each request.

        Returns:
            Their positions in the lists of candidates in the order of recommendation, shape [B, K], int64; -1 where a
            request has no further candidate.
        """
        ...


def check_diversity_weight(diversity_weight: float) -> None:
    """Require a weight from 0 (the list stays as it is) to 1 (the score does not count).

    Raises:
        RetrievalError: it is out of range.
    """
    if not 0 <= diversity_weight <= 1:
        raise RetrievalError(
            f"diversity_weight must be from 0 (unchanged) to 1, but it is {diversity_weight}. Correct it."
        )


def normalised_scores(candidates: Candidates) -> npt.NDArray[np.float64]:
    """Scores from 0 (the lowest of the user's candidates) to 1 (the highest), shape [B, C].

    So that one weight of diversity means the same for models whose scores are on different scales. It depends on how
    many candidates there are. Candidates without a score have 0; so have all where all scores are equal.
    """
    scores = candidates.scores.astype(np.float64)
    known = np.isfinite(scores)
    low = np.min(scores, axis=1, keepdims=True, initial=np.inf, where=known)
    high = np.max(scores, axis=1, keepdims=True, initial=-np.inf, where=known)
    spread = high - low
    usable = known & (spread > 0)
    return np.divide(
        np.where(usable, scores - np.where(usable, low, 0), 0), spread, out=np.zeros_like(scores), where=usable
    )


def best_left(values: npt.NDArray[np.float64], left: BoolArray) -> IntArray:
    """The position of the best candidate that is left, the first of equal ones, shape [B]; -1 where none is left.

    Args:
        values: shape [B, C], finite.
        left: shape [B, C].
    """
    best = np.argmax(np.where(left, values, -np.inf), axis=1)
    return np.where(left.any(axis=1), best, -1)
