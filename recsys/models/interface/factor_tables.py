"""The tables of a model whose scores are biases and inner products of rows."""

from __future__ import annotations

from dataclasses import dataclass

from torch import nn

from recsys.models.layers.embedding import Embedding


@dataclass(frozen=True, slots=True)
class FactorTables:
    """``score(u, i) = p_u . q_i``, or ``mu + b_u + b_i + p_u . q_i`` with the three biases.

    U users, I items, D dim.

    Args:
        user_vectors: p, shape [U, D].
        item_vectors: q, shape [I, D].
        user_bias: shape [U, 1]; None: there are no biases at all.
        item_bias: shape [I, 1].
        global_bias: shape [1].
    """

    user_vectors: Embedding
    item_vectors: Embedding
    user_bias: Embedding | None = None
    item_bias: Embedding | None = None
    global_bias: nn.Parameter | None = None
