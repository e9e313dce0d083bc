import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.models.linalg import row_ridge
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.row_ridge import RowRidge


def matrix_of(counts, num_columns, seed=0):
    random = np.random.default_rng(seed)
    columns = [np.sort(random.choice(num_columns, count, replace=False)) for count in counts]
    offsets = torch.tensor([0, *np.cumsum(counts)])
    flat = torch.from_numpy(np.concatenate([*columns, np.empty(0, np.int64)]).astype(np.int64))
    return InteractionMatrix(offsets, flat, torch.ones(len(flat)), num_columns)


def full_matrix(num_rows, num_columns):
    """Every row has a value in every column."""
    columns = torch.arange(num_columns).repeat(num_rows)
    offsets = torch.arange(0, num_rows * num_columns + 1, num_columns)
    return InteractionMatrix(offsets, columns, torch.ones(len(columns)), num_columns)


def reference(matrix, vectors, targets, penalty):
    """One row after the other."""
    rows = []
    for row, (start, stop) in enumerate(zip(matrix.offsets[:-1], matrix.offsets[1:], strict=True)):
        if start == stop:
            rows.append(np.zeros(vectors.shape[1]))
            continue
        design = vectors[matrix.columns[start:stop]].double().numpy()
        system = design.T @ design + np.diag(penalty[row].double().numpy())
        rows.append(np.linalg.solve(system, design.T @ targets[start:stop].double().numpy()))
    return np.stack(rows)


@given(st.lists(st.integers(0, 30), min_size=1, max_size=25), st.integers(1, 5), st.integers(0, 100))
def test_each_row_is_the_solution_of_its_own_normal_equations(counts, dim, seed):
    matrix = matrix_of(counts, 30, seed)
    generator = torch.Generator().manual_seed(seed)
    vectors, targets = torch.randn(30, dim, generator=generator), torch.randn(sum(counts), generator=generator)
    penalty = 0.5 + torch.rand(len(counts), dim, generator=generator)
    solution = RowRidge(matrix, dim).solve(vectors, targets, penalty)
    np.testing.assert_allclose(solution, reference(matrix, vectors, targets, penalty), atol=1e-4)


def test_gram_matrices_are_sums_of_outer_products():
    matrix = matrix_of([2, 0, 3], 4)
    vectors = torch.randn(4, 2, generator=torch.Generator().manual_seed(0))
    grams = RowRidge(matrix, 2).gram(vectors)
    for row in range(3):
        own = vectors[matrix.columns[matrix.offsets[row] : matrix.offsets[row + 1]]]
        torch.testing.assert_close(grams[row], own.T @ own)


@pytest.mark.parametrize("bound", [1, 40])
def test_the_bound_of_groups_changes_no_solution(monkeypatch, bound):
    matrix = matrix_of([1, 30, 2, 2, 7, 8, 9, 1, 1], 30)
    generator = torch.Generator().manual_seed(0)
    vectors, targets = torch.randn(30, 3, generator=generator), torch.randn(61, generator=generator)
    penalty = torch.ones(9, 3)
    whole = RowRidge(matrix, 3).solve(vectors, targets, penalty)
    monkeypatch.setattr(row_ridge, "GROUP_VALUES", {"cpu": bound})
    torch.testing.assert_close(RowRidge(matrix, 3).solve(vectors, targets, penalty), whole)


def test_rows_of_known_lengths_have_the_same_solutions():
    counts = [3, 0, 9, 1, 4]
    matrix, vectors = matrix_of(counts, 12), torch.randn(12, 3, generator=torch.Generator().manual_seed(0))
    targets, penalty = torch.ones(sum(counts)), torch.ones(5, 3)
    known = RowRidge(matrix, 3, np.array(counts)).solve(vectors, targets, penalty)
    assert known.equal(RowRidge(matrix, 3).solve(vectors, targets, penalty))


def test_values_that_are_not_there_change_no_solution():
    # The second row has column 2 twice, of which the second time does not count.
    twice = InteractionMatrix(torch.tensor([0, 2, 5]), torch.tensor([0, 1, 1, 2, 2]), torch.ones(5), 3)
    once = InteractionMatrix(torch.tensor([0, 2, 4]), torch.tensor([0, 1, 1, 2]), torch.ones(4), 3)
    vectors, penalty = torch.randn(3, 2, generator=torch.Generator().manual_seed(0)), torch.ones(2, 2)
    present = torch.tensor([True, True, True, True, False])
    ridge = RowRidge(twice, 2, present=present)
    solution = ridge.solve(vectors, present.float(), penalty)
    torch.testing.assert_close(solution, RowRidge(once, 2).solve(vectors, torch.ones(4), penalty))
    torch.testing.assert_close(ridge.gram(vectors), RowRidge(once, 2).gram(vectors))


def test_noise_spreads_a_solution_as_the_inverse_of_its_system():
    # 50,000 rows with the same two columns
    matrix = full_matrix(50_000, 2)
    vectors = torch.tensor([[1.0, 0.5], [-0.5, 2.0]])
    noise = 0.5 * torch.randn(50_000, 2, generator=torch.Generator().manual_seed(0))
    solution = RowRidge(matrix, 2).solve(vectors, torch.zeros(100_000), torch.ones(50_000, 2), noise)
    system = vectors.T @ vectors + torch.eye(2)
    np.testing.assert_allclose(np.cov(solution.T), 0.25 * torch.linalg.inv(system).numpy(), atol=0.005)


def test_values_that_are_padding_count_for_nothing():
    matrix = InteractionMatrix(torch.tensor([0, 3, 5]), torch.tensor([0, 1, 2, 0, 1]), torch.ones(5), 3)
    vectors = torch.randn(3, 2, generator=torch.Generator().manual_seed(0))
    present = torch.tensor([True, False, True, True, True])
    fewer = InteractionMatrix(torch.tensor([0, 2, 4]), torch.tensor([0, 2, 0, 1]), torch.ones(4), 3)
    targets, penalty = torch.tensor([1.0, 9.0, 2.0, 3.0, 4.0]), torch.ones(2, 2)
    padded = RowRidge(matrix, 2, present=present).solve(vectors, targets, penalty)
    torch.testing.assert_close(padded, RowRidge(fewer, 2).solve(vectors, targets[present], penalty))
