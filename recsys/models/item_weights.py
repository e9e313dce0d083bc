"""Weights from item to item, and the scores that they give to histories.

The score of an item is the sum over the history of the weights from its items to this one, each times the weight that
the interaction has in the history.

Shape suffixes: B histories, I items, M stored weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recsys.models.interaction_matrix import InteractionMatrix


class SparseItemWeights(nn.Module):
    """Few weights for each item: row ``i`` of a sparse matrix holds the items that the score of ``i`` depends on.

    Args:
        num_items: size of the catalogue, I.
    """

    #: Buffers whose sizes the data decide.
    sized_by_data: tuple[str, ...] = ("columns", "values")
    offsets: Tensor
    columns: Tensor
    values: Tensor

    def __init__(self, num_items: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.register_buffer("offsets", torch.zeros(num_items + 1, dtype=torch.int64))
        self.register_buffer("columns", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("values", torch.zeros(0))

    def keep(self, matrix: InteractionMatrix) -> None:
        """Take the weights: an item in each row, and in the columns what its score depends on."""
        self.offsets, self.columns, self.values = matrix.offsets, matrix.columns, matrix.values

    @property
    def matrix(self) -> InteractionMatrix:
        """The weights, I rows and I columns."""
        return InteractionMatrix(self.offsets, self.columns, self.values, self.num_items)

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.values.device

    def score(self, histories: InteractionMatrix) -> Tensor:
        """Score the catalogue, shape [B, I], float32; a row of NaN for an empty history."""
        return _without_opinion((self.matrix @ histories.dense().T).T, histories)


class DenseItemWeights(nn.Module):
    """A weight for each pair of items: ``weights[j, i]`` is what an interaction with ``j`` adds to the score of ``i``.

    Args:
        num_items: size of the catalogue, I.
    """

    #: Buffers whose sizes the data decide.
    sized_by_data: tuple[str, ...] = ()
    weights: Tensor

    def __init__(self, num_items: int) -> None:
        super().__init__()
        self.register_buffer("weights", torch.zeros(num_items, num_items))

    def keep(self, weights: Tensor) -> None:
        """Take the weights, shape [I, I], float32."""
        self.weights = weights

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.weights.device

    def score(self, histories: InteractionMatrix) -> Tensor:
        """Score the catalogue, shape [B, I], float32; a row of NaN for an empty history."""
        return _without_opinion(histories @ self.weights, histories)


def _without_opinion(scores_BI: Tensor, histories: InteractionMatrix) -> Tensor:
    return scores_BI.masked_fill_((histories.counts == 0)[:, None], torch.nan)
