"""What may be recommended to whom. Filters only take items away, so that their order does not matter.

Shape suffixes: B requests, C candidates, I items.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Protocol, runtime_checkable

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.request_batch import RequestBatch
from recsys.retrieval.types import BoolArray, IntArray


@runtime_checkable
class Filter(Protocol):
    """Says which candidates are allowed."""

    def allows(self, requests: RequestBatch, items: IntArray) -> BoolArray:
        """Whether each candidate may be recommended.

        Args:
            requests: B of them.
            items: candidates of each, internal indices, shape [B, C], int64, all of the catalogue.

        Returns:
            Shape [B, C].
        """
        ...


class SeenFilter:
    """Leaves out what the user has seen."""

    def allows(self, requests: RequestBatch, items: IntArray) -> BoolArray:
        """See :meth:`Filter.allows`."""
        return ~requests.seen.contain(items)


class BlocklistFilter:
    """Leaves out what the user asked not to see."""

    def allows(self, requests: RequestBatch, items: IntArray) -> BoolArray:
        """See :meth:`Filter.allows`."""
        return ~requests.exclude_items.contain(items)


class ItemMaskFilter:
    """Allows a part of the catalogue to everyone: what is available, or what has certain values.

    Items that came after the mask was made are not allowed.

    Args:
        mask: whether each item is allowed, shape [I], bool.
    """

    def __init__(self, mask: BoolArray) -> None:
        self.mask = mask

    def allows(self, requests: RequestBatch, items: IntArray) -> BoolArray:
        """See :meth:`Filter.allows`."""
        if items.max(initial=-1) < len(self.mask):
            return self.mask[items]
        known = items < len(self.mask)
        return known & self.mask[np.where(known, items, 0)]


class CompositeFilter:
    """Allows what every filter allows. Masks of the whole catalogue become one.

    Args:
        filters: any number; none allow everything.

    Raises:
        RetrievalError: they are of several catalogues.
    """

    def __init__(self, filters: Sequence[Filter]) -> None:
        masks = [one.mask for one in filters if isinstance(one, ItemMaskFilter)]
        if len({len(mask) for mask in masks}) > 1:
            raise RetrievalError(
                f"Filters of one catalogue are required, but theirs have {sorted({len(mask) for mask in masks})} items."
            )
        # One mask, as there mostly is, is not copied: it is as large as the catalogue.
        self._mask = ItemMaskFilter(reduce(np.logical_and, masks)) if masks else None
        self._others = [one for one in filters if not isinstance(one, ItemMaskFilter)]

    def allows(self, requests: RequestBatch, items: IntArray) -> BoolArray:
        """See :meth:`Filter.allows`."""
        allowed = np.ones(items.shape, dtype=np.bool_) if self._mask is None else self._mask.allows(requests, items)
        for one in self._others:
            allowed &= one.allows(requests, items)
        return allowed
