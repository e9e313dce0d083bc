"""Truncated SVD: the leading singular vectors of a sparse matrix.

Shape suffixes: R rows, C columns, K singular vectors, S columns of the sketch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from recsys.models.linalg.interaction_matrix import InteractionMatrix

#: Extra columns of the sketch, and number of iterations. With both, the error of the low-rank product is within a few
#: percent of the best possible one, even for slowly falling singular values.
OVERSAMPLING = 16
TURNS = 6

#: A singular value below this share of the largest counts as zero.
ROUNDING = 1e-5


def right_singular_vectors(matrix: InteractionMatrix, num_vectors: int, seed: int, num_turns: int = TURNS) -> Tensor:
    """The right singular vectors of the largest singular values, by a randomised subspace iteration.

    Halko, Martinsson, Tropp: Finding Structure with Randomness (2011), algorithms 4.4 and 5.1. The matrix stays sparse;
    beside it ``4 * S * (R + C)`` bytes are held. Exact up to rounding where S reaches the smaller dimension.

    Args:
        matrix: shape [R, C].
        num_vectors: K, at most min(R, C).
        seed: seed of the random start, which is drawn on the CPU so that it is the same on every device.
        num_turns: iterations; with more the vectors come nearer to the exact ones.

    Returns:
        Orthonormal columns in the order of falling singular values, shape [C, K], float32, on the device of ``matrix``.
        The largest component of each is positive. Vectors beyond the rank of the matrix are zero.
    """
    transposed = matrix.transpose()
    width = min(num_vectors + OVERSAMPLING, len(matrix), matrix.num_columns)
    start = torch.randn(matrix.num_columns, width, generator=torch.Generator().manual_seed(seed))
    basis = _orthonormal(start.to(matrix.device))
    for _ in range(num_turns):
        basis = _orthonormal(transposed @ _orthonormal(matrix @ basis))
    decomposed = torch.linalg.svd(matrix @ basis, full_matrices=False)
    vectors = basis @ decomposed.Vh.T[:, :num_vectors]
    largest = vectors.gather(0, vectors.abs().argmax(0, keepdim=True))
    values = decomposed.S[:num_vectors]
    return vectors * torch.where(largest < 0, -1.0, 1.0) * (values > ROUNDING * values.amax())


def _orthonormal(columns: Tensor) -> Tensor:
    return torch.linalg.qr(columns).Q
