"""A vector for each user of the vocabulary. Shape suffixes: B queries, U users, D dim."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recsys.models.onnx.onnx_query import OnnxQuery


class UserTable(nn.Module):
    """Looks up the vectors of known users; NaN for others.

    Args:
        vectors: shape [U, D], float32.
    """

    vectors: Tensor

    def __init__(self, vectors: Tensor) -> None:
        super().__init__()
        self.register_buffer("vectors", vectors)

    def forward(self, query: OnnxQuery) -> Tensor:
        """Shape [B, D]."""
        rows = torch.nn.functional.embedding(query.users.clamp(min=0), self.vectors)
        return rows.masked_fill((query.users < 0)[:, None], torch.nan)
