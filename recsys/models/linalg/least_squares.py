"""Solvers for the least-squares problems of all rows of a sparse matrix.

The problem of row ``r`` is ``min_x sum_c w_rc (1 - x . v_c)^2 + sum_d penalty_rd x_d^2``, where ``c`` are the columns
of its values and ``w_rc`` the values themselves, above zero.

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

#: Makes the step of a row that is already solved zero instead of 0 / 0.
TINY = 1e-30


#: Solves the problems of all rows of one matrix, made ready to be solved again and again: from the vectors of the
#: columns (shape [C, D]), the penalty (above zero, shape [R, D]) and where an iterative solver starts (shape [R, D])
#: to the solutions, shape [R, D].
RowSolver = Callable[[Tensor, Tensor, Tensor], Tensor]


class LeastSquaresSolver(ABC):
    """A way to solve such problems."""

    @abstractmethod
    def prepare(self, matrix: InteractionMatrix, dim: int, shares: Tensor | None = None) -> RowSolver:
        """Make the problems of ``matrix`` with vectors of ``dim`` dimensions ready.

        Args:
            matrix: R rows.
            dim: D.
            shares: :func:`column_shares` of a matrix that ``matrix`` has some rows of, whose solutions are then those
                that the whole one has; None: of ``matrix`` itself.
        """


class Cholesky(LeastSquaresSolver):
    """Solves each row exactly: ``M D^2 + R D^3 / 3`` multiplications.

    The rows are taken in groups of nearly equal length; the memory of a group is bounded, see
    :data:`recsys.models.linalg.row_ridge.GROUP_VALUES`.
    """

    def prepare(self, matrix: InteractionMatrix, dim: int, shares: Tensor | None = None) -> RowSolver:
        """Sort the rows of ``matrix`` into groups."""
        return _CholeskyRows(matrix, dim)


class _CholeskyRows:
    def __init__(self, matrix: InteractionMatrix, dim: int) -> None:
        self._ridge = RowRidge(matrix, dim)
        self._ones = torch.ones_like(matrix.values)
        self._weights = _weights_of(matrix)

    def __call__(self, vectors: Tensor, penalty: Tensor, start: Tensor) -> Tensor:
        return self._ridge.solve(vectors, self._ones, penalty, weights=self._weights)


class ConjugateGradient(LeastSquaresSolver):
    """Takes a few steps of preconditioned conjugate gradients for all rows at once.

    A step costs ``2 M D`` multiplications: the products at the stored values, and the sum of the vectors weighted by
    these. The table of vectors is read in place and usually fits the cache, so no blocks are needed: besides its
    arguments a solve holds about five tables of shape [R, D] and three lists of length M.

    The preconditioner is the diagonal ``penalty_rd + n_r s_d``, where ``n_r`` is the sum of the values of the row and
    ``s_d`` the mean square of the vectors over all stored values, weighted by these: the diagonal of the row's system
    if its columns were an average sample. It works best if the systems are nearly diagonal, so the vectors should be
    given in the principal axes of their table.

    Takács, Pilászy, Tikk: Applications of the Conjugate Gradient Method for Implicit Feedback Collaborative Filtering
    (2011), without the preconditioner.

    Args:
        num_steps: steps of each solve. In alternating least squares, where every solve starts at the last solution, two
            steps are close to the exact solution from the first iteration on; one step takes some iterations more.

    Raises:
        ModelError: ``num_steps`` is below one.
    """

    def __init__(self, num_steps: int = 2) -> None:
        if num_steps < 1:
            raise ModelError(f"model.solver.num_steps must be at least 1, but it is {num_steps}. Correct it.")
        self.num_steps = num_steps

    def prepare(self, matrix: InteractionMatrix, dim: int, shares: Tensor | None = None) -> RowSolver:
        """Add up the values of each row and column of ``matrix``."""
        return _ConjugateGradientRows(matrix, self.num_steps, column_shares(matrix) if shares is None else shares)


class _ConjugateGradientRows:
    def __init__(self, matrix: InteractionMatrix, num_steps: int, shares: Tensor) -> None:
        self._matrix = matrix
        self._num_steps = num_steps
        self._weights = _weights_of(matrix)
        self._counts = matrix.row_sums()[:, None]
        self._column_shares = shares

    def __call__(self, vectors: Tensor, penalty: Tensor, start: Tensor) -> Tensor:
        matrix = self._matrix
        diagonal = torch.addcmul(penalty, self._counts, self._column_shares @ vectors.square())
        errors = self._weighted(1 - matrix.products_at_values(start, vectors))
        residual = (errors @ vectors).addcmul_(penalty, start, value=-1)
        direction = residual / diagonal
        closeness = _row_products(residual, direction)
        solution = start
        for step in range(self._num_steps):
            products = self._weighted(matrix.products_at_values(direction, vectors))
            image = (products @ vectors).addcmul_(penalty, direction)
            length = closeness / _row_products(direction, image).clamp(min=TINY)
            solution = torch.addcmul(solution, length, direction)
            if step + 1 < self._num_steps:
                residual = torch.addcmul(residual, length, image, value=-1)
                scaled = residual / diagonal
                last, closeness = closeness, _row_products(residual, scaled)
                direction = torch.addcmul(scaled, closeness / last.clamp(min=TINY), direction)
        return solution

    def _weighted(self, values: Tensor) -> InteractionMatrix:
        """The matrix of ``values`` (shape [M]), each times its weight."""
        return self._matrix.with_values(values if self._weights is None else values * self._weights)


def column_shares(matrix: InteractionMatrix) -> Tensor:
    """The share of each column in the sum of all values, shape [C]."""
    total = float(matrix.values.double().sum())
    return matrix.column_sums() / (total if total > 0 else 1.0)


def _weights_of(matrix: InteractionMatrix) -> Tensor | None:
    """The values of ``matrix``; None where all are 1."""
    return None if bool((matrix.values == 1).all()) else matrix.values


def _row_products(left: Tensor, right: Tensor) -> Tensor:
    """Inner products of the rows, shape [R, 1]."""
    return torch.linalg.vecdot(left, right)[:, None]
