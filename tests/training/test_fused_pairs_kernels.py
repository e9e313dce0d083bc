import math

import numpy as np
import pytest
import torch

pytest.importorskip("numba")

from recsys.training import fused_pairs_kernels as kernels


def test_softplus_and_its_slope():
    for x in (-700.0, -3.0, 0.0, 3.0, 700.0):
        value, slope = kernels._softplus(x, 1.0)
        assert value == pytest.approx(max(x, 0) + math.log1p(math.exp(-abs(x))), rel=1e-14)
        assert slope == pytest.approx(math.exp(min(x, 0)) / (1 + math.exp(-abs(x))), rel=1e-14)
    assert math.isnan(kernels._softplus(math.nan, 1.0)[0])


def test_slopes_of_differences_cancel_out_exactly():
    scores, slopes = np.array([0.3, -1.2, 2.5, 0.1], dtype=np.float32), np.zeros(4, dtype=np.float32)
    kernels._of_differences(scores, slopes, np.float32(0.1))
    assert slopes[0] == -((slopes[1] + slopes[2]) + slopes[3])


def test_slopes_of_scores():
    scores, slopes = np.array([1.0, -2.0]), np.zeros(2)
    total = kernels._of_scores(scores, slopes, 0.5)
    # -log s(1) - log s(2); s(1) = .7311, s(-2) = .1192
    assert total == pytest.approx(-math.log(0.7310586) - math.log(0.8807971), rel=1e-6)
    assert slopes.tolist() == pytest.approx([-0.5 * (1 - 0.7310586), 0.5 * 0.1192029], rel=1e-6)


def test_the_operator_gives_the_loss_and_adds_to_the_gradients():
    users, items = torch.tensor([1, 1]), torch.tensor([[0, 1], [0, 1]])
    weights = torch.tensor([[9.0], [1.0]]), torch.tensor([[2.0], [2.0]])
    grads = torch.zeros(2, 1), torch.zeros(2, 1)
    none = torch.empty(0, 1), torch.empty(0, 1), torch.empty(0)
    rest = [False] * 4, True, 0.5, 0.0
    loss = torch.ops.recsys.fused_pairs(users, items, *weights, *grads, *none, *none, *rest)
    assert loss == pytest.approx(math.log(2))
    # two times half of a slope of one half, times the user's 1; the user's part is that of the items' difference
    assert grads[1].tolist() == [[-0.5], [0.5]] and grads[0].tolist() == [[0], [0]]
