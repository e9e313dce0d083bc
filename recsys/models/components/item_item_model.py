"""Item-item models: a score is the sum of item-to-item weights over the history.

Shape suffixes: B queries, I items, K items of each query, C requested items.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recsys.data.histories import Histories
from recsys.models.components.item_weights import DenseItemWeights, SparseItemWeights, explain_sums
from recsys.models.components.recency import Recency
from recsys.models.interface.explanation import Explanation
from recsys.models.interface.protocols import Query
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.onnx.explainers import DensePairs, SumOfPairs, pairs_of_weights
from recsys.models.onnx.exportable import ServingForm
from recsys.models.onnx.item_item import DenseRows, SumOverHistory, rows_of_weights


class ItemItemModel(nn.Module):
    """Base of models with ``score(u, i) = sum of r(j) * weight(j, i) over j in the history of u``.

    ``r`` is the recency weight of an interaction. Subclasses fit the weights. Known and new users are treated alike:
    the score depends on the history alone.

    Args:
        num_items: size of the item vocabulary, I.
        recency: weights of older interactions of a history.
        weights: stores the item-to-item weights.
    """

    def __init__(self, num_items: int, recency: Recency, weights: DenseItemWeights | SparseItemWeights) -> None:
        super().__init__()
        self.num_items = num_items
        self.recency = recency
        self.weights = weights

    def dynamic_buffers(self) -> tuple[str, ...]:
        """The kept weights; see :mod:`recsys.models.interface.protocols`."""
        return tuple(f"weights.{name}" for name in self.weights.dynamic_buffers)

    def score(self, query: Query) -> Tensor:
        """Score the catalogue for each query, shape [B, I], float32; a row of NaN for an empty history."""
        return self.score_histories(query.histories)

    @torch.no_grad()
    def score_histories(self, histories: Histories) -> Tensor:
        """Score the catalogue from histories, shape [B, I]; see :meth:`score`."""
        return self.weights.score(self._weighted(histories))

    @torch.no_grad()
    def explain(self, query: Query, items: Tensor) -> Explanation:
        """The contribution of each interaction to the scores of ``items`` (shape [B, K], int64); the rest is zero."""
        return explain_sums(self.weights, query.histories, self._weighted(query.histories), items)

    def item_weights(self, items: Tensor) -> Tensor:
        """The weights of all items in the scores of ``items`` (shape [C], int64), shape [C, I]."""
        return self.weights.of(items)

    def sparse_item_weights(self, items: Tensor) -> InteractionMatrix | None:
        """The same weights as C sparse rows of I columns; None where all weights are kept, so that they are dense."""
        return self.weights.matrix.take(items) if isinstance(self.weights, SparseItemWeights) else None

    def serving_form(self) -> ServingForm:
        """The sum of weights over the history; see :class:`recsys.models.onnx.exportable.Exportable`."""
        kept = self.weights
        rows = DenseRows(kept.weights) if isinstance(kept, DenseItemWeights) else rows_of_weights(kept.matrix)
        encoder = SumOverHistory(rows, self.num_items, self.recency)
        return ServingForm(encoder.eval(), None, rows.floats_per_position)

    def explaining_form(self) -> SumOfPairs:
        """The weights of pairs of items; see :mod:`recsys.models.onnx.exportable`."""
        kept = self.weights
        pairs = DensePairs(kept.weights) if isinstance(kept, DenseItemWeights) else pairs_of_weights(kept.matrix)
        return SumOfPairs(pairs, self.num_items, self.recency).eval()

    def _weighted(self, histories: Histories) -> InteractionMatrix:
        return InteractionMatrix.from_histories(histories, self.num_items, self.recency.weights(histories))
