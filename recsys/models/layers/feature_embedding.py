"""Embeddings of the features of items or users.

Shape suffixes: N rows, D dim, M values of all rows together.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from recsys.data.feature_tensors import CategoricalFeature, NumberFeature, RaggedFeature
from recsys.data.features import FeatureTable
from recsys.errors import ModelError
from recsys.models.onnx.embedded_columns import EmbeddedColumns, EmbeddedUsers, coded_columns, number_scales


class FeatureEmbedding(nn.Module):
    """The sum over columns of the embedding of each feature.

    A categorical value has an embedding; several values, or the words of a text, have the mean of theirs; a number is
    multiplied by a vector. Missing values add zero. The features are not part of the state dict: they are read again
    with the data.

    Args:
        features: N rows.
        columns: names of the used columns; None for all.
        embedding_dim: D.
        init_std: standard deviation of the normal initialisation.

    Raises:
        ModelError: there is no such column.
    """

    def __init__(
        self, features: FeatureTable, columns: Sequence[str] | None, embedding_dim: int, init_std: float
    ) -> None:
        super().__init__()
        unknown = [name for name in columns or () if name not in features.features]
        if unknown:
            raise ModelError(
                f"Features of the model must be among {', '.join(features.features) or 'none'}, but it asks for "
                f"{', '.join(unknown)}. Correct the names, or declare the columns as features of the data."
            )
        self.columns = tuple(features.features if columns is None else columns)
        self.num_rows = len(features)
        self.described = coded_columns(features, self.columns)
        self.scales = number_scales(features, self.described)
        self.tables = nn.ParameterList()
        for position, name in enumerate(self.columns):
            feature = features[name]
            if isinstance(feature, NumberFeature):
                values = torch.where(feature.missing, 0, feature.values)
                self.register_buffer(f"values_{position}", values, persistent=False)
                num_rows = 1
            else:
                ragged = feature if isinstance(feature, RaggedFeature) else _as_ragged(feature)
                self.register_buffer(f"offsets_{position}", ragged.offsets, persistent=False)
                self.register_buffer(f"codes_{position}", ragged.codes - 1, persistent=False)
                num_rows = max(len(ragged.vocabulary), 1)
            table = nn.Parameter(torch.empty(num_rows, embedding_dim))
            nn.init.normal_(table, std=init_std)
            self.tables.append(table)

    @torch.no_grad()
    def of_other_rows(self) -> EmbeddedColumns:
        """A module that computes the vectors of new rows, whose columns are encoded by :attr:`described`."""
        return EmbeddedColumns(list(self.tables), self.scales)

    def of_users(self) -> EmbeddedUsers:
        """The same for users, whose columns are passed by name."""
        return EmbeddedUsers(self.columns, self.of_other_rows())

    def forward(self) -> Tensor:
        """The vectors of all rows, shape [N, D]."""
        total = self.tables[0].new_zeros(self.num_rows, self.tables[0].shape[1])
        for position, table in enumerate(self.tables):
            values = getattr(self, f"values_{position}", None)
            if values is not None:
                total = total + values[:, None] * table
            else:
                codes, offsets = self.get_buffer(f"codes_{position}"), self.get_buffer(f"offsets_{position}")
                total = total + functional.embedding_bag(codes, table, offsets, mode="mean", include_last_offset=True)
        return total


def _as_ragged(feature: CategoricalFeature) -> RaggedFeature:
    """One value a row, or none where it is missing."""
    known = feature.codes > 0
    offsets = torch.cat([feature.codes.new_zeros(1), known.long().cumsum(0)])
    return RaggedFeature(offsets, feature.codes[known], feature.vocabulary)
