"""Similarities of the catalogue to a history, see :class:`recsys.models.layers.history_attention.HistoryAttention`.

Shape suffixes: B queries, L latest interactions of a history, I items of the catalogue, H heads, D dim.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.models.onnx.onnx_query import OnnxQuery


class ServedAttention(nn.Module):
    """Attention and mean with few passes over the ``L * I`` similarities: their sums are products with the history.

    The weights are ``exp(cos / t)`` without the ``-1 / t`` that keeps exponentials small: it cancels out, and a
    temperature of at least 0.03 makes none too large.

    Args:
        vectors: of the items, of length 1 or 0, shape [I, D].
        temperature: t.
        max_history: L.
    """

    vectors: Tensor

    def __init__(self, vectors: Tensor, temperature: float, max_history: int) -> None:
        super().__init__()
        self.register_buffer("vectors", vectors)
        self.temperature = temperature
        self.max_history = max_history

    def forward(self, query: OnnxQuery) -> Tensor:
        """Shape [B, H, I]; NaN for an empty history."""
        latest = query.latest(self.max_history)
        inside = latest.inside.float()[:, None, :]
        known = functional.embedding(latest.known_items, self.vectors)
        scaled = (known / self.temperature) @ self.vectors.T  # [B, L, I]
        weights = scaled.exp()
        attended = self.temperature * (inside @ (weights * scaled)) / (inside @ weights)
        mean = (inside @ known) @ self.vectors.T / inside.sum(2, keepdim=True)
        return torch.cat([attended, mean], dim=1)
