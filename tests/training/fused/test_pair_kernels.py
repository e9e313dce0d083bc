import math

import numpy as np
import pytest
import torch

pytest.importorskip("numba")

from recsys.training.fused import pair_kernels as kernels


def test_softplus_and_its_slope():
    for x in (-700.0, -3.0, 0.0, 3.0, 700.0):
        value, slope = kernels._softplus(x, 1.0)
        assert value == pytest.approx(max(x, 0) + math.log1p(math.exp(-abs(x))), rel=1e-14)
        assert slope == pytest.approx(math.exp(min(x, 0)) / (1 + math.exp(-abs(x))), rel=1e-14)
    assert math.isnan(kernels._softplus(math.nan, 1.0)[0])


def test_slopesof_differences_cancel_out_exactly():
    scores, slopes = np.array([0.3, -1.2, 2.5, 0.1], dtype=np.float32), np.zeros(4, dtype=np.float32)
    kernels.of_differences(scores, slopes, np.float32(0.1))
    assert slopes[0] == -((slopes[1] + slopes[2]) + slopes[3])


def test_slopesof_scores():
    scores, slopes = np.array([1.0, -2.0]), np.zeros(2)
    total = kernels.of_scores(scores, slopes, 0.5)
    # -log s(1) - log s(2); s(1) = .7311, s(-2) = .1192
    assert total == pytest.approx(-math.log(0.7310586) - math.log(0.8807971), rel=1e-6)
    assert slopes.tolist() == pytest.approx([-0.5 * (1 - 0.7310586), 0.5 * 0.1192029], rel=1e-6)


def places_and_rows(users: torch.Tensor, items: torch.Tensor) -> list[torch.Tensor]:
    """Of two users and two items."""
    places = [torch.full((2,), -1, dtype=torch.int32) for _ in range(2)]
    return [*places, torch.zeros_like(users), items.new_zeros(items.numel())]


def test_the_operator_gives_the_loss_and_adds_to_the_gradients():
    users, items = torch.tensor([1, 1]), torch.tensor([[0, 1], [0, 1]])
    weights = torch.tensor([[9.0], [1.0]]), torch.tensor([[2.0], [2.0]])
    grads = torch.zeros(2, 1), torch.zeros(2, 1)
    none = torch.empty(0, 1), torch.empty(0, 1), torch.empty(0)
    rest = *places_and_rows(users, items), [False] * 4, True, 0.5, 0.0
    loss, *_ = torch.ops.recsys.fused_pairs(users, items, *weights, *grads, *none, *none, *rest)
    assert loss == pytest.approx(math.log(2))
    # two times half of a slope of one half, times the user's 1; the user's part is that of the items' difference
    assert grads[1].tolist() == [[-0.5], [0.5]] and grads[0].tolist() == [[0], [0]]


def test_each_distinct_row_of_a_batch_has_one_gradient():
    users, items = torch.tensor([1, 0, 1]), torch.tensor([[1, 0], [1, 0], [1, 0]])
    weights = torch.tensor([[1.0], [1.0]]), torch.tensor([[2.0], [2.0]])
    grads = torch.full((3, 1), torch.nan), torch.full((6, 1), torch.nan)  # nothing is read from new rows
    none = torch.empty(0, 1), torch.empty(0, 1), torch.empty(0)
    places = places_and_rows(users, items)
    rest = [True, True, False, False], True, 1 / 3, 0.0
    _, *counts = torch.ops.recsys.fused_pairs(users, items, *weights, *grads, *none, *none, *places, *rest)
    assert counts == [2, 2]
    assert places[2][:2].tolist() == [1, 0] and places[3][:2].tolist() == [1, 0]
    assert grads[1][:2].flatten().tolist() == pytest.approx([-0.5, 0.5])
    assert grads[0][:2].flatten().tolist() == [0, 0]
    assert places[0].tolist() == places[1].tolist() == [-1, -1]


def test_a_batch_that_is_refused_leaves_no_places():
    users, items = torch.tensor([1, 7]), torch.tensor([[1, 0], [1, 0]])
    weights, grads = (torch.ones(2, 1), torch.ones(2, 1)), (torch.zeros(2, 1), torch.zeros(4, 1))
    none = torch.empty(0, 1), torch.empty(0, 1), torch.empty(0)
    places = places_and_rows(users, items)
    with pytest.raises(IndexError):
        torch.ops.recsys.fused_pairs(
            users, items, *weights, *grads, *none, *none, *places, [True, True, False, False], True, 0.5, 0.0
        )
    assert places[0].tolist() == places[1].tolist() == [-1, -1]
