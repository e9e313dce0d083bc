import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.row_products import gram_matrix, row_products


def random_matrix(num_rows: int, num_columns: int, density: float, seed: int) -> InteractionMatrix:
    random = np.random.default_rng(seed)
    values = random.standard_normal((num_rows, num_columns)) * (random.random((num_rows, num_columns)) < density)
    rows, columns = np.nonzero(values)
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=num_rows))])
    arrays = (offsets, columns, values[rows, columns].astype(np.float32))
    return InteractionMatrix(*map(torch.from_numpy, arrays), num_columns=num_columns)


@given(
    st.integers(1, 40), st.integers(1, 40), st.sampled_from([0.0, 0.02, 0.5]), st.integers(1, 5000), st.integers(0, 99)
)
def test_blocks_are_the_product_with_the_transpose(num_rows, num_columns, density, max_block_bytes, seed):
    matrix = random_matrix(num_rows, num_columns, density, seed)
    blocks = list(row_products(matrix, max_block_bytes))
    assert [start for start, _ in blocks] == np.cumsum([0, *(len(products) for _, products in blocks[:-1])]).tolist()
    expected = matrix.dense() @ matrix.dense().T
    torch.testing.assert_close(torch.cat([products for _, products in blocks]), expected)
    torch.testing.assert_close(gram_matrix(matrix, max_block_bytes), expected)


@pytest.mark.parametrize(("density", "bytes_of_row"), [(0.5, 4 * (300 + 100)), (0.01, 4 * 300)])
def test_blocks_keep_to_their_bound(density, bytes_of_row):
    matrix = random_matrix(300, 100, density, seed=0)
    blocks = [products for _, products in row_products(matrix, max_block_bytes=50 * bytes_of_row)]
    assert max(len(products) for products in blocks) == 50


@pytest.mark.parametrize("num_threads", [1, 3])
def test_threads_change_nothing(num_threads):
    matrix = random_matrix(300, 100, 0.01, seed=0)
    before = torch.get_num_threads()
    torch.set_num_threads(num_threads)
    try:
        starts, blocks = zip(*row_products(matrix, max_block_bytes=7 * 4 * 300), strict=True)
        gram = gram_matrix(matrix, max_block_bytes=7 * 4 * 300)
    finally:
        torch.set_num_threads(before)
    assert starts == tuple(range(0, 300, 7))
    assert torch.cat(blocks).equal(gram)
    torch.testing.assert_close(gram, matrix.dense() @ matrix.dense().T)


def test_rows_of_another_matrix():
    matrix, other = random_matrix(60, 90, 0.01, seed=0), random_matrix(60, 90, 0.01, seed=1)
    products = torch.cat([block for _, block in row_products(matrix, 2**20, other)])
    torch.testing.assert_close(products, matrix.dense() @ other.dense().T)
