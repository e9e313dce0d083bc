"""Where the rows of a mask are true.

Shape suffixes: B rows, I columns, C positions of each row at most.
"""

from __future__ import annotations

import torch
from torch import Tensor


def row_positions(mask: Tensor) -> tuple[Tensor, Tensor]:
    """The columns at which each row of ``mask`` (shape [B, I], bool) is true, as rows of one length.

    Returns:
        The columns in ascending order, shape [B, C], int64, and whether each is one, shape [B, C], bool. C is the
        largest number of any row; what follows the last column of a row is 0.
    """
    counts = mask.sum(1)
    inside = torch.arange(int(counts.max()) if len(counts) > 0 else 0, device=mask.device) < counts[:, None]
    columns = torch.zeros(inside.shape, dtype=torch.int64, device=mask.device)
    columns[inside] = mask.nonzero()[:, 1]
    return columns, inside
