"""How close a candidate is to those items of a history that are like it.

Shape suffixes: B queries, I items of the catalogue, L latest interactions of a history, H heads, D dim.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.user_items import UserItems
from recsys.models.interaction_matrix import InteractionMatrix
from recsys.models.padded_histories import PaddedHistories
from recsys.models.truncated_svd import right_singular_vectors

#: Similarities held at once, a bound on memory.
MAX_SIMILARITIES = 2**23


class HistoryAttention(nn.Module):
    """Attention of each item over the history: ``sum_j a_ij cos(v_i, v_j)``, ``a_i = softmax_j(cos(v_i, v_j) / t_h)``.

    A low temperature ``t_h`` looks at the most similar item only, a high one at the mean of the history. The vectors
    are those of the items in a truncated singular value decomposition of the interactions. Only their cosines count,
    so that what a ranker makes of them holds for vectors of other interactions, which have other directions.

    Args:
        num_items: size of the item vocabulary, I.
        embedding_dim: dimension of the vectors, D.
        temperatures: one for each head, H, above 0.
        max_history: interactions of a history that are attended to, the latest, L.
    """

    vectors: Tensor

    def __init__(self, num_items: int, embedding_dim: int, temperatures: Sequence[float], max_history: int) -> None:
        super().__init__()
        self.temperatures = tuple(temperatures)
        self.max_history = max_history
        self.register_buffer("vectors", torch.zeros(num_items, embedding_dim))

    def learn(self, interactions: Interactions) -> None:
        """Compute the vectors from training interactions."""
        matrix = InteractionMatrix.from_user_items(UserItems.from_interactions(interactions, self.vectors.device))
        dim = min(self.vectors.shape[1], len(matrix), matrix.num_columns)
        # Scaled as the items of a factorisation of the interactions would be.
        right = right_singular_vectors(matrix, dim, seed=0)
        scale = (matrix @ right).square().sum(0).sqrt().sqrt()
        self.vectors.zero_()
        self.vectors[:, :dim] = functional.normalize(right * scale, dim=1)

    def forward(self, histories: Histories) -> Tensor:
        """Attend to B histories for the whole catalogue, shape [B, H, I]; NaN for an empty history."""
        padded = PaddedHistories.latest(histories, self.max_history)
        num_queries, longest = padded.items.shape
        num_items = len(self.vectors)
        if longest == 0:
            return self.vectors.new_full((num_queries, len(self.temperatures), num_items), torch.nan)
        size = max(1, MAX_SIMILARITIES // (longest * num_items))
        blocks = zip(padded.items.split(size), padded.lengths.split(size), strict=True)
        return torch.cat([self._attend(items, lengths) for items, lengths in blocks])

    def _attend(self, items: Tensor, lengths: Tensor) -> Tensor:
        outside = torch.arange(items.shape[1], device=items.device) >= lengths[:, None]
        similar = self.vectors[items] @ self.vectors.T  # [B, L, I]
        heads = [
            ((similar / temperature).masked_fill(outside[:, :, None], -torch.inf).softmax(1).mul_(similar)).sum(1)
            for temperature in self.temperatures
        ]
        return torch.stack(heads, dim=1).masked_fill((lengths == 0)[:, None, None], torch.nan)
