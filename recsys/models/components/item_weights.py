"""Weights from item to item, and the scores that they give to histories.

The score of an item is the sum over the history of the weights from its items to this one, each times the weight that
the interaction has in the history.

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
    """Few weights for each item: row ``i`` of a sparse matrix holds the items that the score of ``i`` depends on.

    Args:
        num_items: size of the catalogue, I.
    """

    #: Buffers whose sizes the data decide.
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
        return _unscored_where_empty((self.matrix @ histories.dense().T).T, histories)

    def between(self, sources: Tensor, targets: Tensor) -> Tensor:
        """What an interaction with ``sources`` adds to the scores of ``targets``; both int64, they broadcast."""
        sources, targets = torch.broadcast_tensors(sources, targets)
        if len(self.values) == 0:
            return self.values.new_zeros(sources.shape)
        matrix = self.matrix
        stored = matrix.rows * self.num_items + matrix.columns
        wanted = targets * self.num_items + sources
        place = torch.searchsorted(stored, wanted).clamp(max=len(stored) - 1)
        return torch.where(stored[place] == wanted, matrix.values[place], 0.0)

    def of(self, items: Tensor) -> Tensor:
        """The weights that the scores of ``items`` (shape [C], int64) are made of, shape [C, I]."""
        every = torch.arange(self.num_items, device=self.device)
        return self.between(every, items[:, None])


class DenseItemWeights(nn.Module):
    """A weight for each pair of items: ``weights[j, i]`` is what an interaction with ``j`` adds to the score of ``i``.

    Args:
        num_items: size of the catalogue, I.
    """

    #: Buffers whose sizes the data decide.
    dynamic_buffers: tuple[str, ...] = ()
    weights: Tensor

    def __init__(self, num_items: int) -> None:
        super().__init__()
        self.register_buffer("weights", torch.zeros(num_items, num_items))

    def set_weights(self, weights: Tensor) -> None:
        """Take the weights, shape [I, I], float32."""
        # Rows are read; of a matrix that is stored by columns, as inverses are, each product would make a copy.
        self.weights = weights.contiguous()

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.weights.device

    def score(self, histories: InteractionMatrix) -> Tensor:
        """Score the catalogue, shape [B, I], float32; a row of NaN for an empty history."""
        return _unscored_where_empty(histories @ self.weights, histories)

    def between(self, sources: Tensor, targets: Tensor) -> Tensor:
        """What an interaction with ``sources`` adds to the scores of ``targets``; both int64, they broadcast."""
        return self.weights[sources, targets]

    def of(self, items: Tensor) -> Tensor:
        """The weights that the scores of ``items`` (shape [C], int64) are made of, shape [C, I]."""
        return self.weights[:, items].T


def _unscored_where_empty(scores_BI: Tensor, histories: InteractionMatrix) -> Tensor:
    return scores_BI.masked_fill_((histories.counts == 0)[:, None], torch.nan)


def explain_sums(
    weights: SparseItemWeights | DenseItemWeights, histories: Histories, known: InteractionMatrix, items: Tensor
) -> Explanation:
    """Split what ``weights.score(known)`` gives: each interaction has its weight in the score.

    Args:
        weights: of the model.
        histories: B rows, N interactions.
        known: made of them, the weight that each item has in its history.
        items: shape [B, K], int64; -1 for no item.
    """
    targets = items.clamp(min=0)[rows_of(histories)]
    parts = weights.between(histories.items[:, None], targets) * shares_of_interactions(histories, known)[:, None]
    no_opinion = (items < 0) | (histories.counts == 0)[:, None]
    rest = torch.zeros_like(items, dtype=parts.dtype).masked_fill_(no_opinion, torch.nan)
    return Explanation.exact(histories, parts.masked_fill_(no_opinion[rows_of(histories)], torch.nan), rest)
