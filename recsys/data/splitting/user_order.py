"""The position of each row among the rows of its user, by time or at random.

Shape suffixes: N rows, U users.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from recsys.data.interactions import IndexArray, IntArray, Interactions
from recsys.data.row_numbers import RowArray, blocks, row_dtype, user_blocks
from recsys.data.split import Split
from recsys.data.splitting.parts import TEST, VALID, split_by_part
from recsys.data.user_rows import UserRows


@dataclass(frozen=True, slots=True)
class UserOrder:
    """An order of the rows of each user.

    Args:
        user: internal user index of each row, shape [N], int32.
        from_end: how many rows of the same user come after each row, shape [N], int32 where N fits; 0 is the user's
            last row.
        count: rows of each user, shape [U], int64.
    """

    user: IndexArray
    from_end: RowArray
    count: IntArray

    @classmethod
    def by_time(cls, interactions: Interactions) -> UserOrder:
        """Oldest first, in the finest unit of time. Of rows with the same time, the later row is the later one."""
        assert interactions.timestamp is not None, "splitters that order by time require timestamps"
        return cls._of(interactions.user_index, UserRows.by_time(interactions))

    @classmethod
    def at_random(cls, interactions: Interactions, generator: np.random.Generator) -> UserOrder:
        """A uniformly random order, which does not depend on the user indices."""
        size = len(interactions)
        order = generator.permutation(np.arange(size, dtype=row_dtype(size)))
        user = interactions.user_index
        return cls._of(user, UserRows.in_order(user, interactions.num_users, order))

    @classmethod
    def _of(cls, user: IndexArray, order: UserRows) -> UserOrder:
        from_end = np.empty_like(order.rows)
        for first, last in user_blocks(order.offsets):
            part = slice(order.offsets[first], order.offsets[last])
            ends = np.repeat(order.offsets[first + 1 : last + 1], np.diff(order.offsets[first : last + 1]))
            from_end[order.rows[part]] = ends - 1 - np.arange(part.start, part.stop)
        return cls(user=user, from_end=from_end, count=order.counts)

    def hold_out_last(self, num_test: IntArray | int, num_valid: IntArray | int) -> Split:
        """Hold out each user's last rows: the very last for test, those before them for validation.

        Each user keeps at least one row for training; test is filled first, then validation from what is left.

        Args:
            num_test: rows of each user wanted for test, shape [U] or one number for all.
            num_valid: rows of each user wanted for validation, shape [U] or one number for all.
        """
        spare = np.maximum(self.count - 1, 0)
        test = np.minimum(num_test, spare)
        held_out = np.minimum(test + num_valid, spare)
        part = np.zeros(len(self.user), dtype=np.int8)
        for rows in blocks(len(part)):
            user, from_end, of_rows = self.user[rows], self.from_end[rows], part[rows]
            of_rows[from_end < held_out[user]] = VALID
            of_rows[from_end < test[user]] = TEST
        return split_by_part(part)
