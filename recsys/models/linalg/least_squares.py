"""Solvers for the least-squares problems of all rows of a sparse matrix.

Each row ``r`` has the problem ``min_x sum_c (1 - x . v_c)^2 + sum_d penalty_rd x_d^2``, where ``c`` are the columns
that the row has values in.

Shape suffixes: R rows, C columns, M stored values of all rows together, D dim.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from recsys.errors import ModelError
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.row_ridge import RowRidge

#: Keeps the step of a row that is already solved at zero instead of 0 / 0.
TINY = 1e-30


#: Solves the problems of all rows of one matrix, made ready to be solved again and again: from the vectors of the
#: columns (shape [C, D]), the penalty (above zero, shape [R, D]) and where an iterative solver starts (shape [R, D]) to
#: the solutions, shape [R, D].
RowSolver = Callable[[Tensor, Tensor, Tensor], Tensor]


class LeastSquaresSolver(ABC):
    """A way to solve such problems."""

    @abstractmethod
    def prepare(self, matrix: InteractionMatrix, dim: int) -> RowSolver:
        """Make the problems of ``matrix`` with vectors of ``dim`` dimensions ready."""


class Cholesky(LeastSquaresSolver):
    """Solves each row exactly: ``M D^2 + R D^3 / 3`` multiplications.

    The rows are taken in groups of nearly equal length; the memory of a group is bounded, see
    :data:`recsys.models.linalg.row_ridge.GROUP_VALUES`.
    """

    def prepare(self, matrix: InteractionMatrix, dim: int) -> RowSolver:
        """Sort the rows of ``matrix`` into groups."""
        return _CholeskyRows(matrix, dim)


class _CholeskyRows:
    def __init__(self, matrix: InteractionMatrix, dim: int) -> None:
        self._ridge = RowRidge(matrix, dim)
        self._ones = torch.ones_like(matrix.values)

    def __call__(self, vectors: Tensor, penalty: Tensor, start: Tensor) -> Tensor:
        return self._ridge.solve(vectors, self._ones, penalty)


class ConjugateGradient(LeastSquaresSolver):
    """Takes a few steps of preconditioned conjugate gradients for all rows at once.

    A step costs ``2 M D`` multiplications: the products at the stored values, and the sum of the vectors that these
    weigh. The table of vectors is read in place and usually fits the cache, nothing is copied out for each value, so
    there are no blocks: beside its arguments a solve holds about five tables of shape [R, D] and three lists of
    length M.

    The preconditioner is the diagonal ``penalty_rd + n_r s_d``, where ``n_r`` is the number of values of the row and
    ``s_d`` the mean square of the vectors over all stored values: what the diagonal of the row's system would be if
    its columns were an average sample. It is worth the more, the closer the systems are to diagonal, so the vectors
    should be given in the principal axes of their table.

    Takács, Pilászy, Tikk: Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative Filtering
    (2011), without the preconditioner.

    Args:
        num_steps: steps for each solve. Within alternating least squares, where every solve starts at the last
            solution, two follow the exact solution closely from the first iteration on; with one it takes some
            iterations to come as close.

    Raises:
        ModelError: ``num_steps`` is below one.
    """

    def __init__(self, num_steps: int = 2) -> None:
        if num_steps < 1:
            raise ModelError(f"model.solver.num_steps must be at least 1, but it is {num_steps}. Correct it.")
        self.num_steps = num_steps

    def prepare(self, matrix: InteractionMatrix, dim: int) -> RowSolver:
        """Count the values of each row and column of ``matrix``."""
        return _ConjugateGradientRows(matrix, self.num_steps)


class _ConjugateGradientRows:
    def __init__(self, matrix: InteractionMatrix, num_steps: int) -> None:
        self._matrix = matrix
        self._num_steps = num_steps
        self._counts = matrix.counts[:, None].float()
        self._column_shares = matrix.column_counts().float() / max(len(matrix.columns), 1)

    def __call__(self, vectors: Tensor, penalty: Tensor, start: Tensor) -> Tensor:
        matrix = self._matrix
        diagonal = torch.addcmul(penalty, self._counts, self._column_shares @ vectors.square())
        errors = 1 - matrix.products_at_values(start, vectors)
        residual = (matrix.with_values(errors) @ vectors).addcmul_(penalty, start, value=-1)
        direction = residual / diagonal
        closeness = _row_products(residual, direction)
        solution = start
        for step in range(self._num_steps):
            products = matrix.with_values(matrix.products_at_values(direction, vectors))
            image = (products @ vectors).addcmul_(penalty, direction)
            length = closeness / _row_products(direction, image).clamp(min=TINY)
            solution = torch.addcmul(solution, length, direction)
            if step + 1 < self._num_steps:
                residual = torch.addcmul(residual, length, image, value=-1)
                scaled = residual / diagonal
                last, closeness = closeness, _row_products(residual, scaled)
                direction = torch.addcmul(scaled, closeness / last.clamp(min=TINY), direction)
        return solution


def _row_products(left: Tensor, right: Tensor) -> Tensor:
    """Inner products of the rows, shape [R, 1]."""
    return torch.linalg.vecdot(left, right)[:, None]
