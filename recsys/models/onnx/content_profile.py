"""What the items of a history have in common with those of the catalogue, by what is said about them.

Shape suffixes: B queries, L positions, I items of the catalogue, V words, W words of one item at most, D components.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.models.components.recency import Recency
from recsys.models.linalg.interaction_matrix import InteractionMatrix
from recsys.models.onnx.item_item import padded
from recsys.models.onnx.onnx_query import OnnxQuery


class RatingsAbove(nn.Module):
    """Weighs an interaction by its rating above a mean, and by its recency.

    A history whose ratings all equal the mean, or that has none, is taken as if ratings did not count.

    Args:
        mean_rating: the mean of all ratings, a scalar; None: the mean of the history's.
        rounding: the share of a sum that rounding leaves of nothing.
    """

    mean_rating: Tensor | None

    def __init__(self, mean_rating: Tensor | None, rounding: float) -> None:
        super().__init__()
        self.register_buffer("mean_rating", mean_rating)
        self.rounding = rounding

    def forward(self, query: OnnxQuery) -> Tensor:
        """Shape [B, L]; what it says of positions after the end does not matter."""
        rated = ~query.ratings.isnan()
        ratings = torch.where(rated, query.ratings, 0)
        mean = self.mean_rating
        if mean is None:
            mean = ratings.sum(1, keepdim=True) / rated.sum(1, keepdim=True).clamp(min=1)
        above = (ratings - mean) * rated
        tells = above.abs().sum(1, keepdim=True) > self.rounding * ratings.abs().sum(1, keepdim=True)
        return torch.where(tells, above, 1.0)


class ContentProfile(nn.Module):
    """The sum of the items' vectors over a history, scaled to length 1; or, where there are words, its products.

    Words are kept sparse: those of the history are added to the profile at their places, and the profile is looked up
    at the words of each item, ``I * W`` of them.

    Args:
        words: of the items, I rows and V columns; V may be 0.
        components: of the items, shape [I, D]; D may be 0.
        has_content: whether anything is known of an item, shape [I], bool.
        ratings: how ratings count; None: they do not.
        recency: how much less older interactions count.
        rounding: a sum that is shorter than this share of the sum of its weights is none.
    """

    words: Tensor
    values: Tensor
    components: Tensor
    has_content: Tensor

    def __init__(
        self,
        words: InteractionMatrix,
        components: Tensor,
        has_content: Tensor,
        ratings: RatingsAbove | None,
        recency: Recency,
        rounding: float,
    ) -> None:
        super().__init__()
        places, values = padded(words)
        self.num_words = words.num_columns
        self.register_buffer("words", places)
        self.register_buffer("values", values)
        self.register_buffer("components", components)
        self.register_buffer("has_content", has_content)
        self.ratings = ratings
        self.recency = recency
        self.rounding = rounding
        self.floats_per_position = 4 * values.shape[1] + components.shape[1]
        if self.num_words > 0:
            self.floats_per_position += self.num_words + 2 * values.numel()

    def forward(self, query: OnnxQuery) -> Tensor:
        """The profile, shape [B, D], where there are no words; else scores, shape [B, I]. NaN where unscored."""
        components, words, lengths = self.sums(query)
        if words is None:
            return components / lengths
        found = words[:, self.words.flatten()].view(query.items.shape[0], *self.words.shape)
        scores = ((found * self.values).sum(2) + components @ self.components.T) / lengths
        return scores.masked_fill(~self.has_content, torch.nan)

    def weights(self, query: OnnxQuery) -> Tensor:
        """How much each interaction counts, shape [B, L]; what it says of positions after the end does not matter."""
        recency = query.recency(self.recency)
        return recency if self.ratings is None else self.ratings(query) * recency

    def sums(self, query: OnnxQuery) -> tuple[Tensor, Tensor | None, Tensor]:
        """The profile before it is scaled.

        Returns:
            Its components, shape [B, D]; its words, shape [B, V + 1], the last one being none, or None where there are
            no words; and its length, shape [B, 1], NaN where nothing is left.
        """
        num_items = len(self.has_content)
        weights = self.weights(query)
        if self.ratings is None:
            weights = weights * query.is_last(num_items)
        else:
            weights = query.largest(weights, num_items)
        items = query.known_items
        components = (weights[:, None, :] @ functional.embedding(items, self.components)).squeeze(1)
        squares = components.square().sum(1)
        words = None
        if self.num_words > 0:
            added = functional.embedding(items, self.values) * weights[:, :, None]
            words = added.new_zeros(items.shape[0], self.num_words + 1)
            words = words.scatter_add(1, self.words[items].flatten(1), added.flatten(1))
            squares = squares + words.square().sum(1)
        lengths = squares.sqrt()
        return (
            components,
            words,
            lengths.masked_fill(lengths <= self.rounding * weights.abs().sum(1), torch.nan)[:, None],
        )
