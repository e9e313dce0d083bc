"""Scores, split over the interactions that they come from. NumPy, so that it is the same offline and online.

Shape suffixes: B requests, M interactions of all their histories together, K explained items of each request.
"""

from __future__ import annotations

from dataclasses import dataclass

from recsys.retrieval.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class BatchExplanation:
    """Where the scores of some items come from.

    ``score[b, k] = rest[b, k] + sum of contributions[m, k]`` over the interactions ``m`` of the history of request b.

    Args:
        contributions: of each interaction to each score, shape [M, K], float32; NaN where the item is unscored or -1.
        rest: what does not come from single interactions, shape [B, K].
        errors: the standard error of each contribution, shape [M, K]; None: they are exact.
        num_grouped: of each history the oldest interactions that were taken as one, shape [B], int64.
    """

    contributions: FloatArray
    rest: FloatArray
    errors: FloatArray | None
    num_grouped: IntArray
