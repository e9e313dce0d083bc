from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.errors import ModelError
from recsys.models.linalg import row_ridge
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.least_squares import Cholesky, ConjugateGradient, LeastSquaresSolver
from tests.models.linalg.test_interaction_matrix import histories


def problem(seed: int, num_rows: int = 7, num_columns: int = 5, dim: int = 3):
    """A random matrix with an empty row and a full one, vectors of its columns, penalties and a start."""
    random = np.random.default_rng(seed)
    lists = [np.flatnonzero(random.random(num_columns) < 0.5).tolist() for _ in range(num_rows)]
    lists[0], lists[1] = [], list(range(num_columns))
    matrix = InteractionMatrix.from_histories(histories(*lists), num_columns)
    vectors, start = (torch.from_numpy(random.standard_normal((n, dim))).float() for n in (num_columns, num_rows))
    penalty = torch.from_numpy(random.uniform(0.1, 2.0, (num_rows, dim))).float()
    return matrix, vectors, penalty, start


def row_by_row(matrix: InteractionMatrix, vectors, penalty) -> np.ndarray:
    """The normal equations of each row, written down and solved in float64."""
    dense, vectors, penalty = (x.numpy().astype(np.float64) for x in (matrix.dense(), vectors, penalty))
    solution = np.zeros_like(penalty)
    for row in range(len(dense)):
        left, right = np.diag(penalty[row]), np.zeros(vectors.shape[1])
        for column in range(dense.shape[1]):
            if dense[row, column] != 0:
                left += np.outer(vectors[column], vectors[column])
                right += vectors[column]
        solution[row] = np.linalg.solve(left, right)
    return solution


def solved(solver: LeastSquaresSolver, matrix, vectors, penalty, start):
    return solver.prepare(matrix, vectors.shape[1])(vectors, penalty, start)


@given(st.integers(0, 2**31))
def test_cholesky_solves_the_normal_equations_of_each_row(seed):
    matrix, vectors, penalty, start = problem(seed)
    solution = solved(Cholesky(), matrix, vectors, penalty, start)
    np.testing.assert_allclose(solution.numpy(), row_by_row(matrix, vectors, penalty), rtol=1e-3, atol=1e-4)


@given(st.integers(0, 2**31))
def test_conjugate_gradients_reach_the_solution_after_as_many_steps_as_dimensions(seed):
    matrix, vectors, penalty, start = problem(seed)
    # rounding makes a few more steps necessary than the three of exact arithmetic
    solution = solved(ConjugateGradient(num_steps=6), matrix, vectors, penalty, start)
    np.testing.assert_allclose(solution.numpy(), row_by_row(matrix, vectors, penalty), rtol=1e-3, atol=1e-4)


def distance_of(num_steps: int, seed: int = 3) -> float:
    """How far the objective of all rows together is above its minimum."""
    matrix, vectors, penalty, start = problem(seed, num_rows=40, num_columns=30, dim=8)
    dense = matrix.dense().bool()

    def objective(rows):
        return ((1 - rows @ vectors.T)[dense] ** 2).sum() + (penalty * rows**2).sum()

    exact = torch.from_numpy(row_by_row(matrix, vectors, penalty)).float()
    iterated = solved(ConjugateGradient(num_steps), matrix, vectors, penalty, start)
    return (objective(iterated) - objective(exact)).item()


def test_each_step_of_conjugate_gradients_comes_closer():
    distances = [distance_of(steps) for steps in (1, 2, 4, 8)]
    assert distances == sorted(distances, reverse=True)
    assert distances[-1] < 1e-2 * distances[0]


def test_one_step_is_enough_for_a_diagonal_system():
    # One row whose only column is e_1: the system is diag(1 + 1, 3), and the preconditioner is exactly that.
    matrix = InteractionMatrix.from_histories(histories([0]), 1)
    vectors, penalty = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 3.0]])
    solution = solved(ConjugateGradient(num_steps=1), matrix, vectors, penalty, torch.tensor([[4.0, 5.0]]))
    torch.testing.assert_close(solution, torch.tensor([[0.5, 0.0]]))


@pytest.mark.parametrize("solver", [Cholesky(), ConjugateGradient(num_steps=4)])
def test_a_row_without_values_is_zero(solver):
    matrix, vectors, penalty, _ = problem(1)
    assert solved(solver, matrix, vectors, penalty, torch.zeros_like(penalty))[0].tolist() == [0, 0, 0]


def test_conjugate_gradients_stay_at_the_solution():
    matrix, vectors, penalty, _ = problem(1)
    exact = solved(Cholesky(), matrix, vectors, penalty, penalty)
    again = solved(ConjugateGradient(num_steps=5), matrix, vectors, penalty, exact)
    torch.testing.assert_close(again, exact, rtol=1e-4, atol=1e-5)


def test_cholesky_does_not_depend_on_the_size_of_the_groups(monkeypatch):
    arguments = problem(5, num_rows=30, num_columns=20, dim=4)
    at_once = solved(Cholesky(), *arguments)
    monkeypatch.setitem(row_ridge.GROUP_VALUES, "cpu", 1)  # each row is a group of its own
    torch.testing.assert_close(solved(Cholesky(), *arguments), at_once, rtol=1e-4, atol=1e-5)


def test_refuses_no_steps():
    with pytest.raises(ModelError, match="num_steps must be at least 1, but it is 0"):
        ConjugateGradient(0)


@pytest.mark.parametrize("solver", [Cholesky(), ConjugateGradient(num_steps=8)], ids=lambda x: type(x).__name__)
def test_a_weight_of_two_is_the_same_column_twice(solver):
    matrix, vectors, penalty, start = problem(5)
    weights = torch.where(torch.arange(len(matrix.values)) % 2 == 0, 2.0, 1.0)
    # The same vectors again as further columns, which the rows have where their weight is 2.
    doubled = [
        columns.tolist() + (columns[weights[at] == 2] + matrix.num_columns).tolist()
        for row in range(len(matrix))
        for at in [slice(int(matrix.offsets[row]), int(matrix.offsets[row + 1]))]
        for columns in [matrix.columns[at]]
    ]
    twice = InteractionMatrix.from_histories(histories(*doubled), 2 * matrix.num_columns)
    expected = row_by_row(twice, torch.cat([vectors, vectors]), penalty)
    found = solved(solver, matrix.with_values(weights), vectors, penalty, start)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-3, atol=1e-4)
