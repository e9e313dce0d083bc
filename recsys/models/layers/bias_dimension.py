"""Biases as an extra dimension of vectors, which is multiplied by a constant 1 of the other side.

Shape suffixes: R rows, D dim.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def with_ones(vectors: Tensor) -> Tensor:
    """``vectors``, shape [R, D], with a constant 1 as an extra dimension; shape [R, D + 1]."""
    return functional.pad(vectors, (0, 1), value=1.0)


def with_bias(vectors: Tensor, bias: Tensor) -> Tensor:
    """``vectors``, shape [R, D], with ``bias``, shape [R], as an extra dimension; shape [R, D + 1]."""
    return torch.cat([vectors, bias[:, None]], dim=1)


def frequency_penalty(counts: Tensor, dim: int, l2: float, frequency_power: float, bias_l2: float) -> Tensor:
    """Ridge penalties: ``l2 * counts ** frequency_power`` for each of D dimensions, and ``bias_l2`` for the bias.

    Args:
        counts: number of ratings of each row, shape [R], int64.
        dim: dimension of the vectors, D.
        l2: penalty of the vectors.
        frequency_power: exponent of the counts; 0 is plain ridge, 1 penalises each row in proportion to its ratings.
        bias_l2: penalty of the biases.

    Returns:
        Shape [R, D + 1], float32; a row without ratings has the penalty of a row with one.
    """
    scaled = l2 * counts.clamp(min=1).float() ** frequency_power
    return with_bias(scaled[:, None].expand(-1, dim), torch.full_like(scaled, bias_l2))
