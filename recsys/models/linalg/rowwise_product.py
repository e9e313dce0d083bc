"""The product of two sparse matrices, a row at a time.

Shape suffixes: B rows of the left matrix, N columns of the right one, M stored values of the left one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from recsys.models.linalg.interaction_matrix import InteractionMatrix

#: Multiplications whose factors are held at once, 12 bytes each. A row with more is taken as a whole.
_MAX_MULTIPLICATIONS = 2**20


class RowwiseProduct:
    """Multiplies sparse matrices by one sparse matrix, which is made ready once; the products are dense.

    A row of the product is the sum of those rows of the right matrix that the left row has values for, each times its
    value. Gustavson: Two Fast Algorithms for Sparse Matrices, Multiplication and Permuted Transposition (1978). On the
    CPU these rows are copied one after the other by SciPy and added up into the row of the product, which stays in the
    cache. On other devices PyTorch multiplies two matrices in compressed rows.

    Args:
        right: N columns.
    """

    def __init__(self, right: InteractionMatrix) -> None:
        self._on_cpu = right.device.type == "cpu"
        self._right: Any = right.scipy() if self._on_cpu else right.csr()
        self._counts = right.counts.numpy() if self._on_cpu else None

    def __call__(self, left: InteractionMatrix, out: Tensor | None = None) -> Tensor:
        """The product ``left @ right``, shape [B, N], float32.

        Args:
            left: B rows, with a column for each row of the right matrix.
            out: where the product is written, shape [B, N], float32, contiguous; None: in a new tensor.
        """
        if not self._on_cpu:
            product = (left.csr() @ self._right).to_dense()
            return product if out is None else out.copy_(product)
        if out is None:
            out = torch.empty(len(left), self._right.shape[1])
        offsets, columns, values = (part.numpy() for part in (left.offsets, left.columns, left.values))
        assert self._counts is not None, "the counts are there on the CPU"
        for start, stop in _chunks(offsets, self._counts[columns]):
            own = slice(offsets[start], offsets[stop])
            self._add_up(offsets[start : stop + 1] - offsets[start], columns[own], values[own], out[start:stop].numpy())
        return out

    def _add_up(
        self,
        offsets: npt.NDArray[np.int64],
        columns: npt.NDArray[np.int64],
        values: npt.NDArray[np.float32],
        out: npt.NDArray[np.float32],
    ) -> None:
        """Write the product of some rows to ``out``."""
        from scipy import sparse  # a command that multiplies nothing does without

        rows = self._right[columns]
        weighted = rows.data * np.repeat(values, np.diff(rows.indptr))
        # All copied rows of one left row are taken for one row with repeated columns, which a dense array adds up.
        sums = sparse.csr_array((weighted, rows.indices, rows.indptr[offsets]), shape=out.shape)
        sums.toarray(out=out)


def _chunks(offsets: npt.NDArray[np.int64], multiplications: npt.NDArray[np.int64]) -> list[tuple[int, int]]:
    """Ranges of rows with at most :data:`_MAX_MULTIPLICATIONS` together, or of one row.

    Args:
        offsets: where the values of each row begin, shape [B + 1].
        multiplications: that each value takes, shape [M].
    """
    before = np.concatenate([[0], np.cumsum(multiplications)])[offsets]
    chunks, start, num_rows = [], 0, len(offsets) - 1
    while start < num_rows:
        fitting = int(np.searchsorted(before, before[start] + _MAX_MULTIPLICATIONS, side="right")) - 1
        stop = min(max(fitting, start + 1), num_rows)
        chunks.append((start, stop))
        start = stop
    return chunks
