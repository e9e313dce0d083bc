"""What columns say of rows that a model was not trained with: new items, or users as they are asked for online.

A column is given as codes, positions in its vocabulary, shape [N, W], int64, with -1 for no value, wherever it stands;
or as numbers, shape [N], float32, with NaN where one is missing.

Shape suffixes: N rows, W values of a row at most, V vocabulary, D dim.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.data.encoded_columns import EncodedColumn
from recsys.data.feature_encoding import NumberEncoder
from recsys.data.features import FeatureTable


def coded_columns(features: FeatureTable, names: Sequence[str]) -> tuple[EncodedColumn, ...]:
    """How the columns ``names`` of ``features`` are encoded, in their order."""
    kinds = {column.name: column for column in features.columns}
    described = []
    for name in names:
        column, encoder = kinds[name], features.encoders[name]
        vocabulary: tuple[str, ...] | None = getattr(encoder, "vocabulary", None)  # numbers have none
        described.append(EncodedColumn(name, column.kind, column.separator, vocabulary))
    return tuple(described)


class EmbeddedColumns(nn.Module):
    """What :class:`recsys.models.layers.feature_embedding.FeatureEmbedding` says of other rows.

    Args:
        tables: of each column, shape [V, D], or [1, D] for numbers.
        scales: mean and standard deviation of each column of numbers; None for the others.
    """

    def __init__(self, tables: Sequence[Tensor], scales: Sequence[tuple[float, float] | None]) -> None:
        super().__init__()
        for position, table in enumerate(tables):
            self.register_buffer(f"table_{position}", table)
        self.scales = tuple(scales)

    def forward(self, columns: Sequence[Tensor]) -> Tensor:
        """Shape [N, D]."""
        parts = []
        for position, (column, scale) in enumerate(zip(columns, self.scales, strict=True)):
            table = self.get_buffer(f"table_{position}")
            if scale is None:
                given = (column >= 0)[:, :, None]
                total = (functional.embedding(column.clamp(min=0), table) * given).sum(1)
                parts.append(total / given.sum(1).clamp(min=1))
            else:
                mean, deviation = scale
                parts.append(torch.where(column.isfinite(), (column - mean) / deviation, 0)[:, None] * table)
        return torch.stack(parts).sum(0)


class EmbeddedUsers(nn.Module):
    """What the columns of users say, by their names.

    Args:
        names: of the columns.
        columns: embeds them, in that order.
    """

    def __init__(self, names: Sequence[str], columns: EmbeddedColumns) -> None:
        super().__init__()
        self.names = tuple(names)
        self.columns = columns

    def forward(self, features: Mapping[str, Tensor]) -> Tensor:
        """Shape [N, D], from N users' columns; those that have other names are not read."""
        vectors: Tensor = self.columns([features[name] for name in self.names])
        return vectors


def number_scales(features: FeatureTable, columns: Sequence[EncodedColumn]) -> list[tuple[float, float] | None]:
    """Mean and standard deviation of each column of numbers; None for the others."""
    scales: list[tuple[float, float] | None] = []
    for column in columns:
        encoder = features.encoders[column.name]
        scales.append((encoder.mean, encoder.standard_deviation) if isinstance(encoder, NumberEncoder) else None)
    return scales
