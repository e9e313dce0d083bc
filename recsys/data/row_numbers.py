"""Numbers of rows in as few bytes as they fit into."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

#: Positions of rows: int32 where all rows can be counted in it, else int64.
RowArray = npt.NDArray[np.signedinteger[Any]]

#: Rows that are worked on at once where a whole column would take too much memory.
BLOCK_ROWS = 1 << 18

_INT32_ROWS = 2**31 - 1


def row_dtype(num_rows: int) -> type[np.int32] | type[np.int64]:
    """The type of positions in a table of ``num_rows`` rows."""
    return np.int32 if num_rows <= _INT32_ROWS else np.int64


def compact_rows(rows: npt.NDArray[Any], num_rows: int) -> RowArray:
    """``rows`` (positions in a table of ``num_rows`` rows) in the type of :func:`row_dtype`, copied where needed."""
    return rows.astype(row_dtype(num_rows), copy=False)


def blocks(num_rows: int, size: int | None = None) -> Iterator[slice]:
    """Slices of at most ``size`` rows (None: :data:`BLOCK_ROWS`) that cover ``num_rows`` rows in order."""
    size = BLOCK_ROWS if size is None else size
    for start in range(0, num_rows, size):
        yield slice(start, min(start + size, num_rows))


def user_blocks(offsets: npt.NDArray[np.int64], size: int = BLOCK_ROWS) -> Iterator[tuple[int, int]]:
    """Ranges of users, each with at most ``size`` rows, or of one user with more.

    Args:
        offsets: where the rows of each user begin, shape [U + 1].
        size: rows of a range.

    Yields:
        The first user of a range, and the one after the last.
    """
    first, num_users = 0, len(offsets) - 1
    while first < num_users:
        last = int(np.searchsorted(offsets, offsets[first] + size, side="right")) - 1
        last = max(first + 1, min(last, num_users))
        yield first, last
        first = last


def rows_among(rows: RowArray, others: RowArray, num_rows: int) -> RowArray:
    """Those of ``rows`` that are among ``others``, in ascending order; a byte a row of the table where there are any.

    ``np.intersect1d`` would put both into one hash table, which takes seconds for some million others.

    Args:
        rows: different positions in a table of ``num_rows`` rows.
        others: positions in the same table.
        num_rows: of the table.
    """
    if len(rows) == 0:
        return rows
    is_other = np.zeros(num_rows, dtype=np.bool_)
    is_other[others] = True
    return np.sort(rows[is_other[rows]])


def count_each(
    index: npt.NDArray[np.signedinteger[Any]], size: int, rows: RowArray | None = None
) -> npt.NDArray[np.int64]:
    """How often each of ``size`` numbers occurs in ``index``; shape [size], int64.

    ``np.bincount`` alone would copy the whole index as int64.

    Args:
        index: the numbers.
        size: how many different ones there may be.
        rows: positions in ``index`` that count; None: all of them.
    """
    counts = np.zeros(size, dtype=np.int64)
    for block in blocks(len(index) if rows is None else len(rows)):
        counts += np.bincount(index[block if rows is None else rows[block]], minlength=size)
    return counts
