import pytest
import torch
from torch import Tensor

from recsys.models.onnx.linear_systems import conjugate_gradients, eliminated, steps_of_conjugate_gradients


def systems(num: int, dim: int, condition: float) -> Tensor:
    """Random rotations of eigenvalues from 1 to ``condition``."""
    generator = torch.Generator().manual_seed(dim)
    axes = torch.linalg.qr(torch.randn(num, dim, dim, generator=generator, dtype=torch.float64)).Q
    values = torch.logspace(0, torch.tensor(condition).log10().item(), dim, dtype=torch.float64)
    return (axes * values) @ axes.transpose(1, 2)


@pytest.mark.parametrize("condition", [1.0, 4.0, 1e3])
@pytest.mark.parametrize("dim", [1, 9, 40])
def test_elimination_solves(dim, condition):
    matrices, right = systems(3, dim, condition), torch.ones(3, dim, dtype=torch.float64)
    solution = eliminated(matrices.float(), right.float())
    torch.testing.assert_close(solution.double(), torch.linalg.solve(matrices, right), rtol=1e-3, atol=1e-6 * condition)


def test_elimination_takes_systems_of_any_shape():
    matrices = systems(6, 5, 10.0).view(2, 3, 5, 5)
    right = torch.arange(30, dtype=torch.float64).view(2, 3, 5)
    torch.testing.assert_close(eliminated(matrices, right), torch.linalg.solve(matrices, right))


@pytest.mark.parametrize("condition", [1.0, 1.5, 4.0, 50.0])
def test_so_many_steps_of_conjugate_gradients_solve(condition):
    matrices, right = systems(4, 64, condition), torch.ones(4, 64, dtype=torch.float64)
    steps = steps_of_conjugate_gradients(condition)
    solution = conjugate_gradients(matrices, right, torch.ones(4, 64, dtype=torch.float64), steps)
    expected = torch.linalg.solve(matrices, right)
    error = solution - expected
    of_the_system = ((error @ matrices) * error).sum() / ((expected @ matrices) * expected).sum()
    assert of_the_system.sqrt() < 1e-5


def test_a_system_without_right_side_stays_at_zero():
    matrices = systems(1, 8, 10.0).float()
    assert conjugate_gradients(matrices, torch.zeros(1, 8), torch.ones(1, 8), 5).equal(torch.zeros(1, 8))


def test_fewer_steps_are_needed_where_systems_are_closer_to_their_diagonal():
    steps = [steps_of_conjugate_gradients(condition) for condition in (1.0, 2.0, 4.3, 100.0)]
    assert steps == sorted(steps)
    assert steps[0] == 1
