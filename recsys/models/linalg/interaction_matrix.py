"""Interactions as a sparse matrix in compressed rows (CSR) on the device.

Shape suffixes: R rows, C columns, M stored values of all rows together, D dim.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.user_items import UserItems

if TYPE_CHECKING:
    from scipy import sparse


@dataclass(frozen=True, slots=True, eq=False)
class InteractionMatrix:
    """A sparse matrix of R rows and C columns; each stored pair occurs once, columns ascend within a row.

    Args:
        offsets: shape [R + 1], int64, from 0 to M: row ``r`` is stored in ``[offsets[r], offsets[r + 1])``.
        columns: column of each value, shape [M], int64.
        values: shape [M], float32.
        num_columns: C.
    """

    offsets: Tensor
    columns: Tensor
    values: Tensor
    num_columns: int

    @classmethod
    def from_user_items(cls, pairs: UserItems) -> InteractionMatrix:
        """Ones at ``pairs``: a row for each user, a column for each item."""
        ones = torch.ones(len(pairs), device=pairs.device)
        return cls(pairs.offsets, pairs.items, ones, pairs.num_items)

    @classmethod
    def from_interactions(cls, interactions: Interactions, device: torch.device | str = "cpu") -> InteractionMatrix:
        """A row for each user: the sum of the weights of each pair, ones where there are no weights."""
        pairs = UserItems.from_interactions(interactions, device)
        return cls(pairs.offsets, pairs.items, pairs.sums(interactions), pairs.num_items)

    @classmethod
    def from_histories(cls, histories: Histories, num_items: int, weights: Tensor | None = None) -> InteractionMatrix:
        """A row for each history.

        Args:
            histories: the rows; an item that is repeated in a row keeps its largest weight.
            num_items: C.
            weights: weights of the interactions of all histories together, shape [M], float32; None for 1 each.
        """
        keys = _rows_of(histories) * num_items + histories.items
        keys, place = torch.unique(keys, sorted=True, return_inverse=True)
        rows = torch.div(keys, max(num_items, 1), rounding_mode="floor")
        counts = torch.bincount(rows, minlength=len(histories))
        values = torch.ones(len(keys), device=keys.device)
        if weights is not None:
            values.scatter_reduce_(0, place, weights.to(values.dtype), "amax", include_self=False)
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        return cls(offsets, keys - rows * num_items, values, num_items)

    @classmethod
    def once_each(cls, histories: Histories, num_items: int) -> InteractionMatrix:
        """A row for each history, ones at its items, as many stored values as interactions: no shape depends on data.

        An item that is repeated in a row is stored as often; all but the first are zeros. Nothing waits for the device.
        """
        keys = (_rows_of(histories) * num_items + histories.items).sort().values
        first = torch.ones_like(keys, dtype=torch.bool)
        first[1:] = keys[1:] != keys[:-1]
        return cls(histories.offsets, keys.remainder(max(num_items, 1)), first.float(), num_items)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def device(self) -> torch.device:
        """Where the matrix is."""
        return self.columns.device

    @property
    def counts(self) -> Tensor:
        """Stored values of each row, shape [R], int64."""
        return self.offsets.diff()

    @property
    def rows(self) -> Tensor:
        """Row of each stored value, shape [M], int64."""
        return torch.repeat_interleave(
            torch.arange(len(self), device=self.device), self.counts, output_size=len(self.columns)
        )

    def row_sums(self) -> Tensor:
        """Sum of the values of each row, shape [R], float32."""
        return torch.segment_reduce(self.values, "sum", offsets=self.offsets, initial=0, unsafe=True)

    def column_sums(self) -> Tensor:
        """Sum of the values of each column, shape [C], float32."""
        return torch.zeros(self.num_columns, device=self.device).index_add_(0, self.columns, self.values)

    def column_counts(self) -> Tensor:
        """Stored values of each column, shape [C], int64."""
        return torch.bincount(self.columns, minlength=self.num_columns)

    def squared_lengths(self) -> Tensor:
        """Sum of the squared values of each row, shape [R], float32."""
        return torch.segment_reduce(self.values.square(), "sum", offsets=self.offsets, initial=0, unsafe=True)

    def normalized(self) -> InteractionMatrix:
        """Each row divided by the sum of its absolute values; rows of zeros stay."""
        sums = torch.zeros(len(self), device=self.device).index_add_(0, self.rows, self.values.abs())
        return self.with_values(self.values / torch.where(sums > 0, sums, 1)[self.rows])

    def with_values(self, values: Tensor) -> InteractionMatrix:
        """The same matrix with other values, shape [M]."""
        return InteractionMatrix(self.offsets, self.columns, values, self.num_columns)

    def slice(self, start: int, stop: int) -> InteractionMatrix:
        """The rows in ``[start, stop)``."""
        offsets = self.offsets[start : stop + 1]
        first, last = int(offsets[0]), int(offsets[-1])
        return InteractionMatrix(offsets - first, self.columns[first:last], self.values[first:last], self.num_columns)

    def take(self, rows: Tensor) -> InteractionMatrix:
        """Some rows (int64, shape [N]), in their order; they may repeat."""
        starts, counts = self.offsets[rows], self.counts[rows]
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        before = torch.repeat_interleave(starts - offsets[:-1], counts)
        places = torch.arange(len(before), device=self.device) + before
        return InteractionMatrix(offsets, self.columns[places], self.values[places], self.num_columns)

    def at(self, rows: Tensor, columns: Tensor) -> Tensor:
        """The values at ``rows`` and ``columns`` (int64, they broadcast against each other); 0 where none is stored.

        A binary search in each of the rows alone, in as many steps as a row of all columns needs.
        """
        rows, columns = torch.broadcast_tensors(rows, columns)
        if len(self.columns) == 0:
            return self.values.new_zeros(rows.shape)
        low, end = self.offsets[rows], self.offsets[rows + 1]
        high, last = end, len(self.columns) - 1
        for _ in range(self.num_columns.bit_length()):
            middle = (low + high) // 2
            is_before = (low < high) & (self.columns[middle.clamp(max=last)] < columns)
            low, high = torch.where(is_before, middle + 1, low), torch.where(is_before, high, middle)
        place = low.clamp(max=last)
        return torch.where((low < end) & (self.columns[place] == columns), self.values[place], 0.0)

    def transpose(self) -> InteractionMatrix:
        """The transposed matrix; within a row of the result the columns ascend."""
        if self.device.type == "cpu":  # counting, where PyTorch sorts
            by_column = self.scipy().tocsc()
            offsets, rows = (torch.from_numpy(array).long() for array in (by_column.indptr, by_column.indices))
            return InteractionMatrix(offsets, rows, torch.from_numpy(by_column.data), len(self))
        order = torch.argsort(self.columns, stable=True)
        counts = self.column_counts()
        offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
        return InteractionMatrix(offsets, self.rows[order], self.values[order], len(self))

    def dense(self) -> Tensor:
        """The whole matrix, shape [R, C], float32."""
        matrix = torch.zeros(len(self), self.num_columns, device=self.device)
        matrix[self.rows, self.columns] = self.values
        return matrix

    def csr(self) -> Tensor:
        """The matrix as a sparse CSR tensor of PyTorch, shape [R, C]."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
            return torch.sparse_csr_tensor(
                self.offsets, self.columns, self.values, (len(self), self.num_columns), check_invariants=False
            )

    def scipy(self) -> sparse.csr_array:
        """The matrix in SciPy, with indices of 4 bytes where these are enough; the values are shared. CPU only."""
        narrow = max(len(self.columns), self.num_columns) <= np.iinfo(np.int32).max
        dtype = np.int32 if narrow else np.int64
        indices = (self.columns.numpy().astype(dtype, copy=False), self.offsets.numpy().astype(dtype, copy=False))
        from scipy import sparse  # a command that multiplies nothing does without

        return sparse.csr_array((self.values.numpy(), *indices), shape=(len(self), self.num_columns))

    def __matmul__(self, other: Tensor) -> Tensor:
        """The product with a dense matrix of shape [C, D]; shape [R, D]."""
        if self.device.type != "cpu":
            return self.csr() @ other
        # On the CPU two to four times as fast as CSR up to some hundred columns, never slower; the sums are equal.
        return functional.embedding_bag(
            self.columns,
            other.contiguous(),
            self.offsets,
            mode="sum",
            per_sample_weights=self.values,
            include_last_offset=True,
        )

    def products_at_values(self, left: Tensor, right: Tensor) -> Tensor:
        """``left[row] . right[column]`` at each stored value; no other product is computed.

        Args:
            left: shape [R, D], float32.
            right: shape [C, D], float32.

        Returns:
            Shape [M], in the order of :attr:`values`.
        """
        return torch.sparse.sampled_addmm(self.csr(), left, right.T, beta=0.0).values()


def _rows_of(histories: Histories) -> Tensor:
    """Row of each interaction, shape [M], int64."""
    row = torch.arange(len(histories), device=histories.items.device)
    return torch.repeat_interleave(row, histories.counts, output_size=len(histories.items))
