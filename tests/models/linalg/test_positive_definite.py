import pytest
import torch

from recsys.errors import ModelError
from recsys.models.linalg.positive_definite import SOLVERS, PositiveDefiniteSolver, solve_batched, solve_one_by_one


def systems(num, dim, dtype):
    vectors = torch.randn(num, dim, 2 * dim, generator=torch.Generator().manual_seed(0), dtype=dtype)
    return vectors @ vectors.mT + torch.eye(dim, dtype=dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("solve", [solve_one_by_one, solve_batched])
def test_solutions_and_factors(monkeypatch, dtype, solve):
    monkeypatch.setitem(SOLVERS, "cpu", solve)
    matrices, right = systems(7, 5, dtype), torch.arange(35, dtype=dtype).view(7, 5)
    solver = PositiveDefiniteSolver()
    solved, factors = solver.solve(matrices.clone(), right)
    solver.check()
    torch.testing.assert_close(solved, torch.linalg.solve(matrices, right), rtol=1e-3, atol=1e-4)
    upper = factors.triu()
    torch.testing.assert_close(upper.mT @ upper, matrices, rtol=1e-4, atol=1e-4)
    assert right.equal(torch.arange(35, dtype=dtype).view(7, 5))


def test_no_systems_and_single_numbers():
    solver = PositiveDefiniteSolver()
    assert solver.solve(torch.zeros(0, 3, 3), torch.zeros(0, 3))[0].shape == (0, 3)
    assert solver.solve(torch.tensor([[[4.0]]]), torch.tensor([[2.0]]))[0].tolist() == [[0.5]]
    solver.check()


@pytest.mark.parametrize("solve", [solve_one_by_one, solve_batched])
def test_what_is_not_positive_definite_is_told_at_the_end(monkeypatch, solve):
    monkeypatch.setitem(SOLVERS, "cpu", solve)
    solver = PositiveDefiniteSolver()
    solved, _ = solver.solve(torch.stack([torch.eye(2), torch.tensor([[1.0, 2.0], [2.0, 1.0]])]), torch.ones(2, 2))
    assert solved[0].tolist() == [1, 1] and solved[1].isnan().all()
    solver.solve(torch.eye(2)[None], torch.ones(1, 2))
    with pytest.raises(ModelError, match="no single solution"):
        solver.check()
    solver.check()  # was told
