"""Inner products of the rows of a sparse matrix, a block of rows at a time.

Shape suffixes: R rows, C columns, B rows of a block.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import torch
from torch import Tensor

from recsys.distributed.ranks import ranks
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.rows_over_ranks import fill_from_ranks
from recsys.models.linalg.rowwise_product import RowwiseProduct

#: Wider blocks do not stay in the processor's caches and take longer.
_MAX_BLOCK_ROWS = 512
#: What is done with a sparse product is bound by the memory of a CPU unless the block stays in its caches.
_MAX_CACHED_BYTES = 2**21
#: A multiplication in a sparse-sparse product takes about as long as this many in a sparse-dense product.
_SPARSE_COST = 16


def row_products(
    matrix: InteractionMatrix,
    max_block_bytes: int,
    other: InteractionMatrix | None = None,
    is_shared: bool = False,
) -> Iterator[tuple[int, Tensor]]:
    """Iterate over the blocks of rows of ``matrix @ other.T``.

    Each block is multiplied in the cheaper of two ways: as a dense block (every stored value of the matrix with every
    row of the block), or as a sparse one (only pairs of values that share a column). On the CPU the next sparse blocks
    are made in as many threads as PyTorch has, while the caller works on this one.

    Args:
        matrix: R sparse rows.
        max_block_bytes: bound on the memory of one block; a block has at least one row even if that takes more.
        other: R other rows with the same number of stored values; None for ``matrix`` itself.
        is_shared: give the blocks of this rank alone, where a model is fitted by several.

    Yields:
        The block's first row, and its products with all rows, shape [B, R], float32.
    """
    product = _product(matrix, matrix if other is None else other)
    blocks = product.blocks(max_block_bytes)
    if is_shared:
        blocks = blocks[ranks().part(len(blocks))]
    if product.num_threads == 1:
        yield from ((start, product.block(start, stop)) for start, stop in blocks)
        return
    coming: deque[tuple[int, Future[Tensor]]] = deque()
    with ThreadPoolExecutor(product.num_threads) as pool:
        for start, stop in blocks:
            coming.append((start, pool.submit(product.block, start, stop)))
            if len(coming) > product.num_threads:
                first, block = coming.popleft()
                yield first, block.result()
        while coming:
            first, block = coming.popleft()
            yield first, block.result()


def gram_matrix(matrix: InteractionMatrix, max_block_bytes: int = 2**28, out: Tensor | None = None) -> Tensor:
    """All inner products of the rows, shape [R, R], float32; only a few blocks are held beside them.

    Of several ranks each computes some rows, and all get all of them.

    Args:
        matrix: R sparse rows.
        max_block_bytes: bound on the memory of one block.
        out: where the products are written, shape [R, R], float32, contiguous; None: in a new tensor.
    """
    gram = torch.empty(len(matrix), len(matrix), device=matrix.device) if out is None else out
    product = _product(matrix, matrix)
    blocks = product.blocks(max_block_bytes)
    parts = ranks().parts(len(blocks))
    with ThreadPoolExecutor(product.num_threads) as pool:
        for written in [
            pool.submit(product.write, start, stop, gram[start:stop]) for start, stop in blocks[parts[ranks().rank]]
        ]:
            written.result()
    ends = [0, *(stop for _, stop in blocks)]
    fill_from_ranks(gram, [0, *(ends[part.stop] for part in parts)])
    return gram


def _product(matrix: InteractionMatrix, other: InteractionMatrix) -> _DenseBlocks | _SparseBlocks:
    """The cheaper way to multiply the rows of ``matrix`` with those of ``other``."""
    dense_cost = len(matrix.columns) * len(matrix)
    sparse_cost = _SPARSE_COST * int(other.column_counts().square().sum())
    if dense_cost <= sparse_cost:
        return _DenseBlocks(matrix, other)
    return _SparseBlocks(matrix, RowwiseProduct(other.transpose()))


@dataclass(frozen=True, slots=True)
class _DenseBlocks:
    """Multiplies every stored value of ``other`` with every row of a block."""

    matrix: InteractionMatrix
    other: InteractionMatrix

    @property
    def num_threads(self) -> int:
        return 1  # the product itself takes all

    def blocks(self, max_bytes: int) -> list[tuple[int, int]]:
        return _ranges(len(self.matrix), max_bytes // max(4 * (len(self.matrix) + self.matrix.num_columns), 1))

    def block(self, start: int, stop: int) -> Tensor:
        return (self.other @ self.matrix.slice(start, stop).dense().T).T

    def write(self, start: int, stop: int, out: Tensor) -> None:
        out.copy_(self.block(start, stop))


@dataclass(frozen=True, slots=True)
class _SparseBlocks:
    """Multiplies only pairs of values that share a column."""

    matrix: InteractionMatrix
    transposed: RowwiseProduct

    @property
    def num_threads(self) -> int:
        return torch.get_num_threads() if self.matrix.device.type == "cpu" else 1

    def blocks(self, max_bytes: int) -> list[tuple[int, int]]:
        if self.matrix.device.type == "cpu":
            max_bytes = min(max_bytes, _MAX_CACHED_BYTES)
        return _ranges(len(self.matrix), max_bytes // max(4 * len(self.matrix), 1))

    def block(self, start: int, stop: int) -> Tensor:
        return self.transposed(self.matrix.slice(start, stop))

    def write(self, start: int, stop: int, out: Tensor) -> None:
        self.transposed(self.matrix.slice(start, stop), out)


def _ranges(num_rows: int, size: int) -> list[tuple[int, int]]:
    size = max(1, min(_MAX_BLOCK_ROWS, size))
    return [(start, min(start + size, num_rows)) for start in range(0, num_rows, size)]
