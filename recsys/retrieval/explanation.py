"""Scores, split over the interactions that they come from; the same type offline and online.

Shape suffixes: B requests, M interactions of all their histories together, K explained items of each request.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np

from recsys.retrieval.ragged_items import RaggedItems
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import FloatArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class BatchExplanation:
    """The scores of K items for each of B requests, as sums over the histories.

    ``score[b, k] = rest[b, k] + sum of contributions[m, k]`` over the interactions ``m`` of request ``b``, which are
    ``offsets[b] <= m < offsets[b + 1]`` of ``history``. An item that a history has more than once shares its
    contribution evenly among its interactions.

    Args:
        history: what the contributions belong to: the histories of the requests, M interactions in B lists.
        contributions: ``contributions[m, k]`` is what interaction ``m`` adds to the score of the ``k``-th item of its
            request, shape [M, K], float32; NaN where the item is not scored.
        rest: what does not come from the history, shape [B, K], float32; NaN where the item is not scored, as item -1
            never is.
        errors: the standard error of each contribution, shape [M, K], float32; None: the contributions are exact.
        num_grouped: of each request, how many of its oldest interactions were taken as one; each has an even share of
            their common contribution, and of its error. Shape [B], int64.
    """

    history: RaggedItems
    contributions: FloatArray
    rest: FloatArray
    errors: FloatArray | None
    num_grouped: IntArray

    @classmethod
    def exact(cls, history: RaggedItems, contributions: FloatArray, rest: FloatArray) -> BatchExplanation:
        """Contributions without error, one for each interaction; arguments as above."""
        return cls(history, contributions, rest, None, np.zeros(len(history), dtype=np.int64))

    @property
    def scores(self) -> FloatArray:
        """The sum of contributions and rest, shape [B, K], float32."""
        sums = self.rest.astype(np.float64)
        np.add.at(sums, self.history.rows, self.contributions)
        return sums.astype(np.float32)

    def one(self, row: int) -> BatchExplanation:
        """The explanation of one request alone."""
        own, index = slice(*self.history.offsets[row : row + 2]), np.array([row])
        return BatchExplanation(
            self.history.take(index),
            self.contributions[own],
            self.rest[index],
            None if self.errors is None else self.errors[own],
            self.num_grouped[index],
        )


@runtime_checkable
class BatchExplainer(Protocol):
    """Splits scores over histories."""

    def explain(self, requests: RequestBatch, items: IntArray) -> BatchExplanation:
        """Explain the scores of ``items``.

        Args:
            requests: B of them.
            items: internal indices, shape [B, K], int64; -1 for no item.

        Raises:
            ModelError: the scores of one of the requests do not depend on its history.
        """
        ...


@runtime_checkable
class TimedExplainer(Protocol):
    """Splits scores as exactly as some seconds allow."""

    def explain_within(self, requests: RequestBatch, items: IntArray, seconds: float) -> BatchExplanation:
        """See :meth:`BatchExplainer.explain`.

        Args:
            requests: B of them.
            items: internal indices, shape [B, K], int64; -1 for no item.
            seconds: that it may take; what cannot be left out is done all the same.

        Raises:
            ModelError: the scores of one of the requests do not depend on its history.
        """
        ...
