"""Ridge regressions for all rows of a sparse matrix, many at once.

Shape suffixes: R rows, C columns, M stored values, D dim, G rows of a group, L values of a group's longest row.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from recsys.models.linalg.interaction_matrix import InteractionMatrix

#: Bound on ``G * max(L, D)`` of a group: its vectors and its systems hold at most D times this many numbers. A row with
#: more values is a group of its own. On the CPU a group should fit the cache.
GROUP_VALUES = {"cpu": 2**15, "cuda": 2**21}


class RowRidge:
    """Solves one ridge regression for each row, on the vectors of the columns of its values.

    Rows are sorted by length and padded to groups of nearly equal length, so that a group's normal equations are one
    batched product and one batched Cholesky factorisation. Padding points to a vector of zeros and has no effect.
    The positions of the padded values are stored, about 10 bytes for each value of the matrix.

    Args:
        matrix: gives the columns of each row; its values are not used, unless they are given as weights.
        dim: D, which bounds the size of groups.
    """

    def __init__(self, matrix: InteractionMatrix, dim: int) -> None:
        self.matrix = matrix
        self._groups = [self._padded(rows) for rows in _groups_of_similar_length(matrix.counts, dim)]

    def _padded(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Row indices [G], and columns and positions of their values [G, L], int32; padding is column C, position 0."""
        counts = self.matrix.counts[rows]
        place = torch.arange(int(counts.max()), device=rows.device)
        is_value = place < counts[:, None]
        places = torch.where(is_value, self.matrix.offsets[rows][:, None] + place, 0)
        columns = torch.where(is_value, self.matrix.columns[places], self.matrix.num_columns)
        return rows, columns.int(), places.int()

    def solve(
        self,
        vectors: Tensor,
        targets: Tensor,
        penalty: Tensor,
        noise: Tensor | None = None,
        weights: Tensor | None = None,
    ) -> Tensor:
        """Minimise ``sum_m weights_m (targets_m - x_r . vectors_c)^2 + sum_d penalty_rd x_rd^2`` for each row.

        Args:
            vectors: vectors of the columns, shape [C, D].
            targets: target of each value of the matrix, in their order, shape [M].
            penalty: ridge penalties above zero, shape [R, D].
            noise: shape [R, D]; standard normal noise times s makes each solution a sample of the normal distribution
                around it whose covariance is s^2 times the inverse of the row's system. None for no noise.
            weights: of each value of the matrix, above zero, shape [M]; None for 1 each.

        Returns:
            Shape [R, D]; zeros for a row without values.
        """
        solution = vectors.new_zeros(len(self.matrix), vectors.shape[1])
        padded = functional.pad(vectors, (0, 0, 0, 1))
        for rows, columns, places in self._groups:
            group = functional.embedding(columns, padded)
            transposed = group.transpose(1, 2)
            if weights is not None:
                transposed = transposed * weights[places][:, None]
            gram = torch.bmm(transposed, group)
            gram.diagonal(dim1=1, dim2=2).add_(penalty[rows])
            right = torch.bmm(transposed, targets[places][..., None])
            factor = torch.linalg.cholesky(gram)
            solved = torch.cholesky_solve(right, factor)
            if noise is not None:
                solved += torch.linalg.solve_triangular(factor.transpose(1, 2), noise[rows][..., None], upper=True)
            solution[rows] = solved.squeeze(2)
        return solution

    def gram(self, vectors: Tensor) -> Tensor:
        """``sum_m vectors_c vectors_c^T`` of each row, shape [R, D, D]."""
        grams = vectors.new_zeros(len(self.matrix), vectors.shape[1], vectors.shape[1])
        padded = functional.pad(vectors, (0, 0, 0, 1))
        for rows, columns, _ in self._groups:
            group = functional.embedding(columns, padded)
            grams[rows] = torch.bmm(group.transpose(1, 2), group)
        return grams


def _groups_of_similar_length(counts: Tensor, dim: int) -> list[Tensor]:
    """Indices of the rows that are not empty, in groups whose lengths differ by a quarter at most."""
    ascending, order = counts.sort(stable=True)
    size = GROUP_VALUES.get(counts.device.type, 2**18)
    groups = []
    start, num_rows = int((ascending == 0).sum()), len(counts)
    while start < num_rows:
        shortest = int(ascending[start])
        longest = max(shortest * 5 // 4, shortest + 3)
        stop = int(torch.searchsorted(ascending, longest, right=True))
        longest = int(ascending[stop - 1])
        groups += order[start:stop].split(max(1, size // max(longest, dim)))
        start = stop
    return groups
