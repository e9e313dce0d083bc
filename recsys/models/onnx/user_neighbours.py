"""Scores from the training users who are most like a history.

Shape suffixes: B queries, L positions, U training users, I items of the catalogue, K neighbours.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.errors import ModelError
from recsys.models.components.recency import Recency
from recsys.models.components.similarities import Similarity
from recsys.models.components.weightings import Weighting
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.largest import without_rounding
from recsys.models.onnx.onnx_query import OnnxQuery

#: Bytes of the training interactions as they are served, at most.
MAX_BYTES = 2**30


class UserNeighbours(nn.Module):
    """Compares a history with all training users, whose interactions are a dense table, 5 bytes a pair.

    The rows of the history's items are added up, ``L * U`` numbers, and then the rows of the neighbours, ``K * I``.
    With thresholds in place of K the table takes 8 bytes a pair, and all of it is read for each query.

    Args:
        training: values by which users are compared, U rows and I columns.
        item_counts: interactions of each item, shape [I], int64.
        similarity: how users are compared.
        weighting: of items and users before.
        recency: how much older interactions of a query's history count.
        num_neighbours: K; None: everyone whose similarity reaches their threshold.
        squares: squared length of each training user's row, shape [U].
        thresholds: shape [U].
        normalize: divide by the similarities of all neighbours.

    Raises:
        ModelError: there are too many users and items for a dense table.
    """

    rows: Tensor
    owned: Tensor
    item_counts: Tensor
    squares: Tensor
    thresholds: Tensor

    def __init__(
        self,
        training: InteractionMatrix,
        item_counts: Tensor,
        similarity: Similarity,
        weighting: Weighting,
        recency: Recency,
        num_neighbours: int | None,
        squares: Tensor,
        thresholds: Tensor,
        normalize: bool,
    ) -> None:
        super().__init__()
        num_users, num_items = len(training), training.num_columns
        size = num_users * num_items * (8 if num_neighbours is None else 5)
        if size > MAX_BYTES:
            raise ModelError(
                f"Neighbours of users are served with a dense table of users and items, {MAX_BYTES / 1e9:.1f} GB at "
                f"most, but {num_users:,} users and {num_items:,} items take {size / 1e9:.1f} GB. Leave out rare users "
                "and items, or serve a model whose neighbours are items."
            )
        owned = training.with_values(torch.ones_like(training.values)).dense()
        self.register_buffer("rows", training.dense().T.contiguous())
        self.register_buffer("owned", owned if num_neighbours is None else owned.to(torch.uint8))
        self.register_buffer("item_counts", item_counts)
        self.register_buffer("squares", squares)
        self.register_buffer("thresholds", thresholds)
        self.similarity = similarity
        self.weighting = weighting
        self.recency = recency
        self.num_neighbours = None if num_neighbours is None else min(num_neighbours, num_users)
        self.normalize = normalize
        self.floats_per_position = 2 * num_users + (self.num_neighbours or 0) * num_items

    def forward(self, query: OnnxQuery) -> Tensor:
        """The scores, shape [B, I]; NaN for an empty history, and for one without the ratings that are compared."""
        num_users, num_items = self.owned.shape
        values = self.similarity.represent_served(query, num_items)
        unscored = (query.lengths == 0) | values.isnan().any(1)
        counted = query.is_last(num_items)
        counts = counted.sum(1, keepdim=True)
        values = self.weighting.weigh_values(
            values.nan_to_num(), query.known_items, counts, self.item_counts, num_users
        )
        values = values * counted * query.recency(self.recency)
        products = (values[:, None, :] @ functional.embedding(query.known_items, self.rows)).squeeze(1)
        similarities = self._compared(products, values.square().sum(1))
        is_self = torch.arange(num_users, device=values.device) == query.users[:, None]
        similarities = similarities.masked_fill(is_self, 0).clamp(min=0)
        if self.num_neighbours is None:
            total, scores = similarities.sum(1, keepdim=True), similarities @ self.owned
        else:
            # Of equal numbers ONNX takes the first, as the model does.
            neighbours = without_rounding(similarities).topk(self.num_neighbours, dim=1).indices
            similarities = similarities.gather(1, neighbours)
            total = similarities.sum(1, keepdim=True)
            scores = (similarities[:, None, :] @ self.owned[neighbours].float()).squeeze(1)
        if self.normalize:
            scores = scores / torch.where(total > 0, total, 1)
        return scores.masked_fill(unscored[:, None], torch.nan)

    def _compared(self, products: Tensor, squares: Tensor) -> Tensor:
        """Similarities from ``products`` (shape [B, U]) and squared lengths of the queries, [B]; shape [B, U]."""
        if self.num_neighbours is not None:
            return self.similarity.compare(products, squares, self.squares)
        similarities = self.similarity.compare(products.T.contiguous(), self.squares, squares).T
        return similarities.masked_fill(similarities < self.thresholds, 0)
