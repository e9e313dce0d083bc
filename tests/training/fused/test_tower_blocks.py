import numpy as np
import pytest

pytest.importorskip("numba")

import torch

from recsys.training.fused.tower_blocks import Block, PerceptronBlocks, ProductBlocks, RowGradients

USERS, ITEMS = np.array([0]), np.array([1, 1])


def block(penalty: float = 0.0) -> Block:
    return Block(USERS, ITEMS, [USERS], [np.array([0, 0])], (np.float64(penalty), np.float64(penalty)))


def sides() -> tuple[RowGradients, RowGradients]:
    """A user 3, and items 5 and 2; a gradient of whole users, and one of the one row of items."""
    tables = np.array([[3.0]]), np.array([[5.0], [2.0]])
    return tuple(RowGradients(table, np.zeros((1, 1))) for table in tables)  # type: ignore[return-value]


def matrices(*values: list) -> list[torch.Tensor]:
    return [torch.tensor(value, dtype=torch.float64) for value in values]


def test_a_tower_of_products_forward_and_backward():
    users, items = sides()
    grads = matrices([[0]], [0])
    tower, scores = ProductBlocks(0, (users, items), matrices([[10]], [1]), grads), np.zeros(2)
    assert tower.forward(block(0.5), scores) == (9, 2 * 4)
    assert scores.tolist() == [3 * 10 * 2 + 1] * 2
    tower.backward(block(0.5), np.array([1.0, -3.0]))
    assert users.grad.tolist() == [[-2 * 10 * 2 + 0.5 * 3]]
    assert items.grad.tolist() == [[-2 * 10 * 3 + 2 * 0.5 * 2]]
    assert grads[0].tolist() == [[-2 * 3 * 2]] and grads[1].tolist() == [-2]


def test_a_tower_of_one_layer_forward_and_backward():
    users, items = sides()
    parameters = matrices([[1], [-1]], [0, 1], [[1], [1]], [[2, 100]], [7])
    grads = matrices([[0], [0]], [0, 0], [[0], [0]], [[0, 0]], [0])
    tower, scores = PerceptronBlocks(0, (users, items), parameters, grads, 0.0, 2), np.zeros(2)
    tower.forward(block(), scores)
    # units 3 + 2 = 5 and -3 + 1 + 2 = 0, which is off
    assert scores.tolist() == [2 * 5 + 7] * 2
    tower.backward(block(), np.array([1.0, 3.0]))
    assert users.grad.tolist() == [[4 * 2]] and items.grad.tolist() == [[4 * 2]]
    assert [grad.flatten().tolist() for grad in grads] == [[4 * 2 * 3, 0], [4 * 2, 0], [4 * 2 * 2, 0], [4 * 5, 0], [4]]
