import numpy as np
import pytest

pytest.importorskip("numba")

import torch

from recsys.training.fused import tower_pass as module
from recsys.training.fused.tower_pass import TowerPass


def matrix(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float64)


@pytest.mark.parametrize("block_pairs", [2, 100])
def test_one_pass_goes_over_several_batches_while_weights_change(block_pairs, monkeypatch):
    monkeypatch.setattr(module, "BLOCK_PAIRS", block_pairs)
    users, items = matrix([1.0], [2.0]), matrix([3.0], [4.0])
    of_users, of_items = torch.zeros(2, 1, dtype=torch.float64), torch.zeros(2, 1, dtype=torch.float64)
    parameters = [matrix([1.0]), torch.zeros(1, dtype=torch.float64)]
    grads = [torch.zeros_like(parameter) for parameter in parameters]
    tables = [users], [items], [of_users], [of_items]
    blocks = TowerPass(*tables, parameters, grads, [False, False], True, 0.0, 2)
    batch = torch.tensor([0, 1]), torch.tensor([[0, 1], [1, 0]])

    def loss() -> float:
        return blocks.over(*batch, *batch, differences=True, l2=0.0)

    # softplus of the negative's score less the positive's: 4 - 3 of the first user, 2 * (3 - 4) of the second
    assert loss() == pytest.approx((np.log1p(np.exp(1)) + np.log1p(np.exp(-2))) / 2)
    first, second = 1 / (1 + np.exp(-1)) / 2, 1 / (1 + np.exp(2)) / 2
    assert of_users.flatten().tolist() == pytest.approx([first * (4 - 3), second * (3 - 4)])
    assert of_items.flatten().tolist() == pytest.approx([2 * second - first, first - 2 * second])
    users.zero_()
    assert loss() == pytest.approx(np.log(2))
