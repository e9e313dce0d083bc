"""What a ranker knows of candidates that were not in the catalogue: vectors that were made of their features.

Candidate ``I + n`` is the n-th new item.

Shape suffixes: B queries, C candidates of each, I items of the catalogue, N new items, S sources, H attention heads,
W numbers of a new item's vector, D dim.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.data.encoded_columns import EncodedColumn
from recsys.errors import ModelError
from recsys.models.components.item_statistics import ItemStatistics
from recsys.models.components.source_scores import gather_items
from recsys.models.layers.feature_embedding import FeatureEmbedding
from recsys.models.onnx.embedded_columns import EmbeddedColumns
from recsys.models.onnx.exportable import ItemEncoderSpec


class _ColumnVectors(nn.Module):
    """The vectors of columns, as an encoder of items.

    Args:
        columns: embeds them.
    """

    def __init__(self, columns: EmbeddedColumns) -> None:
        super().__init__()
        self.columns = columns

    def forward(self, *columns: Tensor) -> Tensor:
        """Shape [N, D]."""
        vectors: Tensor = self.columns(columns)
        return vectors


class JoinedEncoders(nn.Module):
    """The vectors of several encoders of items, side by side.

    Args:
        encoders: of items.
        places: which of the columns each reads, by their positions.
    """

    def __init__(self, encoders: Sequence[nn.Module], places: Sequence[Sequence[int]]) -> None:
        super().__init__()
        self.encoders = nn.ModuleList(encoders)
        self.places = tuple(map(tuple, places))

    def forward(self, *columns: Tensor) -> Tensor:
        """Shape [N, W]."""
        pairs = zip(self.encoders, self.places, strict=True)
        return torch.cat([encoder(*(columns[place] for place in own)) for encoder, own in pairs], dim=1)


def encoders_of(sources: nn.ModuleDict) -> list[ItemEncoderSpec | None]:
    """What makes vectors of new items for each source; None for a source that cannot, as it is set up."""
    found: list[ItemEncoderSpec | None] = []
    for source in sources.values():
        item_encoder = getattr(source, "item_encoder", None)
        try:
            found.append(None if item_encoder is None else item_encoder())
        except ModelError:
            found.append(None)
    return found


def encoder_of_columns(columns: FeatureEmbedding) -> ItemEncoderSpec:
    """What makes the vectors of new items' columns."""
    return ItemEncoderSpec(_ColumnVectors(columns.of_other_rows()).eval(), columns.described)


def joined_encoders(specs: Sequence[ItemEncoderSpec]) -> ItemEncoderSpec:
    """One encoder of items for several, at least one; a column that more than one reads is told once."""
    columns: dict[str, EncodedColumn] = {column.name: column for spec in specs for column in spec.columns}
    names = list(columns)
    places = [[names.index(column.name) for column in spec.columns] for spec in specs]
    return ItemEncoderSpec(JoinedEncoders([spec.encoder for spec in specs], places).eval(), tuple(columns.values()))


class Described(NamedTuple):
    """Candidates that are new, as far as they are described like those of the catalogue.

    Attributes:
        is_new: which candidates are new, shape [B, C]; what the others have here does not matter.
        scores: by sources and attention, on their scale, shape [B, C, S + H].
        given: whether each of the S sources scores them, shape [B, C, S].
        attributes: vectors of their columns, shape [B, C, D]; None where these do not count.
    """

    is_new: Tensor
    scores: Tensor
    given: Tensor
    attributes: Tensor | None


class NewCandidates(nn.Module):
    """Describes new items as items of the catalogue that nobody has interacted with.

    A source that makes vectors of features scores them, on the scale of its scores for the catalogue; any other has no
    score for them. The attention finds them like nothing. They are as popular and as fresh as the least popular items.

    Args:
        widths: how many numbers of a new item's vector each source reads; None for a source that reads none.
        attribute_dim: how many numbers after those are the vector of the columns; None where columns do not count.
        num_heads: of the attention, H.
        statistics: of the items.
    """

    popularity: Tensor
    freshness: Tensor

    def __init__(
        self, widths: Sequence[int | None], attribute_dim: int | None, num_heads: int, statistics: ItemStatistics
    ) -> None:
        super().__init__()
        self.widths = tuple(widths)
        self.attribute_dim = attribute_dim
        self.num_heads = num_heads
        least = statistics.popularity == statistics.popularity.min()
        self.register_buffer("popularity", statistics.popularity.min())
        self.register_buffer("freshness", statistics.freshness[least].mean(0))

    @property
    def width(self) -> int:
        """Numbers of a new item's vector, W."""
        return sum(width or 0 for width in self.widths) + (self.attribute_dim or 0)

    def forward(
        self, encoded: Sequence[Tensor], mean: Tensor, scale: Tensor, places: Tensor, vectors: Tensor
    ) -> Described:
        """Describe candidates.

        Args:
            encoded: what the encoder of each source gave.
            mean: of the scores of each source and head, shape [B, S + H, 1].
            scale: by which they are multiplied, likewise.
            places: the candidates as positions among the new items, shape [B, C], int64; negative for those of the
                catalogue.
            vectors: of the new items, shape [N, W].
        """
        rows, own = places.clamp(min=0), self._raw(encoded, vectors)
        given = own.isfinite()
        scores = torch.where(given, (own - mean[:, : len(self.widths)]) * scale[:, : len(self.widths)], 0)
        if self.num_heads > 0:
            # The cosine of an item without interactions is 0. An empty history has no mean, and no scores.
            unlike = (-mean * scale)[:, len(self.widths) :].nan_to_num()
            scores = torch.cat([scores, unlike.expand(-1, -1, vectors.shape[0])], dim=1)
        attributes = None
        if self.attribute_dim is not None:
            attributes = functional.embedding(rows, vectors[:, self.width - self.attribute_dim :])
        return Described(places >= 0, gather_items(scores, rows), gather_items(given, rows), attributes)

    def _raw(self, encoded: Sequence[Tensor], vectors: Tensor) -> Tensor:
        """The scores of the sources as they give them, shape [B, S, N]; NaN where one gives none."""
        scores, start = [], 0
        for queries, width in zip(encoded, self.widths, strict=True):
            if width is None:
                scores.append(queries.new_full((queries.shape[0], vectors.shape[0]), torch.nan))
            else:
                scores.append(queries @ vectors[:, start : start + width].T)
                start += width
        return torch.stack(scores, dim=1)
