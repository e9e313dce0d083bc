import pytest
import torch

from recsys.models.layers.bias_dimension import frequency_penalty, with_bias, with_ones

VECTORS = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def test_a_constant_is_added_as_the_last_dimension():
    assert with_ones(VECTORS).tolist() == [[1, 2, 1], [3, 4, 1]]


def test_a_bias_is_added_as_the_last_dimension():
    assert with_bias(VECTORS, torch.tensor([0.5, -1.0])).tolist() == [[1, 2, 0.5], [3, 4, -1]]


def test_products_of_both_sides_add_the_biases():
    bias = torch.tensor([0.5, -1.0])
    products = with_bias(VECTORS, bias) @ with_ones(VECTORS).T
    assert products.equal(VECTORS @ VECTORS.T + bias[:, None])


@pytest.mark.parametrize(
    ("power", "expected"),
    [
        (0.0, [[0.5, 0.5, 3.0], [0.5, 0.5, 3.0], [0.5, 0.5, 3.0]]),
        (1.0, [[2.0, 2.0, 3.0], [0.5, 0.5, 3.0], [0.5, 0.5, 3.0]]),
        (0.5, [[1.0, 1.0, 3.0], [0.5, 0.5, 3.0], [0.5, 0.5, 3.0]]),
    ],
)
def test_penalties_grow_with_the_number_of_ratings(power, expected):
    # A row without ratings has the penalty of a row with one.
    penalty = frequency_penalty(torch.tensor([4, 1, 0]), dim=2, l2=0.5, frequency_power=power, bias_l2=3.0)
    assert penalty.tolist() == expected
    assert penalty.dtype == torch.float32
