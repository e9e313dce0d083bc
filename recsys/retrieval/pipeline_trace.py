"""What a pipeline looked at on the way to a list.

Shape suffixes: B requests, C candidates, N candidates before filters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from recsys.retrieval.candidates import Candidates
from recsys.retrieval.filtering.filters import Filter
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.retrievers import Retriever
from recsys.retrieval.types import IntArray

#: Stand in :attr:`PipelineTrace.removed_by` where no filter took a candidate away, and where it came before in a list.
KEPT, REPEATED = -1, -2


@dataclass(frozen=True, slots=True, eq=False)
class PipelineTrace:
    """The candidates of B requests from stage to stage.

    Args:
        found: what the retriever found when it was asked last, before any filter, width N.
        removed_by: number of the first filter that took each of them away, shape [B, N]; :data:`KEPT` or
            :data:`REPEATED`.
        retrieved: the best of those that were kept, in the order of the retriever, width C.
        ranked: the same in the order of the ranker, with its scores.
    """

    found: Candidates
    removed_by: IntArray
    retrieved: Candidates
    ranked: Candidates


class RecordingRetriever:
    """Asks a retriever, and keeps what it found last, which is the deepest where there is one request.

    Args:
        retriever: that finds.
    """

    def __init__(self, retriever: Retriever) -> None:
        self._retriever = retriever
        self.deepest: Candidates | None = None

    @property
    def num_items(self) -> int:
        """See :class:`recsys.retrieval.retrievers.Retriever`."""
        return self._retriever.num_items

    @property
    def exact(self) -> bool:
        """Whether it finds the same best items, however many it is asked for."""
        return bool(getattr(self._retriever, "exact", False))

    def retrieve(self, requests: RequestBatch, num_candidates: int) -> Candidates:
        """See :meth:`recsys.retrieval.retrievers.Retriever.retrieve`."""
        self.deepest = self._retriever.retrieve(requests, num_candidates)
        return self.deepest


def removed_by(filters: Sequence[Filter], requests: RequestBatch, found: Candidates) -> IntArray:
    """Number of the first filter that takes each candidate away, shape [B, N].

    It is :data:`KEPT` where none does, and :data:`REPEATED` where an item came before in the same list.
    """
    removed = np.full(found.items.shape, KEPT, dtype=np.int64)
    items = np.maximum(found.items, 0)
    for number, one in enumerate(filters):
        removed[(removed == KEPT) & ~one.allows(requests, items)] = number
    removed[(removed == KEPT) & ~found.first_of_each_item()] = REPEATED
    return removed
