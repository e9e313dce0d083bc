"""What ratings and times add to the vectors of a history.

Shape suffixes: B rows, L positions, D dim.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

#: Time since the interaction before falls into one of so many classes, by powers of two of an hour.
NUM_GAPS = 16
SECONDS_PER_HOUR = 3_600


def rating_embedding(ratings: Tensor, rating_vectors: Tensor) -> Tensor:
    """``v_0 + rating v_1``, shape [B, L, D].

    Args:
        ratings: shape [B, L], float32.
        rating_vectors: v, shape [2, D].
    """
    return torch.stack([torch.ones_like(ratings), ratings], dim=2) @ rating_vectors


def time_gap_embedding(seconds: Tensor, gap_vectors: Tensor) -> Tensor:
    """The vector of the class ``floor(log2(hours + 1))``, the last one for all that is longer; shape [B, L, D].

    The classes are counted by their limits, since a logarithm is rounded otherwise by every library.

    Args:
        seconds: since the interaction before, shape [B, L], float32.
        gap_vectors: shape [:data:`NUM_GAPS`, D].
    """
    limits = [SECONDS_PER_HOUR * (2**power - 1) for power in range(1, NUM_GAPS)]
    classes = (seconds[:, :, None] >= torch.tensor(limits, device=seconds.device)).sum(2)
    return functional.embedding(classes, gap_vectors)
