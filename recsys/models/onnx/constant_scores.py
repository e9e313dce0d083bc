"""One row of scores for everyone. Shape suffixes: B queries, I items of the catalogue."""

from __future__ import annotations

from torch import Tensor, nn

from recsys.models.onnx.onnx_query import OnnxQuery


class ConstantScores(nn.Module):
    """Gives every query the same scores.

    Args:
        scores: shape [I], float32.
    """

    scores: Tensor

    def __init__(self, scores: Tensor) -> None:
        super().__init__()
        self.register_buffer("scores", scores)

    def forward(self, query: OnnxQuery) -> Tensor:
        """Shape [B, I]."""
        return self.scores.expand(query.users.shape[0], -1)
