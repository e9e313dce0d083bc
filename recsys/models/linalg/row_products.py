"""Inner products of the rows of a sparse matrix, a block of rows at a time.

Shape suffixes: R rows, C columns, B rows of a block.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import torch
from torch import Tensor

from recsys.models.linalg.interaction_matrix import InteractionMatrix

#: Wider blocks do not stay in the processor's caches and take longer.
_MAX_BLOCK_ROWS = 512
#: A multiplication in a sparse-sparse product takes about as long as this many in a sparse-dense product.
_SPARSE_COST = 32


def row_products(
    matrix: InteractionMatrix, max_block_bytes: int, other: InteractionMatrix | None = None
) -> Iterator[tuple[int, Tensor]]:
    """Iterate over the blocks of rows of ``matrix @ other.T``.

    Each block is multiplied in the cheaper of two ways: as a dense block (every stored value of the matrix with every
    row of the block), or as a sparse one (only pairs of values that share a column).

    Args:
        matrix: R sparse rows.
        max_block_bytes: bound on the memory of one block; a block has at least one row even if that takes more.
        other: R other rows with the same number of stored values; None for ``matrix`` itself.

    Yields:
        The block's first row, and its products with all rows, shape [B, R], float32.
    """
    other = matrix if other is None else other
    transposed = other.transpose()
    dense_cost = len(matrix.columns) * len(matrix)
    sparse_cost = _SPARSE_COST * int(transposed.counts.square().sum())
    is_dense = dense_cost <= sparse_cost
    # A sparse product holds two indices of 8 bytes for each value, and is then converted to dense.
    bytes_of_row = 4 * (len(matrix) + matrix.num_columns) if is_dense else 24 * len(matrix)
    num_rows = max(1, min(_MAX_BLOCK_ROWS, max_block_bytes // max(bytes_of_row, 1)))
    for start in range(0, len(matrix), num_rows):
        block = matrix.slice(start, min(start + num_rows, len(matrix)))
        yield start, (other @ block.dense().T).T if is_dense else sparse_product(block, transposed)


def gram_matrix(matrix: InteractionMatrix, max_block_bytes: int = 2**28) -> Tensor:
    """All inner products of the rows, shape [R, R], float32."""
    gram = torch.empty(len(matrix), len(matrix), device=matrix.device)
    for start, products in row_products(matrix, max_block_bytes):
        gram[start : start + len(products)] = products
    return gram


def sparse_product(left: InteractionMatrix, right: InteractionMatrix) -> Tensor:
    """The dense product of two sparse matrices, shape [rows of ``left``, columns of ``right``], float32."""
    with warnings.catch_warnings():
        # PyTorch converts coordinates to compressed rows, and warns about those.
        warnings.filterwarnings("ignore", message="Sparse CSR tensor support is in beta")
        return torch.sparse.mm(_coordinates(left), _coordinates(right)).to_dense()


def _coordinates(matrix: InteractionMatrix) -> Tensor:
    """The matrix as coordinates (COO): PyTorch multiplies two CSR matrices only with MKL or CUDA."""
    return torch.sparse_coo_tensor(
        torch.stack([matrix.rows, matrix.columns]),
        matrix.values,
        (len(matrix), matrix.num_columns),
        is_coalesced=True,
        check_invariants=False,
    )
