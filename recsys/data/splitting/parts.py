"""Codes of the parts of a split, one code for each row."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from recsys.data.row_numbers import RowArray, blocks, compact_rows
from recsys.data.split import Split

PartArray = npt.NDArray[np.int8]

TRAIN: Final = 0
VALID: Final = 1
TEST: Final = 2
VALID_FOLD_IN: Final = 3
TEST_FOLD_IN: Final = 4


def split_by_part(part: PartArray) -> Split:
    """The rows of each part, in ascending order.

    One code a row means that parts cannot overlap and that no row is lost.

    Args:
        part: one of the codes of this module for each row, shape [N].
    """
    return Split(
        train=_rows(part, TRAIN),
        valid=_rows(part, VALID),
        test=_rows(part, TEST),
        valid_fold_in=_rows(part, VALID_FOLD_IN),
        test_fold_in=_rows(part, TEST_FOLD_IN),
    )


def _rows(part: PartArray, code: int) -> RowArray:
    """Positions of ``code``, found in blocks: those of a whole column would take eight bytes a row for a while."""
    size = len(part)
    found = [compact_rows(np.flatnonzero(part[rows] == code) + rows.start, size) for rows in blocks(size)]
    return np.concatenate(found) if found else np.empty(0, dtype=np.int32)
