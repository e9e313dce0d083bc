"""Scores that are sums of weights from the items of a history to those of the catalogue.

Shape suffixes: B queries, L positions, I items of the catalogue, N scores that one item is part of at most,
K items that a score depends on at most.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recsys.models.components.recency import Recency
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.onnx.onnx_query import OnnxQuery

#: To add one number at a place that is looked up takes about as long as to multiply so many that follow each other.
_SCATTER_COST = 32
#: Weights of a dense table at most, 1 GiB.
MAX_DENSE = 2**28


class DenseRows(nn.Module):
    """Reads the rows of the history's items, ``L * I`` numbers, and none of the others.

    Args:
        weights: ``weights[j, i]`` is what an interaction with j adds to the score of i, shape [I, I], float32.
    """

    weights: Tensor

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.register_buffer("weights", weights)
        self.floats_per_position = weights.shape[1]

    def forward(self, items: Tensor, counted: Tensor) -> Tensor:
        """The sums of the rows of ``items`` (int64) times ``counted``, both of shape [B, L]; shape [B, I]."""
        return (counted[:, None, :] @ nn.functional.embedding(items, self.weights)).squeeze(1)


class SparseRows(nn.Module):
    """Adds the few weights of each item of the history to the scores that they are part of, ``L * N`` numbers.

    Args:
        weights: I rows and I columns: in each row the items that the score of one depends on.
    """

    targets: Tensor
    weights: Tensor

    def __init__(self, weights: InteractionMatrix) -> None:
        super().__init__()
        targets, values = padded(weights.transpose())
        self.register_buffer("targets", targets)
        self.register_buffer("weights", values)
        self.floats_per_position = 4 * targets.shape[1]

    def forward(self, items: Tensor, counted: Tensor) -> Tensor:
        """See :meth:`DenseRows.forward`."""
        num_items = len(self.targets)
        added = nn.functional.embedding(items, self.weights) * counted[:, :, None]
        targets = self.targets[items]
        sums = added.new_zeros(items.shape[0], num_items + 1).scatter_add(1, targets.flatten(1), added.flatten(1))
        return sums[:, :num_items]


class GatheredRows(nn.Module):
    """Looks up, for each item of the catalogue, the items that its score depends on: ``I * K`` numbers.

    It takes longer than the others, and the least memory where a table of I by I is out of the question.

    Args:
        weights: I rows and I columns: in each row the items that the score of one depends on, K at most.
    """

    sources: Tensor
    weights: Tensor

    def __init__(self, weights: InteractionMatrix) -> None:
        super().__init__()
        sources, values = padded(weights)
        self.register_buffer("sources", sources)
        self.register_buffer("weights", values)
        self.floats_per_position = 2 * values.numel()

    def forward(self, items: Tensor, counted: Tensor) -> Tensor:
        """See :meth:`DenseRows.forward`."""
        num_items = len(self.sources)
        history = counted.new_zeros(items.shape[0], num_items + 1).scatter_add(1, items, counted)
        found = history[:, self.sources.flatten()].view(items.shape[0], *self.sources.shape)
        return (found * self.weights).sum(2)


class SumOverHistory(nn.Module):
    """The sum of the weights of a history's items.

    Args:
        rows: of the items.
        num_items: I.
        recency: how much older interactions count.
    """

    def __init__(self, rows: DenseRows | SparseRows | GatheredRows, num_items: int, recency: Recency) -> None:
        super().__init__()
        self.rows = rows
        self.num_items = num_items
        self.recency = recency

    def forward(self, query: OnnxQuery) -> Tensor:
        """The scores, shape [B, I]; a row of NaN for an empty history."""
        # Of an item that comes again the last interaction weighs most.
        counted = query.recency(self.recency) * query.is_last(self.num_items)
        scores: Tensor = self.rows(query.known_items, counted)
        return scores.masked_fill((query.lengths == 0)[:, None], torch.nan)


def rows_of_weights(weights: InteractionMatrix) -> DenseRows | SparseRows | GatheredRows:
    """The form that takes the least time: sparse, unless the item that most depends on has too many weights.

    All rows of a sparse table are as wide as its widest, so that one item with weights to half of the catalogue makes
    every history as slow as if all items had so many.

    Args:
        weights: I rows and I columns: in each row the items that the score of one depends on.
    """
    num_items = len(weights)
    most = int(weights.column_counts().max()) if len(weights.columns) > 0 else 0
    if most * _SCATTER_COST <= num_items:
        return SparseRows(weights)
    return DenseRows(weights.dense().T.contiguous()) if num_items**2 <= MAX_DENSE else GatheredRows(weights)


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
