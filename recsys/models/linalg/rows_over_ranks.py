"""What is computed row by row, shared by the ranks of a training: each computes some rows, and all get all.

Each row is computed as in one process, so that the result is the same whatever the number of ranks.

Shape suffixes: R rows of all ranks, C columns, D dim.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain

import torch
from torch import Tensor

from recsys.distributed.collectives import from_rank, rows_of_ranks
from recsys.distributed.ranks import ranks
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.least_squares import LeastSquaresSolver, RowSolver, column_shares
from recsys.models.linalg.top_entries import vstack


def stacked_over_ranks(blocks: Iterable[InteractionMatrix], like: InteractionMatrix) -> InteractionMatrix:
    """The rows of the blocks of all ranks, those of rank 0 first.

    Args:
        blocks: of this rank; there may be none.
        like: of R rows, on the same device; the blocks have as many columns.
    """
    num_columns = len(like)
    none = InteractionMatrix(like.offsets[:1], like.columns[:0], like.values[:0], num_columns)
    own = vstack(chain([none], blocks))
    if ranks().size == 1:
        return own
    counts = rows_of_ranks(own.counts)
    offsets = torch.cat([counts.new_zeros(1), counts.cumsum(0)])
    return InteractionMatrix(offsets, rows_of_ranks(own.columns), rows_of_ranks(own.values), num_columns)


def fill_from_ranks(matrix: Tensor, starts: Sequence[int]) -> None:
    """Fill in the rows of the other ranks, in place.

    Args:
        matrix: shape [R, C], contiguous; the rows of this rank are computed.
        starts: the first row of each rank, and R.
    """
    for rank in range(ranks().size):
        rows = matrix[starts[rank] : starts[rank + 1]]
        if len(rows):
            from_rank(rows, rank)


def shared_solver(solver: LeastSquaresSolver, matrix: InteractionMatrix, dim: int) -> RowSolver:
    """A solver for all rows of ``matrix``, of which each rank solves some.

    Args:
        solver: of the rows of a matrix.
        matrix: R rows, the same on all ranks.
        dim: D.
    """
    if ranks().size == 1:
        return solver.prepare(matrix, dim)
    part = ranks().part(len(matrix))
    counts = [of_rank.stop - of_rank.start for of_rank in ranks().parts(len(matrix))]
    own = solver.prepare(matrix.slice(part.start, part.stop), dim, column_shares(matrix))

    def solve(vectors: Tensor, penalty: Tensor, start: Tensor) -> Tensor:
        return rows_of_ranks(own(vectors, penalty[part], start[part]), counts)

    return solve
