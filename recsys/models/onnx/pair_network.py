"""A product and a perceptron over the vectors of a known user and of items.

Shape suffixes: B queries, C candidates of each, U users, I items of the catalogue, D dim, H units of a layer.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.models.onnx.onnx_query import OnnxQuery


class PairNetwork(nn.Module):
    """``w_u . q_i + h . relu(W_n ... relu(a_u + c_i)) + b``: the first layer is done for users and items beforehand.

    Args:
        user_vectors: w, shape [U, D].
        item_vectors: q, shape [I, D].
        user_parts: a, shape [U, H].
        item_parts: c, shape [I, H].
        hidden: the layers between the first and the last.
        output: the last layer, to one unit.
        bias: b, a scalar.
    """

    user_vectors: Tensor
    item_vectors: Tensor
    user_parts: Tensor
    item_parts: Tensor
    bias: Tensor

    def __init__(
        self,
        user_vectors: Tensor,
        item_vectors: Tensor,
        user_parts: Tensor,
        item_parts: Tensor,
        hidden: Sequence[nn.Module],
        output: nn.Module,
        bias: Tensor,
    ) -> None:
        super().__init__()
        self.register_buffer("user_vectors", user_vectors)
        self.register_buffer("item_vectors", item_vectors)
        self.register_buffer("user_parts", user_parts)
        self.register_buffer("item_parts", item_parts)
        self.register_buffer("bias", bias)
        self.hidden = nn.ModuleList(hidden)
        self.output = output

    def forward(self, query: OnnxQuery, candidates: Tensor) -> Tensor:
        """Score candidates (shape [B, C], int64); shape [B, C], NaN for unknown users."""
        items = candidates.clamp(min=0)
        vectors = functional.embedding(items, self.item_vectors)
        return self._scores(query.users, vectors, functional.embedding(items, self.item_parts))

    def catalogue(self, query: OnnxQuery) -> Tensor:
        """Score the catalogue, shape [B, I]."""
        return self._scores(query.users, self.item_vectors, self.item_parts[None])

    def _scores(self, users: Tensor, vectors: Tensor, parts: Tensor) -> Tensor:
        known = users.clamp(min=0)
        own = functional.embedding(known, self.user_vectors)[:, :, None]
        units = (functional.embedding(known, self.user_parts)[:, None, :] + parts).relu()
        for layer in self.hidden:
            units = layer(units).relu()
        scores = (vectors @ own).squeeze(2) + self.output(units).squeeze(2) + self.bias
        return scores.masked_fill((users < 0)[:, None], torch.nan)


class CatalogueOfPairs(nn.Module):
    """Scores the whole catalogue by a network over pairs, for as long as ``I * H`` multiplications a layer take.

    Args:
        network: over pairs.
    """

    def __init__(self, network: PairNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, query: OnnxQuery) -> Tensor:
        """The scores, shape [B, I]; NaN for unknown users."""
        return self.network.catalogue(query)
