"""Attention of candidates to the items of a history, by cosine similarity.

Shape suffixes: B queries, I items of the catalogue, L latest interactions of a history, H heads, D dim.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.data.histories import Histories
from recsys.data.interactions import Interactions
from recsys.data.user_items import UserItems
from recsys.errors import ModelError
from recsys.models.layers.padded_histories import PaddedHistories
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.linalg.truncated_svd import right_singular_vectors

#: Largest number of similarities held at once; bounds memory.
MAX_SIMILARITIES = 2**21
#: The smallest possible weight, ``exp(-2 / t)``, must not be rounded to zero.
MIN_TEMPERATURE = 0.03


class HistoryAttention(nn.Module):
    """Two similarities of each item to the history: attention-weighted and mean cosine.

    The first is attention, ``sum_j a_ij cos(v_i, v_j)`` with ``a_i = softmax_j(cos(v_i, v_j) / temperature)``; the
    second ``mean_j cos(v_i, v_j)``. The vectors are those of the items in a truncated singular value decomposition of
    the interactions. Only their cosines are used, so that a ranker also works with vectors fitted to
    other interactions, which have other directions.

    Args:
        num_items: size of the item vocabulary, I.
        embedding_dim: dimension of the vectors, D.
        temperature: at least 0.03; the lower, the more attention goes to the most similar item.
        max_history: number of latest interactions that are attended to, L.

    Raises:
        ModelError: ``temperature`` is too low.
    """

    vectors: Tensor

    #: Number of similarities that :meth:`forward` gives for each pair, H.
    num_heads = 2

    def __init__(self, num_items: int, embedding_dim: int, temperature: float, max_history: int) -> None:
        super().__init__()
        if temperature < MIN_TEMPERATURE:
            raise ModelError(
                f"model.attention_temperature must be at least {MIN_TEMPERATURE}, but it is {temperature}: the weights "
                "of all but the most similar items would be rounded to zero. Raise it."
            )
        self.temperature = temperature
        self.max_history = max_history
        self.register_buffer("vectors", torch.zeros(num_items, embedding_dim))

    def learn(self, interactions: Interactions) -> None:
        """Compute the vectors from training interactions."""
        matrix = InteractionMatrix.from_user_items(UserItems.from_interactions(interactions, self.vectors.device))
        dim = min(self.vectors.shape[1], len(matrix), matrix.num_columns)
        right = right_singular_vectors(matrix, dim, seed=0)
        # Times the root of the singular values, the scale of item vectors in a factorisation.
        scale = (matrix @ right).square().sum(0).sqrt().sqrt()
        self.vectors.zero_()
        self.vectors[:, :dim] = functional.normalize(right * scale, dim=1)
        self.vectors[matrix.column_counts() == 0] = 0  # a vector that is only rounding error has no direction

    def forward(self, histories: Histories) -> Tensor:
        """Attend to B histories for the whole catalogue, shape [B, H, I]; NaN for an empty history."""
        padded = PaddedHistories.latest(histories, self.max_history)
        num_queries, longest = padded.items.shape
        num_items = len(self.vectors)
        if longest == 0:
            return self.vectors.new_full((num_queries, self.num_heads, num_items), torch.nan)
        size = max(1, MAX_SIMILARITIES // (longest * num_items))
        blocks = zip(padded.items.split(size), padded.lengths.split(size), strict=True)
        return torch.cat([self._attend(items, lengths) for items, lengths in blocks])

    def _attend(self, items: Tensor, lengths: Tensor) -> Tensor:
        inside = (torch.arange(items.shape[1], device=items.device) < lengths[:, None]).float()
        known = self.vectors[items] * inside[:, :, None]
        mean = known.sum(1) @ self.vectors.T
        similar = known @ self.vectors.T  # [B, L, I]
        # Cosines are at most 1, so that no exponential is too large.
        weights = ((similar - 1) / self.temperature).exp_().mul_(inside[:, :, None])
        total = weights.sum(1)
        attended = weights.mul_(similar).sum(1) / total
        # An empty history divides by zero: NaN, as it should be.
        return torch.stack([attended, mean / lengths[:, None]], dim=1)
