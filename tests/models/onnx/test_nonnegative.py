import pytest
import torch
from torch import Tensor

from recsys.models.onnx.nonnegative import NonNegativeLeastSquares
from tests.models.onnx.model_queries import asked

APART = torch.tensor([[2.0, 0.0], [0.0, 1.0]])
#: The Gram matrix of these is ((1, 1), (1, 2)).
COUPLED = torch.tensor([[1.0, 1.0], [0.0, 1.0]])


def solved(vectors: Tensor, *rows: list[int], l1: float = 0.0, l2: float = 0.0, num_sweeps: int = 200) -> Tensor:
    return NonNegativeLeastSquares(vectors, l1, l2, num_sweeps)(asked(*rows))


def test_dimensions_that_are_apart_are_solved_each_by_itself():
    # (2 - .5) / (4 + 1) and max(0, (0 - .5) / (1 + 1))
    torch.testing.assert_close(solved(APART, [0], l1=0.5, l2=1.0), torch.tensor([[0.3, 0.0]]))


@pytest.mark.parametrize(
    ("num_sweeps", "expected"),
    [
        (1, [1.0, 0.5]),  # the first is 1 - 0, the second (2 - 1) / 2
        (2, [0.5, 0.75]),  # 1 - .5 and (2 - .5) / 2
        (200, [0.0, 1.0]),  # the solution of the equations
    ],
)
def test_each_sweep_goes_through_one_dimension_after_the_other(num_sweeps, expected):
    # both items: the sum of their vectors is (1, 2)
    found = solved(COUPLED, [0, 1], num_sweeps=num_sweeps)
    torch.testing.assert_close(found, torch.tensor([expected]), atol=1e-5, rtol=0)


def test_no_number_is_negative():
    # without the bound item 1 alone has (-1, 1); with it the second is 1 / 2
    torch.testing.assert_close(solved(COUPLED, [1]), torch.tensor([[0.0, 0.5]]))


def test_an_item_that_comes_again_counts_once():
    assert solved(COUPLED, [1, 0, 1]).equal(solved(COUPLED, [1, 0]))


def test_an_empty_history_has_no_vector():
    found = solved(COUPLED, [], [0])
    assert found.isnan().tolist() == [[True, True], [False, False]]


def test_a_dimension_that_no_item_has_stays_zero():
    vectors = torch.tensor([[2.0, 0.0], [1.0, 0.0]])
    torch.testing.assert_close(solved(vectors, [0]), torch.tensor([[0.4, 0.0]]))  # 2 / (4 + 1)


def test_gives_the_least_squares_of_many_dimensions():
    vectors = torch.rand(40, 6, generator=torch.Generator().manual_seed(0))
    history = [1, 7, 8, 20, 33]
    values = solved(vectors, history, l2=0.1, num_sweeps=1000)[0].double()
    wide = vectors.double()
    gradient = wide.T @ (wide @ values) + 0.1 * values - wide[history].sum(0)
    # what is above zero has no slope, and what is zero would only get worse
    assert (values >= 0).all()
    assert gradient[values > 0].abs().max() < 1e-4
    assert (gradient[values == 0] > -1e-4).all()
