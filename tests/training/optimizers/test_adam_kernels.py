import pytest
import torch

pytest.importorskip("numba")

from recsys.training.optimizers.adam_kernels import AdamKernels

SETTINGS = {"lr": 0.1, "betas": (0.5, 0.75), "eps": 0.0, "weight_decay": 0.0}


def tables() -> list[torch.Tensor]:
    return [torch.zeros(4, 2), torch.zeros(4, 2), torch.full((4, 2), 4.0)]


def test_gradients_of_a_repeated_row_add_up():
    weight, average, square = tables()
    last = torch.zeros(4, dtype=torch.int32)
    ids, grad = torch.tensor([2, 0, 2]), torch.tensor([[1.0, 1.0], [0.0, 0.0], [3.0, -1.0]])
    AdamKernels().update(ids, grad, [weight, average, square], last, 2, 1, SETTINGS)
    # m = .5 g; v = .75 * 4 + .25 g^2; w = -lr m / (1 - .5^2) / sqrt(v / (1 - .75^2))
    assert average[2].tolist() == [2, 0] and square[2].tolist() == [7, 3]
    assert weight[2].tolist() == pytest.approx([-0.1 * 2 / 0.75 / (7 / 0.4375) ** 0.5, 0])
    assert average[1].tolist() == [0, 0] and square[1].tolist() == [4, 4]
    assert last.tolist() == [1, 0, 1, 0]


def test_a_repeated_row_is_caught_up_once():
    weight, average, square = tables()
    average += 1
    last = torch.tensor([0, 1, 0, 0], dtype=torch.int32)
    coefficients = torch.tensor([[3.0, 1, 0, 0, 0, 0, 0.5, 0.25, 0.75], [0, 1, 0, 0, 0, 0, 1, 1, 1]])
    AdamKernels().catch_up(torch.tensor([0, 0, 1]), [weight, average, square], last, coefficients.double(), SETTINGS)
    assert weight[:3].tolist() == [[-1.5, -1.5], [0, 0], [0, 0]]  # 3 m / sqrt(v)
    assert average[:3, 0].tolist() == [0.25, 1, 1] and square[:3, 0].tolist() == [3, 4, 4]
    assert last.tolist() == [1, 1, 0, 0]
