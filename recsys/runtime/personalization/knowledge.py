"""What tells a model something about a user: the difference between a list of one's own and one for everybody.

A model that is asked about somebody of whom it knows nothing has scores all the same: of a vector that was never
trained, of rounding, or of everybody. None of them makes a list that is the user's own.

Shape suffixes: B requests, I items of the catalogue, U users of the vocabulary.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.retrieval.ranker import Ranker
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import BoolArray, FloatArray, IntArray

#: What a model may read of a history: which items it has, or nothing but their ratings.
ITEMS, RATINGS = "items", "ratings"


@dataclass(frozen=True, slots=True)
class Reads:
    """What a model reads of a request.

    Args:
        history: ``items``, ``ratings`` (which items there are does not count without them), or None.
        user_ids: whether a known user has scores of their own without a history.
        columns: of the users.
    """

    history: str | None
    user_ids: bool
    columns: tuple[str, ...] = ()

    @property
    def nothing(self) -> bool:
        """Whether everyone gets the same scores."""
        return self.history is None and not self.user_ids and not self.columns


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    """What a model reads, and what it has learnt about.

    Args:
        reads: what it reads.
        items: those that say something in a history, from training or by their content, shape [I].
        users: those of the training, shape [U].
    """

    reads: Reads
    items: BoolArray
    users: BoolArray

    @classmethod
    def whole(cls, num_items: int, num_users: int, reads: Reads) -> Knowledge:
        """Of a model that was trained with every item and every user."""
        return cls(reads, np.ones(num_items, dtype=np.bool_), np.ones(num_users, dtype=np.bool_))

    def told(self, requests: RequestBatch) -> BoolArray:
        """Whether each request tells the model something, shape [B]."""
        told = np.zeros(len(requests), dtype=np.bool_)
        if self.reads.user_ids:
            told |= _at(self.users, requests.users)
        if self.reads.history is not None:
            history = requests.history
            counts = _at(self.items, history.items)
            if self.reads.history == RATINGS:
                counts &= np.zeros(len(counts), np.bool_) if history.rating is None else ~np.isnan(history.rating)
            told |= np.bincount(history.rows[counts], minlength=len(requests)) > 0
        for column in self.reads.columns:
            values = requests.features.get(column)
            if values is not None:
                told |= (values >= 0).any(axis=1) if values.ndim == 2 else ~np.isnan(values)
        return told


class InformedRanker:
    """Leaves unscored what its ranker knows nothing about; see :class:`recsys.retrieval.ranker.Ranker`.

    Args:
        ranker: scores candidates.
        knowledge: of the ranker.
    """

    def __init__(self, ranker: Ranker, knowledge: Knowledge) -> None:
        self._ranker = ranker
        self._knowledge = knowledge

    def score(self, requests: RequestBatch, items: IntArray) -> FloatArray:
        """See :meth:`recsys.retrieval.ranker.Ranker.score`; NaN for requests that tell the ranker nothing."""
        told = self._knowledge.told(requests)
        if told.all():
            return self._ranker.score(requests, items)
        scores = np.full(items.shape, np.nan, dtype=np.float32)
        rows = np.flatnonzero(told)
        if len(rows) > 0:
            scores[rows] = self._ranker.score(requests.take(rows), items[rows])
        return scores


def _at(mask: BoolArray, indices: IntArray) -> BoolArray:
    """The mask at some indices; false for those that it does not have."""
    inside = (indices >= 0) & (indices < len(mask))
    found: BoolArray = inside & mask[np.where(inside, indices, 0)] if len(mask) > 0 else inside & False
    return found
