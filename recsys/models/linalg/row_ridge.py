"""Ridge regressions for all rows of a sparse matrix, many at once.

Shape suffixes: R rows, C columns, M stored values, D dim, G rows of a group, L values of a group's longest row.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from recsys.data.interactions import IntArray
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.positive_definite import PositiveDefiniteSolver

#: Bound on ``G * max(L, D)`` of a group: its vectors and its systems hold at most D times this many numbers. A row with
#: more values is a group of its own. On the CPU a group should fit the cache.
GROUP_VALUES = {"cpu": 2**15, "cuda": 2**21}


class RowRidge:
    """Solves one ridge regression for each row, on the vectors of the columns of its values.

    Rows are sorted by length and padded to groups of nearly equal length, so that a group's normal equations are one
    batched product, which their Cholesky factorisations follow. Padding points to a vector of zeros and has no effect;
    the right-hand sides of all rows are one sparse product.
    The positions of the padded values are stored, about 10 bytes for each value of the matrix.

    Args:
        matrix: gives the columns of each row; its values are not used, unless they are given as weights.
        dim: D, which bounds the size of groups.
        lengths: stored values of each row, shape [R], where they are known on the host. Groups are planned there: the
            host waits for the device once to read them where they are not.
        present: which of the stored values there are, shape [M], bool; the others are padding. None: all.
    """

    def __init__(
        self, matrix: InteractionMatrix, dim: int, lengths: IntArray | None = None, present: Tensor | None = None
    ) -> None:
        self.matrix = matrix
        self._present = present
        lengths = matrix.counts.cpu().numpy() if lengths is None else lengths
        order, groups = _groups_of_similar_length(lengths, dim, matrix.device.type)
        rows = torch.from_numpy(order).to(matrix.device)
        self._groups = [self._padded(rows[start:stop], longest, present) for start, stop, longest in groups]

    def _padded(self, rows: Tensor, longest: int, present: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Row indices [G], and columns and positions of their values [G, L], int32; padding is column C, position 0."""
        place = torch.arange(longest, device=rows.device)
        is_value = place < self.matrix.counts[rows][:, None]
        places = torch.where(is_value, self.matrix.offsets[rows][:, None] + place, 0)
        if present is not None:
            is_value &= present[places]
        columns = torch.where(is_value, self.matrix.columns[places], self.matrix.num_columns)
        return rows, columns.int(), places.int()

    def solve(
        self,
        vectors: Tensor,
        targets: Tensor,
        penalty: Tensor,
        noise: Tensor | None = None,
        weights: Tensor | None = None,
        is_checked: bool = True,
    ) -> Tensor:
        """Minimise ``sum_m weights_m (targets_m - x_r . vectors_c)^2 + sum_d penalty_rd x_rd^2`` for each row.

        Args:
            vectors: vectors of the columns, shape [C, D].
            targets: target of each value of the matrix, in their order, shape [M].
            penalty: ridge penalties above zero, shape [R, D].
            noise: shape [R, D]; standard normal noise times s makes each solution a sample of the normal distribution
                around it whose covariance is s^2 times the inverse of the row's system. None for no noise.
            weights: of each value of the matrix, above zero, shape [M]; None for 1 each.
            is_checked: whether the host waits for the device to know that every system had a solution. On a GPU a row
                without one is NaN otherwise.

        Returns:
            Shape [R, D]; zeros for a row without values.

        Raises:
            ModelError: the system of a row is singular in single precision.
        """
        solution = vectors.new_zeros(len(self.matrix), vectors.shape[1])
        right = self._right_sides(targets if weights is None else targets * weights, vectors)
        padded = functional.pad(vectors, (0, 0, 0, 1))
        solver = PositiveDefiniteSolver()
        for rows, columns, places in self._groups:
            group = functional.embedding(columns, padded)
            transposed = group.transpose(1, 2)
            if weights is not None:
                transposed = transposed * weights[places][:, None]
            gram = torch.bmm(transposed, group)
            gram.diagonal(dim1=1, dim2=2).add_(penalty[rows])
            solved, factor = solver.solve(gram, right[rows])
            if noise is not None:
                solved += torch.linalg.solve_triangular(factor, noise[rows][..., None], upper=True).squeeze(2)
            solution[rows] = solved
        if is_checked:
            solver.check()
        return solution

    def _right_sides(self, targets: Tensor, vectors: Tensor) -> Tensor:
        """``sum_m targets_m vectors_c`` of each row over the values that there are, shape [R, D]."""
        return self.matrix.with_values(targets if self._present is None else targets * self._present) @ vectors

    def gram(self, vectors: Tensor) -> Tensor:
        """``sum_m vectors_c vectors_c^T`` of each row, shape [R, D, D]."""
        grams = vectors.new_zeros(len(self.matrix), vectors.shape[1], vectors.shape[1])
        padded = functional.pad(vectors, (0, 0, 0, 1))
        for rows, columns, _ in self._groups:
            group = functional.embedding(columns, padded)
            grams[rows] = torch.bmm(group.transpose(1, 2), group)
        return grams


def _groups_of_similar_length(
    lengths: IntArray, dim: int, device_type: str
) -> tuple[IntArray, list[tuple[int, int, int]]]:
    """The rows by length, and where groups start and stop among them, with the length of the longest row of each.

    Lengths of a group differ by a quarter at most; rows without values are in none.
    """
    order = np.argsort(lengths, kind="stable")
    ascending = lengths[order]
    size = GROUP_VALUES.get(device_type, 2**18)
    groups = []
    start, num_rows = int(np.searchsorted(ascending, 1)), len(lengths)
    while start < num_rows:
        shortest = int(ascending[start])
        stop = int(np.searchsorted(ascending, max(shortest * 5 // 4, shortest + 3), side="right"))
        at_once = max(1, size // max(int(ascending[stop - 1]), dim))
        for first in range(start, stop, at_once):
            last = min(first + at_once, stop)
            groups.append((first, last, int(ascending[last - 1])))
        start = stop
    return order, groups
