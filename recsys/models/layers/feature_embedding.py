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

#: Most values of all rows, filled up to equal length, that are kept to look up some rows alone (200 MiB).
MAX_PADDED_VALUES = 2**24


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

    codes: Tensor
    weights: Tensor
    offsets: Tensor
    _padded_values: tuple[Tensor, Tensor] | None = None

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
        for name in self.columns:
            feature = features[name]
            num_rows = 1 if isinstance(feature, NumberFeature) else max(len(feature.vocabulary), 1)
            table = nn.Parameter(torch.empty(num_rows, embedding_dim))
            nn.init.normal_(table, std=init_std)
            self.tables.append(table)
        values = _weighted_values([features[name] for name in self.columns], self.num_rows)
        for part, tensor in values.items():
            self.register_buffer(part, tensor, persistent=False)
        widest = int(self.offsets.diff().max()) if self.num_rows > 0 else 0
        self._width = widest if widest * self.num_rows <= MAX_PADDED_VALUES else None

    @torch.no_grad()
    def of_other_rows(self) -> EmbeddedColumns:
        """A module that computes the vectors of new rows, whose columns are encoded by :attr:`described`."""
        return EmbeddedColumns(list(self.tables), self.scales)

    def of_users(self) -> EmbeddedUsers:
        """The same for users, whose columns are passed by name."""
        return EmbeddedUsers(self.columns, self.of_other_rows())

    def forward(self, rows: Tensor | None = None) -> Tensor:
        """The vectors of some rows (int64, any shape), with D dimensions last; None: of all rows, shape [N, D]."""
        table = self.tables[0] if len(self.tables) == 1 else torch.cat(list(self.tables))
        if rows is None:
            codes, weights, offsets = self.codes, self.weights, self.offsets
            return functional.embedding_bag(
                codes, table, offsets, mode="sum", per_sample_weights=weights, include_last_offset=True
            )
        if self._width is None:
            return functional.embedding(rows, self())
        padded_codes, padded_weights = self._padded()
        flat = rows.flatten()
        codes, weights = padded_codes.index_select(0, flat), padded_weights.index_select(0, flat)
        vectors = functional.embedding_bag(codes, table, mode="sum", per_sample_weights=weights)
        return vectors.unflatten(0, rows.shape)

    def _padded(self) -> tuple[Tensor, Tensor]:
        """Codes and weights of the values of each row, filled up with weights of zero; shape [N, most values of a row].

        They are made when they are first needed, where the features are.
        """
        if self._padded_values is None or self._padded_values[0].device != self.codes.device:
            assert self._width is not None
            column = torch.arange(self._width, device=self.codes.device)
            inside = column < self.offsets.diff()[:, None]
            place = torch.where(inside, self.offsets[:-1, None] + column, 0)
            self._padded_values = self.codes[place], torch.where(inside, self.weights[place], 0)
        return self._padded_values


def _weighted_values(
    features: list[CategoricalFeature | NumberFeature | RaggedFeature], num_rows: int
) -> dict[str, Tensor]:
    """All columns as one ragged one: the values of each row, as rows of the tables one after the other, and weights.

    The sum over columns of a number times its vector and of the mean of several vectors is one weighted sum.
    """
    rows, codes, weights, first = [], [], [], 0
    for feature in features:
        if isinstance(feature, NumberFeature):
            rows.append(torch.arange(len(feature.values)))
            codes.append(torch.full((len(feature.values),), first))
            weights.append(torch.where(feature.missing, 0, feature.values))
            first += 1
        else:
            ragged = feature if isinstance(feature, RaggedFeature) else _as_ragged(feature)
            counts = ragged.offsets.diff()
            rows.append(torch.repeat_interleave(torch.arange(len(counts)), counts))
            codes.append(ragged.codes - 1 + first)
            weights.append(1 / counts[rows[-1]].float())
            first += max(len(feature.vocabulary), 1)
    row = torch.cat(rows)
    order = row.argsort(stable=True)
    offsets = torch.cat([row.new_zeros(1), torch.bincount(row, minlength=num_rows).cumsum(0)])
    return {"codes": torch.cat(codes)[order], "weights": torch.cat(weights)[order], "offsets": offsets}


def _as_ragged(feature: CategoricalFeature) -> RaggedFeature:
    """One value a row, or none where it is missing."""
    known = feature.codes > 0
    offsets = torch.cat([feature.codes.new_zeros(1), known.long().cumsum(0)])
    return RaggedFeature(offsets, feature.codes[known], feature.vocabulary)
