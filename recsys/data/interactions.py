"""Interactions in memory: parallel arrays of internal indices, ratings, times and weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from recsys.data.deferred import Deferred, defer_fields, stored
from recsys.data.row_numbers import RowArray, compact_rows, row_dtype
from recsys.data.times import NANOSECONDS

IntArray = npt.NDArray[np.int64]
IndexArray = npt.NDArray[np.int32]

#: Columns that may be None.
OPTIONAL_COLUMNS = ("rating", "timestamp", "fold", "weight", "subsecond_ns", "first_timestamp")


@dataclass(frozen=True, slots=True)
class Interactions:
    """A list of N interactions of ``num_users`` users with ``num_items`` items.

    A selection of rows (:meth:`take`) holds the positions of its rows and refers to the columns that it was taken from:
    a column is gathered each time that it is read. Whoever reads one often keeps it in a variable.

    Args:
        user_index: internal user indices, shape [N], int32, each in ``[0, num_users)``.
        item_index: internal item indices, shape [N], int32, each in ``[0, num_items)``.
        rating: explicit ratings, shape [N], float32; None where the data have none.
        timestamp: seconds since 1970 (or any increasing clock), shape [N], int64; None where the data have none.
        fold: position in :data:`recsys.data.columns.FOLDS`, shape [N], int8; None where the data come unsplit.
        num_users: size of the user vocabulary, whether or not each user appears here.
        num_items: size of the item vocabulary, whether or not each item appears here.
        weight: how much each interaction counts, such as a quantity, above 0, shape [N], float32; None where each
            counts 1.
        subsecond_ns: nanoseconds after the whole second of ``timestamp``, in ``[0, 10**9)``, shape [N], int32; None
            where all times are whole seconds.
        first_timestamp: time of the first of the repeated interactions that this one stands for, shape [N], int64;
            None where each stands for itself alone.
    """

    user_index: IndexArray
    item_index: IndexArray
    rating: npt.NDArray[np.float32] | None
    timestamp: npt.NDArray[np.int64] | None
    fold: npt.NDArray[np.int8] | None
    num_users: int
    num_items: int
    weight: npt.NDArray[np.float32] | None = None
    subsecond_ns: npt.NDArray[np.int32] | None = None
    first_timestamp: npt.NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        for name in ("item_index", *OPTIONAL_COLUMNS):
            column = stored(self, name)
            assert column is None or len(column) == len(self), f"{name} has another length"

    def __len__(self) -> int:
        return len(stored(self, "user_index"))

    def take(self, rows: RowArray | npt.NDArray[np.bool_]) -> Interactions:
        """The interactions at positions ``rows`` (integers, or a boolean mask), in that order."""
        kept = compact_rows(np.flatnonzero(rows) if rows.dtype == np.bool_ else rows, len(self))
        composed: dict[int, RowArray] = {}

        def taken(name: str) -> Any:
            column = stored(self, name)
            if isinstance(column, _TakenColumn):
                # Columns that were taken together share their rows, and go on to share them.
                if id(column.rows) not in composed:
                    composed[id(column.rows)] = column.rows[kept]
                return _TakenColumn(column.column, composed[id(column.rows)])
            return None if column is None else _TakenColumn(column, kept)

        columns = {name: taken(name) for name in ("user_index", "item_index", *OPTIONAL_COLUMNS)}
        return Interactions(num_users=self.num_users, num_items=self.num_items, **columns)

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """The columns that there are, by name."""
        names = ("user_index", "item_index", *OPTIONAL_COLUMNS)
        return {name: column for name in names if (column := getattr(self, name)) is not None}

    def source_of(self, name: str) -> tuple[npt.NDArray[Any], RowArray | None] | None:
        """Where column ``name`` comes from: a column, and its rows (None: all, in order); None where there is none."""
        column = stored(self, name)
        if isinstance(column, _TakenColumn):
            return column.column, column.rows
        return None if column is None else (column, None)

    @property
    def moments(self) -> IntArray | None:
        """What orders the interactions in time, in the finest unit that they have, shape [N], int64.

        Seconds, or nanoseconds since 1970 where there are ``subsecond_ns``; None without timestamps.
        """
        if self.timestamp is None or self.subsecond_ns is None:
            return self.timestamp
        return self.timestamp * NANOSECONDS + self.subsecond_ns

    @property
    def pairs(self) -> IntArray:
        """One number for each pair of a user and an item, shape [N], int64: equal for interactions that repeat."""
        return self.user_index.astype(np.int64) * self.num_items + self.item_index

    def rows_rated_at_least(self, min_rating: float | None) -> RowArray:
        """Positions of the positive interactions: rated ``min_rating`` or higher.

        Every interaction is positive where ``min_rating`` is None or the data have no ratings.
        """
        rating = self.rating
        if min_rating is None or rating is None:
            return np.arange(len(self), dtype=row_dtype(len(self)))
        return compact_rows(np.flatnonzero(rating >= min_rating), len(self))

    def num_rated_at_least(self, min_rating: float | None) -> int:
        """How many interactions are positive; see :meth:`rows_rated_at_least`."""
        rating = self.rating
        return len(self) if min_rating is None or rating is None else int(np.count_nonzero(rating >= min_rating))


@dataclass(frozen=True, slots=True, eq=False)
class _TakenColumn(Deferred):
    """Some rows of a column."""

    column: npt.NDArray[Any]
    rows: RowArray

    def resolve(self) -> npt.NDArray[Any]:
        """The rows, gathered now."""
        return np.asarray(self.column[self.rows])

    def __len__(self) -> int:
        return len(self.rows)


defer_fields(Interactions, ("user_index", "item_index", *OPTIONAL_COLUMNS))
