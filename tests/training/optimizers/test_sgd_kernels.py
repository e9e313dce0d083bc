import pytest
import torch

pytest.importorskip("numba")

from recsys.training.optimizers.sgd_kernels import SGDKernels


def test_each_gradient_of_a_repeated_row_counts_and_other_rows_stay():
    weight = torch.ones(4, 2, dtype=torch.float64)
    ids, grad = torch.tensor([2, 0, 2]), torch.tensor([[1.0, 2.0], [4.0, 0.0], [3.0, -1.0]], dtype=torch.float64)
    SGDKernels().update(ids, grad, [weight], torch.zeros(4, dtype=torch.int32), 1, 1, {"lr": 0.5})
    assert weight.tolist() == [[-1, 1], [1, 1], [-1, 0.5], [1, 1]]


def test_nothing_has_to_be_caught_up():
    weight, last = torch.ones(4, 2), torch.zeros(4, dtype=torch.int32)
    SGDKernels().catch_up(torch.tensor([1]), [weight], last, torch.ones(1, 4), {"lr": 0.5})
    assert weight.eq(1).all()
