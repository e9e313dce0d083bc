"""The columns of the largest numbers of each row, with one rule for ties that every runtime follows.

Two sums of the same numbers in another order differ in their last bits, so numbers that are equal but for rounding are
taken for equal, and of equal ones the lower column comes first. ``TopK`` of ONNX has the second half of this rule.

Shape suffixes: B rows, R rows with a tie at the last place, N columns, K numbers kept.
"""

from __future__ import annotations

import torch
from torch import Tensor

#: Of the 24 bits of a float32 comparisons leave out so many: what differs by less than .002 % is equal.
_LEFT_OUT_BITS = 8


def without_rounding(values: Tensor) -> Tensor:
    """``values`` (float32, any shape) rounded to 16 significant bits, as ONNX can do it too (Dekker 1971).

    Simple fractions such as 3/8 are in the middle between two rounded numbers nowhere, so equal ones stay equal.

    Example:
        >>> first, second = without_rounding(torch.tensor([0.1 + 1e-8, 0.1 - 1e-8]))
        >>> bool(first == second)
        True
    """
    shifted = values * (2**_LEFT_OUT_BITS + 1)
    return shifted - (shifted - values)


def largest_columns(values_BN: Tensor, num_kept: int) -> Tensor:
    """The columns of the ``num_kept`` largest numbers of each row, in ascending order; shape [B, K], int64.

    Of numbers that are equal but for rounding, the lower columns are kept. Which zeros are kept is not specified.

    Args:
        values_BN: float32, not negative.
        num_kept: K, at most N.
    """
    rounded_BN = without_rounding(values_BN)
    # One place more than is kept shows whether the last one is tied.
    best = rounded_BN.topk(min(num_kept + 1, values_BN.shape[1]), dim=1)
    columns_BK = best.indices[:, :num_kept].clone()
    if best.values.shape[1] > num_kept > 0:
        last_B = best.values[:, num_kept - 1]
        rows = ((last_B == best.values[:, num_kept]) & (last_B > 0)).nonzero()[:, 0]
        if len(rows) > 0:
            columns_BK[rows] = _first_of_the_tied(rounded_BN[rows], last_B[rows, None], num_kept)
    return columns_BK.sort(dim=1).values


def _first_of_the_tied(values_RN: Tensor, last_R1: Tensor, num_kept: int) -> Tensor:
    """The columns above the last value, and of those with it as many of the first ones as there is room for."""
    above_RN, tied_RN = values_RN > last_R1, values_RN == last_R1
    room_R1 = num_kept - above_RN.sum(dim=1, keepdim=True)
    kept_RN = above_RN | (tied_RN & (tied_RN.cumsum(dim=1, dtype=torch.int32) <= room_R1))
    return kept_RN.nonzero()[:, 1].view(-1, num_kept)
