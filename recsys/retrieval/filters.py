"""What may be recommended to whom. Rules only take items away, so that their order does not matter.

Shape suffixes: B requests, C candidates, I items.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from recsys.errors import RetrievalError
from recsys.retrieval.item_columns import ItemColumns
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
    """Allows what every rule allows. Those of the whole catalogue become one mask.

    Args:
        rules: any number; none allow everything.

    Raises:
        RetrievalError: they are of several catalogues.
    """

    def __init__(self, rules: Sequence[Filter]) -> None:
        masks = [rule.mask for rule in rules if isinstance(rule, ItemMaskFilter)]
        if len({len(mask) for mask in masks}) > 1:
            raise RetrievalError(
                f"Rules of one catalogue are required, but theirs have {sorted({len(mask) for mask in masks})} items."
            )
        self._among = ItemMaskFilter(np.logical_and.reduce(masks)) if masks else None
        self._others = [rule for rule in rules if not isinstance(rule, ItemMaskFilter)]

    def allows(self, requests: RequestBatch, items: IntArray) -> BoolArray:
        """See :meth:`Filter.allows`."""
        allowed = np.ones(items.shape, dtype=np.bool_) if self._among is None else self._among.allows(requests, items)
        for rule in self._others:
            allowed &= rule.allows(requests, items)
        return allowed


def only(columns: ItemColumns, wanted: Mapping[str, Iterable[object]]) -> list[ItemMaskFilter]:
    """Items that have any of the wanted values, in each of the columns; an item without a value is not among them.

    Raises:
        RetrievalError: a column or a value does not exist.
    """
    return [ItemMaskFilter(columns.with_any(name, values)) for name, values in wanted.items()]


def without(columns: ItemColumns, unwanted: Mapping[str, Iterable[object]]) -> list[ItemMaskFilter]:
    """Items that have none of the unwanted values; an item without a value is among them.

    Raises:
        RetrievalError: a column or a value does not exist.
    """
    return [ItemMaskFilter(~columns.with_any(name, values)) for name, values in unwanted.items()]


def between(columns: ItemColumns, ranges: Mapping[str, tuple[float | None, float | None]]) -> list[ItemMaskFilter]:
    """Items whose numbers are in the ranges, ends included; None is an open end.

    Raises:
        RetrievalError: a column does not exist or holds no numbers, or a range is empty.
    """
    return [ItemMaskFilter(columns.between(name, low, high)) for name, (low, high) in ranges.items()]
