"""Finds candidates for requests. Shape suffixes: B requests, I items, D dimensions, C candidates."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.candidates import Candidates
from recsys.retrieval.index import CandidateIndex
from recsys.retrieval.rank_fusion import merge
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import BoolArray, FloatArray, IntArray

#: Items that are looked at first for those that a mask allows; then twice as many in all, again and again.
FIRST_BLOCK = 2**10


@runtime_checkable
class Retriever(Protocol):
    """Finds the items that may interest a user.

    One that has a true attribute ``exact`` finds the same best items however many it is asked for.
    """

    @property
    def num_items(self) -> int:
        """I, the size of the catalogue."""
        ...

    def retrieve(self, requests: RequestBatch, num_candidates: int) -> Candidates:
        """The ``num_candidates`` best items for each request, seen or not.

        Returns:
            Candidates of width ``num_candidates``; a list ends early where the retriever knows no further item, and
            only there.
        """
        ...


class IndexRetriever:
    """Encodes a request as a vector and looks for it in an index.

    Args:
        encode: makes vectors of shape [B, D] out of B requests; a row of NaN where it cannot.
        index: of the items.
    """

    def __init__(self, encode: Callable[[RequestBatch], FloatArray], index: CandidateIndex) -> None:
        self._encode = encode
        self.index = index

    @property
    def num_items(self) -> int:
        """I."""
        return self.index.num_items

    @property
    def exact(self) -> bool:
        """Whether the index finds the best items, however many it is asked for."""
        return self.index.exact

    def retrieve(self, requests: RequestBatch, num_candidates: int) -> Candidates:
        """See :meth:`Retriever.retrieve`."""
        return self.index.search(self._encode(requests), num_candidates)


class StaticRetriever:
    """Gives everyone the same candidates: the most popular ones, say.

    The order is made when it is first asked for, and shared by all of :meth:`allowing`.

    Args:
        scores: of each item, shape [I]; NaN for an item that is not to be found.
    """

    exact = True

    def __init__(self, scores: FloatArray) -> None:
        self.num_items = len(scores)
        self.scores = scores

    @cached_property
    def order(self) -> IntArray:
        """The items that are to be found, best first; of equal scores the lower index."""
        scores = np.fmax(self.scores, -np.inf)  # of NaN and a number, the number
        order = np.argsort(-scores, kind="stable")
        return order[: np.count_nonzero(scores > -np.inf)]

    def retrieve(self, requests: RequestBatch, num_candidates: int) -> Candidates:
        """See :meth:`Retriever.retrieve`."""
        return self.same_for(requests, self.order[:num_candidates], num_candidates)

    def allowing(self, mask: BoolArray) -> MaskedStaticRetriever:
        """The same items as far as ``mask`` (shape [I]) allows them."""
        return MaskedStaticRetriever(self, mask)

    def same_for(self, requests: RequestBatch, items: IntArray, width: int) -> Candidates:
        """``items`` for each request, as candidates of a width."""
        best = Candidates(items[None], self.scores[items][None]).padded(width)
        shape = (len(requests), width)
        return Candidates(np.broadcast_to(best.items, shape), np.broadcast_to(best.scores, shape))


class MaskedStaticRetriever:
    """Gives everyone the same candidates, of those that a mask allows.

    It goes through the order from the best item on, and stops when enough are found: what it takes depends on how rare
    allowed items are, and not on the size of the catalogue. What was found is kept for the next time.

    Args:
        everything: gives the order.
        mask: whether each item is allowed, shape [I].
    """

    exact = True

    def __init__(self, everything: StaticRetriever, mask: BoolArray) -> None:
        self.num_items = everything.num_items
        self._everything = everything
        self._mask = mask
        # Both at once, so that threads which search together agree.
        self._found: tuple[IntArray, int] = (np.empty(0, dtype=np.int64), 0)

    def retrieve(self, requests: RequestBatch, num_candidates: int) -> Candidates:
        """See :meth:`Retriever.retrieve`."""
        found, looked_at = self._found
        order = self._everything.order
        if len(found) < num_candidates and looked_at < len(order):
            parts = [found]
            while sum(map(len, parts)) < num_candidates and looked_at < len(order):
                block = order[looked_at : looked_at + max(FIRST_BLOCK, looked_at)]
                parts.append(block[self._mask[block]])
                looked_at += len(block)
            found = np.concatenate(parts)
            self._found = found, looked_at
        return self._everything.same_for(requests, found[:num_candidates], num_candidates)


class RankFusionRetriever:
    """Merges the candidates of several retrievers by their ranks, see :func:`recsys.retrieval.rank_fusion.merge`.

    Args:
        retrievers: one or more, of one catalogue.
        weights: how much each counts, above 0; None: all alike.

    Raises:
        RetrievalError: there is none, they are of several catalogues, or the weights do not fit.
    """

    def __init__(self, retrievers: Sequence[Retriever], weights: Sequence[float] | None = None) -> None:
        sizes = sorted({retriever.num_items for retriever in retrievers})
        if len(sizes) != 1:
            raise RetrievalError(
                f"Retrievers of one catalogue are required to merge what they find, but theirs have {sizes} items. "
                "Give one or more retrievers of the same data."
            )
        self._weights = [1.0] * len(retrievers) if weights is None else list(weights)
        if len(self._weights) != len(retrievers) or min(self._weights) <= 0:
            raise RetrievalError(
                f"A weight above 0 is required for each of {len(retrievers)} retrievers, but they are {self._weights}."
            )
        self._retrievers = tuple(retrievers)
        self.num_items = sizes[0]

    def retrieve(self, requests: RequestBatch, num_candidates: int) -> Candidates:
        """See :meth:`Retriever.retrieve`; each retriever is asked for ``num_candidates``."""
        found = [retriever.retrieve(requests, num_candidates) for retriever in self._retrievers]
        return merge(found, num_candidates, self._weights)
