"""Vectors of items that were not in the catalogue, from their features.

A column is given as :mod:`recsys.models.onnx.embedded_columns` has it.

Shape suffixes: C items, W values of an item at most, V vocabulary, D dim.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.models.layers.bias_dimension import with_bias
from recsys.models.onnx.embedded_columns import EmbeddedColumns


class NewItems(nn.Module):
    """The vectors of items without training: those of the unknown id and of the features.

    Args:
        unknown_id: shape [D].
        features: of the columns.
        normalize: whether the vectors are scaled to length 1.
        bias: of all new items, a scalar, appended; None: without.
    """

    unknown_id: Tensor
    bias: Tensor | None

    def __init__(self, unknown_id: Tensor, features: EmbeddedColumns, normalize: bool, bias: Tensor | None) -> None:
        super().__init__()
        self.register_buffer("unknown_id", unknown_id)
        self.register_buffer("bias", bias)
        self.features = features
        self.normalize = normalize

    def forward(self, *columns: Tensor) -> Tensor:
        """Shape [C, D], or [C, D + 1] with a bias."""
        vectors = self.unknown_id + self.features(columns)
        if self.normalize:
            vectors = functional.normalize(vectors, dim=1)
        return vectors if self.bias is None else with_bias(vectors, self.bias.expand(vectors.shape[0]))


class ProjectedWords(nn.Module):
    """TF-IDF vectors as of :func:`recsys.models.components.tf_idf.tf_idf`, projected and scaled to length 1.

    Args:
        rarities: the weight of each word of each column, shape [V] each.
        weights: of the columns.
        projection: of all words, column after column, shape [sum of V, D].
        rounding: what is shorter than this, out of a vector of length 1, has no direction.
    """

    projection: Tensor

    def __init__(
        self, rarities: Sequence[Tensor], weights: Sequence[float], projection: Tensor, rounding: float
    ) -> None:
        super().__init__()
        for position, rarity in enumerate(rarities):
            self.register_buffer(f"rarity_{position}", rarity.float())
        self.register_buffer("projection", projection)
        self.weights = tuple(weights)
        self.rounding = rounding

    def forward(self, *columns: Tensor) -> Tensor:
        """Shape [C, D]; NaN for items without words that are known."""
        parts = []
        for position, (codes, weight) in enumerate(zip(columns, self.weights, strict=True)):
            rarity = self.get_buffer(f"rarity_{position}")
            num_words = rarity.shape[0]
            counts = torch.zeros(codes.shape[0], num_words + 1, device=codes.device)
            places = torch.where(codes >= 0, codes, num_words)
            counts = counts.scatter_add(1, places, torch.ones_like(places, dtype=counts.dtype))[:, :num_words]
            values = torch.where(counts > 0, 1 + counts.clamp(min=1).log(), 0) * rarity
            parts.append(weight**0.5 * functional.normalize(values, dim=1))
        vectors = functional.normalize(torch.cat(parts, dim=1), dim=1) @ self.projection
        lengths = vectors.square().sum(1, keepdim=True).sqrt()
        return vectors / lengths.masked_fill(lengths <= self.rounding, torch.nan)
