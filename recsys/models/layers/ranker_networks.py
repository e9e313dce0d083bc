"""Ranker networks, which score a candidate from its features.

Shape suffixes: B queries, C candidates of each, S sources, F features of which the first S are the sources' scores.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.models.layers.validation import check_dims


class LinearBlend(nn.Module):
    """A weighted sum of the standardised scores of the sources.

    Args:
        num_sources: S.
        num_features: F; the other features are ignored.
    """

    def __init__(self, num_sources: int, num_features: int) -> None:
        super().__init__()
        self.num_sources = num_sources
        self.weights = nn.Parameter(torch.full((num_sources,), 1 / num_sources))

    def forward(self, features: Tensor) -> Tensor:
        """Score candidates, from shape [B, C, F] to [B, C]."""
        return features[..., : self.num_sources] @ self.weights


class ResidualNetwork(nn.Module):
    """The linear blend plus a perceptron with two hidden layers over all features.

    The last layer starts at zero, so that training starts from the blend. The perceptron reads
    ``sign(x) log(1 + |x|)`` of each feature, since standardised scores have long tails.

    Args:
        num_sources: S.
        num_features: F.
        hidden_dim: units of both hidden layers.
        dropout: dropout probability of the second hidden layer.

    Raises:
        ModelError: ``hidden_dim`` is not positive.
    """

    def __init__(self, num_sources: int, num_features: int, hidden_dim: int = 32, dropout: float = 0.0) -> None:
        super().__init__()
        check_dims(hidden_dim=hidden_dim)
        self.blend = LinearBlend(num_sources, num_features)
        self.first = nn.Linear(num_features, hidden_dim)
        self.second = nn.Linear(hidden_dim, hidden_dim)
        self.last = nn.Linear(hidden_dim, 1, bias=False)
        self.dropout = nn.Dropout(dropout)
        nn.init.zeros_(self.last.weight)

    def forward(self, features: Tensor) -> Tensor:
        """Score candidates, from shape [B, C, F] to [B, C]."""
        squashed = features.sign() * torch.log1p(features.abs())
        hidden = functional.silu(self.second(functional.silu(self.first(squashed))))
        residual: Tensor = self.last(self.dropout(hidden)).squeeze(-1)
        return self.blend(features) + residual
