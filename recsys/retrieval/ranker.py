"""Orders candidates by a better model than the one that found them. Shape suffixes: B requests, C candidates."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import numpy as np

from recsys.retrieval.candidates import Candidates
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import FloatArray, IntArray


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

    Between equal scores the lower item index comes first. Candidates without a score (NaN) are not lost: they come
    last, in the order that they had.
    """
    scores = np.where(candidates.present & ~np.isnan(scores), scores, -np.inf)
    place = np.arange(candidates.width)
    order = np.lexsort((np.where(scores > -np.inf, candidates.items, place), -scores, ~candidates.present), axis=1)
    return Candidates(np.take_along_axis(candidates.items, order, axis=1), np.take_along_axis(scores, order, axis=1))
