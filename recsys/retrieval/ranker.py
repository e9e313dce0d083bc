"""Orders candidates by a better model than the one that found them. Shape suffixes: B requests, C candidates."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from recsys.retrieval.candidates import Candidates, in_order
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import BoolArray, FloatArray, IntArray


@runtime_checkable
class Ranker(Protocol):
    """Scores candidates."""

    def score(self, requests: RequestBatch, items: IntArray) -> FloatArray:
        """Score the candidates of each request.

        Args:
            requests: B of them.
            items: internal indices, shape [B, C], int64; -1 where there is none.

        Returns:
            Shape [B, C]: higher is better, NaN where an item is unscored; any value where there is no item.
        """
        ...


def reordered(candidates: Candidates, scores: FloatArray) -> Candidates:
    """The candidates in the order of other scores, shape [B, C].

    Between equal scores the lower item index comes first. A candidate without a score (NaN, or one that is not finite)
    keeps its place: as many scored candidates come before it as before, and it has the score of the next one. So a
    request none of whose candidates has a score keeps its list, with the scores that it was found by.

    Example:
        >>> found = Candidates(np.array([[7, 8, 9]]), np.array([[0.9, 0.8, 0.7]]))
        >>> ranked = reordered(found, np.array([[-4.0, np.nan, -2.0]]))
        >>> ranked.items, ranked.scores
        (array([[9, 8, 7]]), array([[-2., -4., -4.]]))
    """
    present = candidates.present
    is_scored = present & np.isfinite(scores)
    known = np.where(is_scored, scores, -np.inf)
    order = np.lexsort((candidates.items, -known, ~is_scored), axis=1)
    if is_scored[present].all():
        ordered = in_order(known, order)
    else:
        order, ordered = _with_unscored(candidates, known, is_scored, order)
    return Candidates(in_order(candidates.items, order), ordered)


def _with_unscored(
    candidates: Candidates, known: FloatArray, is_scored: BoolArray, order: IntArray
) -> tuple[IntArray, FloatArray]:
    """The order of all candidates and their scores in it, both of shape [B, C].

    Args:
        candidates: in the order in which they were found.
        known: their scores, minus infinity where there is none, shape [B, C].
        is_scored: where there is one, shape [B, C].
        order: of those that have one; what comes after them does not matter, shape [B, C].
    """
    rank, num_scored = np.argsort(order, axis=1), is_scored.sum(axis=1, keepdims=True)
    before: IntArray = np.cumsum(is_scored, axis=1) - is_scored
    # A scored candidate has an odd place, and an unscored one the even place in front of the one that it keeps.
    places = np.where(is_scored, 2 * rank + 1, np.where(candidates.present, 2 * before, 2 * candidates.width + 2))
    next_one = np.take_along_axis(order, np.minimum(before, np.maximum(num_scored - 1, 0)), axis=1)
    given = np.where(num_scored > 0, np.take_along_axis(known, next_one, axis=1), candidates.scores)
    filled = np.where(is_scored, known, np.where(candidates.present, given, -np.inf))
    order = np.argsort(places, axis=1, kind="stable")
    return order, np.take_along_axis(filled, order, axis=1)
