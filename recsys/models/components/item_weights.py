"""Item-to-item weights, sparse and dense, and the scores that they give for histories.

The score of an item is the sum over the history of the weights from each of its items to this item, times the weight of
the interaction in the history.

Shape suffixes: B histories, I items, M stored weights, N interactions of all histories together, K items of each,
C requested items.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.models.interface.explanation import Explanation, rows_of, shares_of_interactions
from recsys.models.linalg.interaction_matrix import InteractionMatrix


class SparseItemWeights(nn.Module):
    """Sparse weights: row ``i`` holds the items that the score of item ``i`` depends on.

    Args:
        num_items: size of the catalogue, I.
    """

    #: Buffers whose sizes depend on the data.
    dynamic_buffers: tuple[str, ...] = ("columns", "values")
    offsets: Tensor
    columns: Tensor
    values: Tensor

    def __init__(self, num_items: int) -> None:
        super().__init__()
        self.num_items = num_items
        self.register_buffer("offsets", torch.zeros(num_items + 1, dtype=torch.int64))
        self.register_buffer("columns", torch.zeros(0, dtype=torch.int64))
        self.register_buffer("values", torch.zeros(0))

    def set_weights(self, matrix: InteractionMatrix) -> None:
        """Set the weights: ``matrix[i, j]`` is what an interaction with ``j`` adds to the score of ``i``."""
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
        return _unscored_if_empty((self.matrix @ histories.dense().T).T, histories)

    def between(self, sources: Tensor, targets: Tensor) -> Tensor:
        """The weights from ``sources`` to ``targets``, both int64; they broadcast against each other."""
        return self.matrix.at(targets, sources)

    def of(self, items: Tensor) -> Tensor:
        """The weights of all items in the scores of ``items`` (shape [C], int64), shape [C, I]."""
        return self.matrix.take(items).dense()


class DenseItemWeights(nn.Module):
    """Dense weights: ``weights[j, i]`` is what an interaction with ``j`` adds to the score of ``i``.

    Args:
        num_items: size of the catalogue, I.
    """

    #: Buffers whose sizes depend on the data.
    dynamic_buffers: tuple[str, ...] = ()
    weights: Tensor

    def __init__(self, num_items: int) -> None:
        super().__init__()
        self.register_buffer("weights", torch.zeros(num_items, num_items))

    def set_weights(self, weights: Tensor) -> None:
        """Set the weights, shape [I, I], float32."""
        # Rows are read: a matrix in column-major order, such as an inverse, would be copied in each product.
        self.weights = weights.contiguous()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.weights.device

    def score(self, histories: InteractionMatrix) -> Tensor:
        """Score the catalogue, shape [B, I], float32; a row of NaN for an empty history."""
        return _unscored_if_empty(histories @ self.weights, histories)

    def between(self, sources: Tensor, targets: Tensor) -> Tensor:
        """The weights from ``sources`` to ``targets``, both int64; they broadcast against each other."""
        return self.weights[sources, targets]

    def of(self, items: Tensor) -> Tensor:
        """The weights of all items in the scores of ``items`` (shape [C], int64), shape [C, I]."""
        return self.weights[:, items].T


def _unscored_if_empty(scores_BI: Tensor, histories: InteractionMatrix) -> Tensor:
    return scores_BI.masked_fill_((histories.counts == 0)[:, None], torch.nan)


def explain_sums(
    weights: SparseItemWeights | DenseItemWeights, histories: Histories, known: InteractionMatrix, items: Tensor
) -> Explanation:
    """Explain ``weights.score(known)``: the contribution of each interaction is its weight in the score.

    Args:
        weights: weights of the model.
        histories: B rows, N interactions.
        known: the same histories as a matrix of the weight of each item.
        items: shape [B, K], int64; -1 means no item.
    """
    targets = items.clamp(min=0)[rows_of(histories)]
    parts = weights.between(histories.items[:, None], targets) * shares_of_interactions(histories, known)[:, None]
    unscored = (items < 0) | (histories.counts == 0)[:, None]
    rest = torch.zeros_like(items, dtype=parts.dtype).masked_fill_(unscored, torch.nan)
    return Explanation(histories, parts.masked_fill_(unscored[rows_of(histories)], torch.nan), rest)
