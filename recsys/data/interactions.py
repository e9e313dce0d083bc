"""Interactions in memory: parallel arrays of internal indices, ratings and timestamps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
IndexArray = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Interactions:
    """A list of N interactions of ``num_users`` users with ``num_items`` items.

    Args:
        user_index: internal user indices, shape [N], int32, each in ``[0, num_users)``.
        item_index: internal item indices, shape [N], int32, each in ``[0, num_items)``.
        rating: explicit ratings, shape [N], float32; None where the data have none.
        timestamp: seconds since 1970 (or any increasing clock), shape [N], int64; None where the data have none.
        fold: position in :data:`recsys.data.columns.FOLDS`, shape [N], int8; None where the data come unsplit.
        num_users: size of the user vocabulary, whether or not each user appears here.
        num_items: size of the item vocabulary, whether or not each item appears here.
    """

    user_index: IndexArray
    item_index: IndexArray
    rating: npt.NDArray[np.float32] | None
    timestamp: npt.NDArray[np.int64] | None
    fold: npt.NDArray[np.int8] | None
    num_users: int
    num_items: int

    def __post_init__(self) -> None:
        for name in ("item_index", "rating", "timestamp", "fold"):
            column = getattr(self, name)
            assert column is None or len(column) == len(self.user_index), f"{name} has another length"

    def __len__(self) -> int:
        return len(self.user_index)

    def take(self, rows: IntArray) -> Interactions:
        """The interactions at positions ``rows`` (int64, or a boolean mask), in that order."""
        return Interactions(
            user_index=self.user_index[rows],
            item_index=self.item_index[rows],
            rating=None if self.rating is None else self.rating[rows],
            timestamp=None if self.timestamp is None else self.timestamp[rows],
            fold=None if self.fold is None else self.fold[rows],
            num_users=self.num_users,
            num_items=self.num_items,
        )

    def rows_rated_at_least(self, min_rating: float | None) -> IntArray:
        """Positions of the positive interactions: rated ``min_rating`` or higher.

        Every interaction is positive where ``min_rating`` is None or the data have no ratings.
        """
        if min_rating is None or self.rating is None:
            return np.arange(len(self), dtype=np.int64)
        return np.flatnonzero(self.rating >= min_rating)
