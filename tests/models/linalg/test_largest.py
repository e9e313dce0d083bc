import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.models.linalg.largest import largest_columns, without_rounding


def test_of_equal_numbers_the_first_columns_are_kept():
    values = torch.tensor([[0.5, 1.0, 0.5, 2.0, 0.5], [3.0, 3.0, 3.0, 3.0, 3.0], [0.0, 0.0, 7.0, 0.0, 0.0]])
    assert largest_columns(values, 3).tolist()[:2] == [[0, 1, 3], [0, 1, 2]]
    assert 2 in largest_columns(values, 3)[2]


def test_what_differs_by_its_last_bits_is_equal():
    # 0.1 added up three times is not 0.3; the last column is larger by a thousandth, and so really larger.
    sums = torch.tensor([[0.3, 0.1 + 0.1 + 0.1, 0.3003]], dtype=torch.float64)
    sums[0, 1] *= 1 + 1e-7
    values = sums.float()
    assert values[0, 0] < values[0, 1]
    assert largest_columns(values, 2).tolist() == [[0, 2]]
    assert largest_columns(values, 1).tolist() == [[2]]


def test_all_columns_are_kept_where_there_are_no_more():
    assert largest_columns(torch.ones(2, 3), 3).tolist() == [[0, 1, 2]] * 2
    assert largest_columns(torch.ones(2, 0), 0).shape == (2, 0)


@given(st.integers(0, 10_000), st.integers(1, 9))
def test_as_a_stable_sort_has_it(seed, num_kept):
    values = np.random.default_rng(seed).integers(1, 5, (4, 9)).astype(np.float32) / 7
    expected = [sorted(np.argsort(-row, kind="stable")[:num_kept]) for row in values]
    assert largest_columns(torch.from_numpy(values), num_kept).tolist() == expected


@given(st.floats(2.0**-99, 2.0**99, width=32), st.integers(-3, 3))
def test_sixteen_bits_are_left(value, steps):
    exact = float(without_rounding(torch.tensor(value)))
    assert abs(exact - value) <= 2**-16 * value
    # A sum in another order is a few of the last bits away: beside a rounded number that changes nothing.
    near = np.float32(exact) * np.float32(1 + steps * 2**-22)
    assert float(without_rounding(torch.tensor(near))) == exact
    assert float(without_rounding(torch.tensor(-value))) == -exact


def test_simple_fractions_are_not_on_an_edge():
    parts = torch.arange(1, 31, dtype=torch.float64)
    fractions = (parts[:, None] / parts).float().flatten()
    for factor in (1 - 2**-23, 1 + 2**-23):
        assert without_rounding(fractions * factor).equal(without_rounding(fractions))
