"""Any network that scores pairs, as what is exported: by the catalogue, or by candidates.

Shape suffixes: B queries, C candidates of each, I items of the catalogue.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recsys.models.onnx.onnx_query import OnnxQuery


class CandidatePairs(nn.Module):
    """Scores of candidates, NaN for users that are not in the vocabulary.

    Args:
        network: has ``score_pairs``, made of operations that the ONNX exporter knows.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, query: OnnxQuery, candidates: Tensor) -> Tensor:
        """Scores of ``candidates`` (int64, shape [B, C]; -1 for none), shape [B, C], float32."""
        users = query.users.clamp(min=0)[:, None]
        scores: Tensor = self.network.score_pairs(users, candidates.clamp(min=0))  # type: ignore[operator]
        return torch.where(query.users[:, None] < 0, torch.nan, scores)


class CataloguePairs(nn.Module):
    """Scores of all items, NaN for users that are not in the vocabulary.

    Args:
        network: as of :class:`CandidatePairs`.
        num_items: size of the catalogue, I.
    """

    items: Tensor

    def __init__(self, network: nn.Module, num_items: int) -> None:
        super().__init__()
        self.pairs = CandidatePairs(network)
        self.register_buffer("items", torch.arange(num_items)[None], persistent=False)

    def forward(self, query: OnnxQuery) -> Tensor:
        """Scores of the catalogue, shape [B, I], float32."""
        scores: Tensor = self.pairs(query, self.items)
        return scores
