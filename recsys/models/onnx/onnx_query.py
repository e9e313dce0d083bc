"""What a model is asked where there is no PyTorch: histories as arrays of one width.

Everything here is made of operations that the ONNX exporter knows, and no size depends on the values of a tensor.

Shape suffixes: B queries, L positions, I items of the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor

from recsys.models.components.recency import SECONDS_PER_DAY, Recency

#: Stands for a time that is not known.
NO_TIMESTAMP = torch.iinfo(torch.int64).min


class OnnxQuery(NamedTuple):
    """B users with what is known of them, as they are asked online.

    Attributes:
        users: internal user indices, shape [B], int64; -1 for a user that is not in the vocabulary.
        items: the history, oldest first, shape [B, L] with L of at least 1, int64; -1 after its end.
        ratings: shape [B, L], float32; NaN where there is none.
        timestamps: seconds since 1970, shape [B, L], int64; :data:`NO_TIMESTAMP` where there is none.
        features: the columns of the users that the model reads, by their names, as
            :mod:`recsys.models.onnx.embedded_columns` has them; B rows.
    """

    users: Tensor
    items: Tensor
    ratings: Tensor
    timestamps: Tensor
    features: Mapping[str, Tensor] = MappingProxyType({})

    @property
    def inside(self) -> Tensor:
        """Whether a position holds an interaction, shape [B, L], bool."""
        return self.items >= 0

    @property
    def lengths(self) -> Tensor:
        """Interactions of each history, shape [B], int64."""
        return self.inside.sum(1)

    @property
    def known_items(self) -> Tensor:
        """The items, with item 0 in place of none, shape [B, L], int64."""
        return self.items.clamp(min=0)

    def is_last(self, num_items: int) -> Tensor:
        """Whether an interaction is the last one with its item in its history, shape [B, L], bool."""
        place = torch.arange(self.items.shape[1], device=self.items.device).expand_as(self.items)
        column = torch.where(self.inside, self.items, num_items)
        last = place.new_full((self.items.shape[0], num_items + 1), -1).scatter_reduce(1, column, place, "amax")
        return self.inside & (last.gather(1, column) == place)

    def largest(self, weights: Tensor, num_items: int) -> Tensor:
        """The largest weight of each item of a history, at its last interaction; 0 at the others and after the end.

        Args:
            weights: of the interactions, shape [B, L], float32.
            num_items: I.
        """
        column = torch.where(self.inside, self.items, num_items)
        lowest = weights.new_full((self.items.shape[0], num_items + 1), -torch.inf)
        largest = lowest.scatter_reduce(1, column, weights, "amax").gather(1, column)
        return torch.where(self.is_last(num_items), largest, 0)

    def shares(self, weights: Tensor, num_items: int) -> tuple[Tensor, Tensor]:
        """How an item that comes again in a history is shared among its interactions.

        Args:
            weights: of the interactions, shape [B, L], float32.
            num_items: I.

        Returns:
            The largest weight of the item of each interaction, and one over the number of interactions with it; both of
            shape [B, L], float32, 0 after the end.
        """
        column = torch.where(self.inside, self.items, num_items)
        table = weights.new_zeros(self.items.shape[0], num_items + 1)
        largest = (table - torch.inf).scatter_reduce(1, column, weights, "amax").gather(1, column)
        times = table.scatter_add(1, column, torch.ones_like(weights)).gather(1, column)
        return torch.where(self.inside, largest, 0), torch.where(self.inside, 1 / times, 0)

    def latest(self, max_length: int) -> OnnxQuery:
        """The same users with the latest ``max_length`` interactions of each history, which is the width as well."""
        place = torch.arange(max_length, device=self.items.device)
        lengths = self.lengths[:, None]
        inside = place < lengths.clamp(max=max_length)
        place = ((lengths - max_length).clamp(min=0) + place).clamp(max=self.items.shape[1] - 1)
        return OnnxQuery(
            self.users,
            torch.where(inside, self.items.gather(1, place), -1),
            torch.where(inside, self.ratings.gather(1, place), torch.nan),
            torch.where(inside, self.timestamps.gather(1, place), NO_TIMESTAMP),
            self.features,
        )

    def recency(self, recency: Recency) -> Tensor:
        """The weight of each interaction; 0 after the end.

        See :meth:`recsys.models.components.recency.Recency.weights`.

        Returns:
            Shape [B, L], float32.
        """
        weights = self.inside.float()
        if not recency.is_used:
            return weights
        newest = (self.lengths - 1)[:, None]
        steps = (newest - torch.arange(self.items.shape[1], device=self.items.device)).clamp(min=0)
        weights = weights * torch.full_like(weights, recency.step_decay) ** steps
        if recency.day_decay < 1:
            last = self.timestamps.gather(1, newest.clamp(min=0))
            seconds = last - self.timestamps
            dated = self.inside & (self.timestamps != NO_TIMESTAMP) & (last != NO_TIMESTAMP)
            days = torch.where(dated, seconds, 0).float() / SECONDS_PER_DAY
            weights = weights * torch.full_like(days, recency.day_decay) ** days
        return weights
