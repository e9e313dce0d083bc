"""Windows of histories packed into rows of equal length, so that one pass encodes all of them without padding.

Shape suffixes: R rows, C positions of a row, W windows.
"""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True, slots=True)
class PackedWindows:
    """W windows of histories in R rows of C positions, several windows to a row, one after the other.

    A window of n interactions takes n positions: the one before its first interaction, and those after each but the
    last. What stands at a position knows the interactions of its window before it, and nothing of other windows.

    Args:
        places: interactions of its window before each position, shape [R, C], int64; 0 in padding.
        windows: the window of each position, shape [R, C], int64; W in padding.
        users: the user of each window and, last, -1 for the padding; shape [W + 1], int64.
        rating: shape [R, C], float32; None without ratings.
        time_gaps: seconds between an interaction and the one before it in its window, shape [R, C], float32; 0 for the
            first of a window; None without timestamps.
    """

    places: Tensor
    windows: Tensor
    users: Tensor
    rating: Tensor | None = None
    time_gaps: Tensor | None = None
