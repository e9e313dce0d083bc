"""Sparse matrices of the largest entries of each row, or column, of a dense matrix.

Shape suffixes: B rows of a block, N columns, K entries kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.largest import largest_columns

#: Columns of a block whose entries are chosen at once.
_BLOCK_COLUMNS = 256


def top_entries(values_BN: Tensor, num_kept: int) -> InteractionMatrix:
    """The ``num_kept`` entries of largest magnitude of each row, without zeros.

    Of magnitudes that are equal but for rounding, those of the lower columns are kept.

    Args:
        values_BN: float32.
        num_kept: K; may exceed N.
    """
    columns_BK = largest_columns(values_BN.abs(), min(num_kept, values_BN.shape[1]))
    values_BK = values_BN.gather(1, columns_BK)
    kept_BK = values_BK != 0
    return InteractionMatrix(_offsets(kept_BK), columns_BK[kept_BK], values_BK[kept_BK], values_BN.shape[1])


def nonzero(values_BN: Tensor) -> InteractionMatrix:
    """The entries that are not zero."""
    kept_BN = values_BN != 0
    return InteractionMatrix(_offsets(kept_BN), kept_BN.nonzero()[:, 1], values_BN[kept_BN], values_BN.shape[1])


def of_columns(values_NB: Tensor, keep: Callable[[Tensor], InteractionMatrix]) -> InteractionMatrix:
    """The matrix that ``keep`` makes of the rows of the transposed one, a block at a time.

    Args:
        values_NB: float32; as many columns as the result has rows, at least one.
        keep: such as :func:`nonzero`.
    """
    return vstack(keep(block.T.contiguous()) for block in values_NB.split(_BLOCK_COLUMNS, dim=1))


def _offsets(kept_BN: Tensor) -> Tensor:
    counts_B = kept_BN.sum(dim=1)
    return torch.cat([counts_B.new_zeros(1), counts_B.cumsum(0)])


def vstack(blocks: Iterable[InteractionMatrix]) -> InteractionMatrix:
    """The rows of all ``blocks`` (at least one), stacked vertically.

    Each is copied at once to where it stays. Of an iterator one block is there at a time: many that are kept among the
    large tensors that they come from leave the allocator holes that it cannot give back.
    """
    counts, columns, values = _Grown(), _Grown(), _Grown()
    for block in blocks:
        counts.append(block.counts)
        columns.append(block.columns)
        values.append(block.values)
        num_columns = block.num_columns
    of_rows = counts.whole()
    offsets = torch.cat([of_rows.new_zeros(1), of_rows.cumsum(0)])
    return InteractionMatrix(offsets, columns.whole(), values.whole(), num_columns)


class _Grown:
    """A vector that grows at its end, to twice the room when there is none left."""

    def __init__(self) -> None:
        self._room: Tensor | None = None
        self._length = 0

    def append(self, part: Tensor) -> None:
        """Add ``part``, shape [M]."""
        stop = self._length + len(part)
        if self._room is None:
            self._room = part.clone()
        elif stop > len(self._room):
            room = self._room.new_empty(max(stop, 2 * len(self._room)))
            room[: self._length] = self._room[: self._length]
            self._room = room
        self._room[self._length : stop] = part
        self._length = stop

    def whole(self) -> Tensor:
        """All that was added, in memory of its size."""
        assert self._room is not None, "there is at least one part"
        return self._room if self._length == len(self._room) else self._room[: self._length].clone()
