"""Embeddings of ratings and time gaps, which are added to the vectors of a history.

Shape suffixes: B rows, L positions, D dim.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

#: Number of classes of time gaps, whose limits are powers of two of an hour.
NUM_GAPS = 16
SECONDS_PER_HOUR = 3_600


def rating_embedding(ratings: Tensor, rating_vectors: Tensor) -> Tensor:
    """Rating embedding ``v_0 + rating * v_1``, shape [B, L, D].

    Args:
        ratings: shape [B, L], float32.
        rating_vectors: v_0 and v_1, shape [2, D].
    """
    ratings = ratings.to(torch.promote_types(ratings.dtype, rating_vectors.dtype))
    return torch.stack([torch.ones_like(ratings), ratings], dim=2) @ rating_vectors


def time_gap_embedding(seconds: Tensor, gap_vectors: Tensor) -> Tensor:
    """Time-gap embedding: the vector of the class ``floor(log2(hours + 1))``, capped at the last; shape [B, L, D].

    Classes are found by comparing with their limits, since libraries round logarithms differently.

    Args:
        seconds: time since the previous interaction, shape [B, L], float32.
        gap_vectors: vector of each class, shape [:data:`NUM_GAPS`, D].
    """
    limits = [SECONDS_PER_HOUR * (2**power - 1) for power in range(1, NUM_GAPS)]
    classes = (seconds[:, :, None] >= torch.tensor(limits, device=seconds.device)).sum(2)
    return functional.embedding(classes, gap_vectors)
