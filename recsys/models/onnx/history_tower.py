"""The user tower of a model with two, over item vectors that do not change any more.

Shape suffixes: B queries, L positions, I items of the catalogue, U users, D dim, E dim of the vectors that meet.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.models.layers.bias_dimension import with_ones
from recsys.models.layers.history_inputs import rating_embedding, time_gap_embedding
from recsys.models.onnx.embedded_columns import EmbeddedUsers
from recsys.models.onnx.onnx_query import NO_TIMESTAMP, OnnxQuery


class HistoryTower(nn.Module):
    """Encodes the latest interactions of each history, and adds what is known of the user.

    What an interaction is told without, its rating or its time, adds nothing to its vector.

    Args:
        encoder: maps vectors [B, L, D] to states of the same shape, none of which depends on later ones.
        start: what stands before the first interaction, shape [D].
        item_vectors: as they enter the encoder, shape [I, D].
        user_vectors: of each user's id, shape [U, D]; None: ids do not count.
        user_columns: embeds what the columns of the users say, with D dimensions; None: they do not count.
        rating_vectors: see :func:`recsys.models.layers.history_inputs.rating_embedding`; None: ratings do not count.
        gap_vectors: see :func:`recsys.models.layers.history_inputs.time_gap_embedding`; None: times do not count.
        max_history: interactions that are encoded.
        normalize: whether the result is scaled to length 1 before the next two.
        temperature: by which it is divided.
        item_bias: whether a constant 1 is appended, which meets the items' biases.
    """

    start: Tensor
    item_vectors: Tensor
    user_vectors: Tensor | None
    rating_vectors: Tensor | None
    gap_vectors: Tensor | None

    def __init__(
        self,
        encoder: nn.Module,
        start: Tensor,
        item_vectors: Tensor,
        user_vectors: Tensor | None,
        user_columns: EmbeddedUsers | None,
        rating_vectors: Tensor | None,
        gap_vectors: Tensor | None,
        max_history: int,
        normalize: bool,
        temperature: float,
        item_bias: bool,
    ) -> None:
        super().__init__()
        self.encoder = encoder
        self.register_buffer("start", start)
        self.register_buffer("item_vectors", item_vectors)
        self.register_buffer("user_vectors", user_vectors)
        self.register_buffer("rating_vectors", rating_vectors)
        self.register_buffer("gap_vectors", gap_vectors)
        self.user_columns = user_columns
        self.max_history = max_history
        self.normalize = normalize
        self.temperature = temperature
        self.item_bias = item_bias

    def forward(self, query: OnnxQuery) -> Tensor:
        """Query vectors, shape [B, E]."""
        latest = query.latest(self.max_history)
        vectors = functional.embedding(latest.known_items, self.item_vectors)
        if self.rating_vectors is not None:
            rated = ~latest.ratings.isnan()
            ratings = rating_embedding(torch.where(rated, latest.ratings, 0), self.rating_vectors)
            vectors = vectors + ratings * rated[:, :, None]
        if self.gap_vectors is not None:
            vectors = vectors + self._of_times(latest, self.gap_vectors)
        vectors = torch.cat([self.start.expand(vectors.shape[0], 1, -1), vectors], dim=1)
        states: Tensor = self.encoder(vectors)
        last = latest.lengths[:, None, None].expand(-1, 1, states.shape[2])
        state = states.gather(1, last).squeeze(1)
        if self.user_columns is not None:
            state = state + self.user_columns(query.features)
        if self.user_vectors is not None:
            users = functional.embedding(query.users.clamp(min=0), self.user_vectors)
            state = state + users * (query.users >= 0)[:, None]
        if self.normalize:
            state = functional.normalize(state, dim=1)
        state = state / self.temperature
        return with_ones(state) if self.item_bias else state

    @staticmethod
    def _of_times(latest: OnnxQuery, gap_vectors: Tensor) -> Tensor:
        """What the time since the interaction before says, shape [B, L, D]; the first has none before it."""
        times = latest.timestamps
        before = torch.cat([times[:, :1], times[:, :-1]], dim=1)
        dated = times != NO_TIMESTAMP
        time_gaps = torch.where(dated & (before != NO_TIMESTAMP), times - before, 0)
        return time_gap_embedding(time_gaps.float(), gap_vectors) * dated[:, :, None]
