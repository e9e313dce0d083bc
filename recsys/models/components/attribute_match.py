"""Features of a (user, item) pair from the attributes of both.

Shape suffixes: B users, C candidates of each, U users of the vocabulary, I items of the catalogue, D dim.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.models.layers.feature_embedding import FeatureEmbedding


class AttributeMatch(nn.Module):
    """Two features of each pair: ``x_u . y_i`` and ``w . y_i``, with learnt vectors ``x`` and ``y`` of the attributes.

    Users without attributes, and data without attributes, give zeros.

    Args:
        embedding_dim: D.
        init_std: standard deviation of the normal initialisation.
    """

    num_features = 2

    def __init__(self, embedding_dim: int, init_std: float) -> None:
        super().__init__()
        self.embedding_dim = embedding_dim
        self.init_std = init_std
        self.users: FeatureEmbedding | None = None
        self.items: FeatureEmbedding | None = None
        self.item_weights = nn.Parameter(torch.zeros(embedding_dim))
        nn.init.normal_(self.item_weights, std=init_std)

    def forward(self, users: Tensor, items: Tensor, features: Mapping[str, Tensor] | None = None) -> Tensor:
        """Match users and items.

        Args:
            users: shape [B], int64; -1 for unknown.
            items: shape [B, C], int64.
            features: user features as in :class:`recsys.models.interface.protocols.Query`; None or empty: those of the
                data.

        Returns:
            Shape [B, C, 2].
        """
        if self.items is None:
            return self.item_weights.new_zeros(*items.shape, self.num_features)
        item_vectors = functional.embedding(items, self.items())  # [B, C, D]
        alone = item_vectors @ self.item_weights
        if self.users is None:
            return torch.stack([torch.zeros_like(alone), alone], dim=2)
        if features:
            user_vectors = self.users.of_users()(features)
        else:
            user_vectors = functional.embedding(users.clamp(min=0), self.users()) * (users >= 0)[:, None]
        together = (item_vectors @ user_vectors[:, :, None]).squeeze(2)
        return torch.stack([together, alone], dim=2)
