"""Lists of candidates, padded to one width. Shape suffixes: B requests, C candidates, K list length."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.retrieval.types import BoolArray, FloatArray, IntArray

#: Stands where a list has no further item.
NO_ITEM = -1


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Candidates of B requests, best first.

    Args:
        items: internal item indices, shape [B, C], int64; -1 where there is none, only at the end of a list.
        scores: shape [B, C], float; minus infinity where there is no item, and for one that its model does not
            score.
    """

    items: IntArray
    scores: FloatArray

    @classmethod
    def empty(cls, num_requests: int, width: int) -> Candidates:
        """Lists without candidates."""
        shape = (num_requests, width)
        return cls(np.full(shape, NO_ITEM, dtype=np.int64), np.full(shape, -np.inf))

    def __len__(self) -> int:
        return len(self.items)

    @property
    def width(self) -> int:
        """C."""
        return self.items.shape[1]

    @property
    def present(self) -> BoolArray:
        """Where there is an item, shape [B, C]."""
        return self.items >= 0

    @property
    def counts(self) -> IntArray:
        """Candidates of each request, shape [B]."""
        return self.present.sum(axis=1)

    def at(self, positions: IntArray) -> Candidates:
        """The candidates at ``positions`` of each list (shape [B, K], int64; -1 for none), as lists of width K."""
        if self.width == 0:
            return Candidates.empty(*positions.shape)
        index = np.maximum(positions, 0)
        there = positions >= 0
        return Candidates(
            np.where(there, in_order(self.items, index), NO_ITEM),
            np.where(there, in_order(self.scores, index), -np.inf),
        )

    def allowed(self, mask: BoolArray, width: int) -> Candidates:
        """The first ``width`` candidates of each list where ``mask`` (shape [B, C]) is true, in their order."""
        mask = mask & self.present
        if mask[:, :width].all():
            return self.padded(width)
        order = np.argsort(~mask, axis=1, kind="stable")[:, :width]
        kept = self.at(np.where(in_order(mask, order), order, -1))
        return kept.padded(width)

    def padded(self, width: int) -> Candidates:
        """The same lists, cut or filled up to ``width``."""
        if width <= self.width:
            return Candidates(self.items[:, :width], self.scores[:, :width])
        missing = width - self.width
        return Candidates(
            np.pad(self.items, ((0, 0), (0, missing)), constant_values=NO_ITEM),
            np.pad(self.scores, ((0, 0), (0, missing)), constant_values=-np.inf),
        )

    def first_of_each_item(self) -> BoolArray:
        """Whether a candidate is the first of its item in the list, shape [B, C]."""
        ordered = np.sort(self.items, axis=1)
        if not ((ordered[:, 1:] == ordered[:, :-1]) & (ordered[:, 1:] >= 0)).any():
            return self.present  # as it should be, and known faster
        order = np.argsort(self.items, axis=1, kind="stable")
        ordered = in_order(self.items, order)
        first = np.ones(self.items.shape, dtype=np.bool_)
        first[:, 1:] = ordered[:, 1:] != ordered[:, :-1]
        mask = np.empty_like(first)
        np.put_along_axis(mask, order, first, axis=1)
        return mask & self.present


def in_order(values: npt.NDArray[Any], order: IntArray) -> npt.NDArray[Any]:
    """``values`` (shape [B, C]) at the positions ``order`` of each list, shape [B, K].

    NumPy's ``take_along_axis`` is the same for any number of axes, and takes several times as long for one request.
    """
    return values[np.arange(len(values))[:, None], order]
