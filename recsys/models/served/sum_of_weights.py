"""Scores that are sums of weights from the items of a history to those of the catalogue.

Shape suffixes: B queries, L positions, I items of the catalogue, N weights of one item at most.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recsys.models.interaction_matrix import InteractionMatrix
from recsys.models.recency import Recency
from recsys.models.served.query import ServedQuery

#: To add one number at a place that is looked up takes about as long as to multiply so many that follow each other.
_SCATTER_COST = 16
#: Weights of a dense table at most, 1 GiB.
_MAX_DENSE = 2**28


class DenseSum(nn.Module):
    """Reads the rows of the history's items, ``L * I`` numbers, and none of the others.

    Args:
        weights: ``weights[j, i]`` is what an interaction with j adds to the score of i, shape [I, I], float32.
        recency: how much older interactions count.
    """

    weights: Tensor

    def __init__(self, weights: Tensor, recency: Recency) -> None:
        super().__init__()
        self.register_buffer("weights", weights)
        self.recency = recency
        self.numbers_per_interaction = weights.shape[1]

    def forward(self, query: ServedQuery) -> Tensor:
        """The scores, shape [B, I]; a row of NaN for an empty history."""
        rows = nn.functional.embedding(query.known_items, self.weights)
        scores = (_counted(query, self.recency, len(self.weights))[:, None, :] @ rows).squeeze(1)
        return scores.masked_fill((query.lengths == 0)[:, None], torch.nan)


class SparseSum(nn.Module):
    """Adds the few weights of each item of the history to the scores that they are part of, ``L * N`` numbers.

    Args:
        weights: I rows and I columns: in each row the items that the score of one depends on.
        recency: how much older interactions count.
    """

    targets: Tensor
    weights: Tensor

    def __init__(self, weights: InteractionMatrix, recency: Recency) -> None:
        super().__init__()
        targets, values = padded(weights.transpose())
        self.register_buffer("targets", targets)
        self.register_buffer("weights", values)
        self.recency = recency
        self.numbers_per_interaction = 4 * targets.shape[1]

    def forward(self, query: ServedQuery) -> Tensor:
        """The scores, shape [B, I]; a row of NaN for an empty history."""
        num_items = len(self.targets)
        items = query.known_items
        added = nn.functional.embedding(items, self.weights) * _counted(query, self.recency, num_items)[:, :, None]
        targets = self.targets[items]
        scores = added.new_zeros(items.shape[0], num_items + 1).scatter_add(1, targets.flatten(1), added.flatten(1))
        return scores[:, :num_items].masked_fill((query.lengths == 0)[:, None], torch.nan)


def sum_of_weights(weights: InteractionMatrix, recency: Recency) -> DenseSum | SparseSum:
    """The form that takes less time: sparse, unless the item that most depends on has too many weights.

    All rows of a sparse table are as wide as its widest, so that one item with weights to half of the catalogue makes
    every history as slow as if all items had so many.

    Args:
        weights: I rows and I columns: in each row the items that the score of one depends on.
        recency: how much older interactions count.
    """
    num_items = len(weights)
    most = int(weights.column_counts().max()) if len(weights.columns) > 0 else 0
    if most * _SCATTER_COST > num_items and num_items**2 <= _MAX_DENSE:
        return DenseSum(weights.dense().T.contiguous(), recency)
    return SparseSum(weights, recency)


def padded(matrix: InteractionMatrix) -> tuple[Tensor, Tensor]:
    """A sparse matrix as two tables as wide as its longest row, and at least 1.

    Returns:
        The columns of each row, filled up with the number of columns, shape [R, N], int64; and the values, filled up
        with 0, shape [R, N], float32.
    """
    counts = matrix.counts
    width = max(1, int(counts.max()) if len(counts) > 0 else 0)
    inside = torch.arange(width, device=matrix.device) < counts[:, None]
    columns = torch.full(inside.shape, matrix.num_columns, dtype=torch.int64, device=matrix.device)
    values = torch.zeros(inside.shape, device=matrix.device)
    columns[inside], values[inside] = matrix.columns, matrix.values
    return columns, values


def _counted(query: ServedQuery, recency: Recency, num_items: int) -> Tensor:
    """The weight of each interaction, shape [B, L]: of an item that comes again only the last, which weighs most."""
    return query.recency(recency) * query.is_last(num_items)
