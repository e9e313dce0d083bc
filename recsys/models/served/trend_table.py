"""Scores by the times of a history. Shape suffixes: B queries, L positions, I items of the catalogue, T spans."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from recsys.models.served.query import NO_TIMESTAMP, ServedQuery


class TrendTable(nn.Module):
    """The mean of the rows of a table that belong to the times of the history.

    Args:
        table: scores of the catalogue in each span of time, shape [T, I], float32.
        first_second: when the first span begins.
        span_seconds: length of a span.
    """

    table: Tensor

    def __init__(self, table: Tensor, first_second: int, span_seconds: int) -> None:
        super().__init__()
        self.register_buffer("table", table)
        self.first_second = first_second
        self.span_seconds = span_seconds

    def forward(self, query: ServedQuery) -> Tensor:
        """Shape [B, I]; NaN for an empty history."""
        last = self.table.shape[0] - 1
        # Shifted only where there is a time: what stands for none would wrap around.
        dated = query.timestamps != NO_TIMESTAMP
        seconds = torch.where(dated, query.timestamps, self.first_second) - self.first_second
        span = torch.div(seconds.clamp(min=0), self.span_seconds, rounding_mode="trunc").clamp(max=last)
        span = torch.where(dated, span, last)
        inside = query.inside.to(self.table.dtype)
        times = inside.new_zeros(query.items.shape[0], last + 1).scatter_add(1, span, inside)
        return (times / inside.sum(1, keepdim=True)) @ self.table
