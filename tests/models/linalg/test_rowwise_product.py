import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.models.linalg import rowwise_product
from recsys.models.linalg.rowwise_product import RowwiseProduct
from recsys.models.linalg.top_entries import nonzero


def sparse(num_rows, num_columns, density, seed):
    random = np.random.default_rng(seed)
    values = random.standard_normal((num_rows, num_columns)) * (random.random((num_rows, num_columns)) < density)
    return nonzero(torch.from_numpy(values).float())


@given(st.integers(0, 20), st.integers(1, 20), st.integers(1, 20), st.sampled_from([0.0, 0.1, 0.6]), st.integers(0, 99))
def test_it_is_the_product(num_rows, num_inner, num_columns, density, seed):
    left, right = sparse(num_rows, num_inner, density, seed), sparse(num_inner, num_columns, density, seed + 1)
    torch.testing.assert_close(RowwiseProduct(right)(left), left.dense() @ right.dense())


@pytest.mark.parametrize("bound", [1, 40, 10**6])
def test_chunks_change_nothing(monkeypatch, bound):
    monkeypatch.setattr(rowwise_product, "_MAX_MULTIPLICATIONS", bound)
    left, right = sparse(50, 30, 0.2, seed=0), sparse(30, 40, 0.3, seed=1)
    torch.testing.assert_close(RowwiseProduct(right)(left), left.dense() @ right.dense())


def test_rows_of_a_slice_are_multiplied():
    left, right = sparse(50, 30, 0.2, seed=0), sparse(30, 40, 0.3, seed=1)
    torch.testing.assert_close(RowwiseProduct(right)(left.slice(7, 19)), (left.dense() @ right.dense())[7:19])


def test_what_is_there_is_overwritten():
    left, right = sparse(5, 30, 0.2, seed=0), sparse(30, 7, 0.2, seed=1)
    place = torch.full((8, 7), 9.0)
    product = RowwiseProduct(right)(left, out=place[2:7])
    torch.testing.assert_close(place[2:7], left.dense() @ right.dense())
    assert product.equal(place[2:7]) and place[[0, 1, 7]].eq(9).all()
