"""The rows of each user: one order of all rows, user after user.

Shape suffixes: N rows, U users.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.data.interactions import IndexArray, IntArray, Interactions
from recsys.data.row_numbers import RowArray, compact_rows, row_dtype, user_blocks


@dataclass(frozen=True, slots=True)
class UserRows:
    """All rows, user after user: those of user ``u`` are ``rows[offsets[u]:offsets[u + 1]]``.

    Args:
        offsets: where the rows of each user begin, shape [U + 1], int64, from 0 to N.
        rows: positions of the rows, shape [N], int32 where N fits.
    """

    offsets: IntArray
    rows: RowArray

    @classmethod
    def in_order(cls, user_index: IndexArray, num_users: int, order: RowArray | None = None) -> UserRows:
        """Each user's rows in the order in which ``order`` has them; None: in that of the table.

        Users are counted and rows put in their places, in linear time and without a key for each row.

        Args:
            user_index: user of each row, shape [N], int32.
            num_users: U.
            order: all rows, in any order, shape [N].
        """
        from scipy.sparse import coo_array  # commands that read no data do without

        size = len(user_index)
        users = user_index if order is None else user_index[order]
        order = np.arange(size, dtype=row_dtype(size)) if order is None else compact_rows(order, size)
        grouped = coo_array((np.ones(size, dtype=np.bool_), (users, order)), shape=(num_users, max(size, 1)))
        grouped.has_canonical_format = True  # so that rows stay in the order in which they come
        grouped = grouped.tocsr()
        return cls(grouped.indptr.astype(np.int64), compact_rows(grouped.indices, size))

    @classmethod
    def by_time(cls, interactions: Interactions) -> UserRows:
        """Oldest first, in the finest unit of time. Of rows with the same time, the later row is the later one.

        Without timestamps the rows keep their order.
        """
        users = cls.in_order(interactions.user_index, interactions.num_users)
        if interactions.source_of("timestamp") is not None:
            users._sort_by_time(interactions)
        return users

    @property
    def counts(self) -> IntArray:
        """Rows of each user, shape [U], int64."""
        return np.diff(self.offsets)

    def _sort_by_time(self, interactions: Interactions) -> None:
        """Sort each user's rows by time, in place; rows of the same time keep their order.

        Some users at a time, so that the memory needed does not grow with the number of rows.
        """
        for first, last in user_blocks(self.offsets):
            part = slice(self.offsets[first], self.offsets[last])
            rows = self.rows[part]
            users = np.repeat(np.arange(last - first, dtype=np.int32), np.diff(self.offsets[first : last + 1]))
            moments = interactions.take(rows).moments
            assert moments is not None, "there are timestamps"
            if not bool(((moments[1:] >= moments[:-1]) | (users[1:] != users[:-1])).all()):
                self.rows[part] = rows[np.lexsort((moments, users))]
