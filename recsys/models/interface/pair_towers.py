"""The towers of a model that scores pairs by a weighted product of vectors, a perceptron, or the sum of both."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from torch import nn

from recsys.models.layers.embedding import Embedding


@dataclass(frozen=True, slots=True)
class ProductTower:
    """``h . (p_u * q_i) + b``; U users, I items, D dim.

    Args:
        user_vectors: p, shape [U, D].
        item_vectors: q, shape [I, D].
        output: from D units to one, with a bias.
    """

    user_vectors: Embedding
    item_vectors: Embedding
    output: nn.Linear


@dataclass(frozen=True, slots=True)
class PerceptronTower:
    """``h . relu(W_n ... relu(W_u p_u + W_i q_i + b_1)) + b``; U users, I items, D dim.

    Args:
        user_vectors: p, shape [U, D].
        item_vectors: q, shape [I, D].
        user_part: first layer's part of the user, with the bias of both.
        item_part: first layer's part of the item, without a bias.
        hidden: the linear layers between the first and the last, with biases.
        output: to one unit, with a bias.
        dropout: probability of dropping an element of the input of each layer except the last, as of now; below 1.
    """

    user_vectors: Embedding
    item_vectors: Embedding
    user_part: nn.Linear
    item_part: nn.Linear
    hidden: Sequence[nn.Linear]
    output: nn.Linear
    dropout: float


@dataclass(frozen=True, slots=True)
class PairTowers:
    """The towers whose sum is the score of a pair; at least one of them.

    Args:
        product: the tower of products.
        perceptron: the tower of a perceptron.
    """

    product: ProductTower | None = None
    perceptron: PerceptronTower | None = None
