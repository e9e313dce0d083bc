"""The declared features of a users or items table as tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from recsys.data.feature_encoding import (
    ColumnEncoder,
    TextLimits,
    check_feature_types,
    fit_encoder,
    restore_encoder,
)
from recsys.data.feature_tensors import Feature, NumberFeature
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import DataError, PreparedDataError


@dataclass(frozen=True, slots=True)
class FeatureTable:
    """Features by column name, with the encoders that made them.

    Args:
        features: the tensors of each column, N rows each.
        columns: the declared columns.
        encoders: the fitted encoder of each column.
        num_rows: N.

    Example:
        >>> table = pa.table({"genres": ["Drama|War", None], "year": [1994, 1996]})
        >>> columns = (
        ...     FeatureColumn("genres", FeatureKind.MULTI_VALUED, separator="|"),
        ...     FeatureColumn("year", FeatureKind.NUMBER),
        ... )
        >>> FeatureTable.from_table(table, columns).multi_hot("genres").tolist()
        [[1.0, 1.0], [0.0, 0.0]]
    """

    features: Mapping[str, Feature]
    columns: tuple[FeatureColumn, ...]
    encoders: Mapping[str, ColumnEncoder]
    num_rows: int

    @classmethod
    def from_table(
        cls,
        table: pa.Table,
        columns: tuple[FeatureColumn, ...],
        min_document_frequency: int = 2,
        max_words: int = 20_000,
    ) -> FeatureTable:
        """Fit the encoders on ``table`` and encode it.

        Args:
            table: N rows.
            columns: which columns are features, and of which kind.
            min_document_frequency: number of rows that a word of a text column must occur in to enter its vocabulary.
            max_words: largest size of the vocabulary of a text column.

        Raises:
            DataError: a declared column is missing, or its type does not fit its kind.
        """
        check_feature_types(table, columns)
        limits = TextLimits(min_document_frequency, max_words)
        encoders = {column.name: fit_encoder(column, table.column(column.name), limits) for column in columns}
        return _encode(table, columns, encoders)

    def encode(self, table: pa.Table) -> FeatureTable:
        """Encode further rows with the same vocabularies and means; values not seen before count as unknown.

        Raises:
            DataError: a declared column is missing or of another type.
        """
        check_feature_types(table, self.columns)
        return _encode(table, self.columns, self.encoders)

    def __getitem__(self, name: str) -> Feature:
        if name not in self.features:
            raise DataError(f"There is no feature {name!r}; the features are {', '.join(self.features) or 'none'}.")
        return self.features[name]

    def __len__(self) -> int:
        return self.num_rows

    def to(self, device: torch.device | str) -> FeatureTable:
        """The same features on ``device``."""
        features = {name: feature.to(device) for name, feature in self.features.items()}
        return FeatureTable(features, self.columns, self.encoders, self.num_rows)

    def multi_hot(self, name: str) -> Tensor:
        """The multi-hot encoding of a categorical, multi-valued or text column.

        Returns:
            Shape [N, V], float32: 1 where the row has the value. It is dense, so use it for small vocabularies only.

        Raises:
            DataError: there is no such feature, or it is a number.
        """
        feature = self[name]
        if isinstance(feature, NumberFeature):
            raise DataError(f"The feature {name} is a number and has no vocabulary; use its values instead.")
        return feature.multi_hot()

    def save(self, path: Path) -> None:
        """Write tensors and encoders as one safetensors file, without pickle."""
        tensors: dict[str, Tensor] = {}
        entries = []
        for position, column in enumerate(self.columns):
            entries.append(asdict(column) | {"encoder": _fields_of(self.encoders[column.name])})
            for name, value in _fields_of(self.features[column.name]).items():
                if isinstance(value, Tensor):
                    tensors[f"{position}.{name}"] = value.contiguous()
        content = {"num_rows": self.num_rows, "columns": entries}
        save_file(tensors, path, metadata={"features": json.dumps(content)})

    @classmethod
    def load(cls, path: Path) -> FeatureTable:
        """Read what :meth:`save` wrote.

        Raises:
            PreparedDataError: the file is missing, damaged or holds no features.
        """
        try:
            with safe_open(path, framework="pt") as file:
                content = json.loads((file.metadata() or {})["features"])
                tensors = {name: file.get_tensor(name) for name in file.keys()}
            features: dict[str, Feature] = {}
            encoders: dict[str, ColumnEncoder] = {}
            columns = []
            for position, entry in enumerate(content["columns"]):
                column = FeatureColumn(entry["name"], FeatureKind(entry["kind"]), entry["separator"])
                encoder = restore_encoder(column.kind, entry["encoder"])
                prefix = f"{position}."
                own = {name.removeprefix(prefix): value for name, value in tensors.items() if name.startswith(prefix)}
                features[column.name] = encoder.restore(**own)
                encoders[column.name] = encoder
                columns.append(column)
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise PreparedDataError(f"{path} is no readable file of features ({error}). Make it anew.") from None
        return cls(features, tuple(columns), encoders, content["num_rows"])


def _fields_of(instance: Any) -> dict[str, Any]:
    """The fields of a dataclass, without copying them."""
    return {field.name: getattr(instance, field.name) for field in fields(instance)}


def _encode(table: pa.Table, columns: tuple[FeatureColumn, ...], encoders: Mapping[str, ColumnEncoder]) -> FeatureTable:
    features = {column.name: encoders[column.name].encode(column, table.column(column.name)) for column in columns}
    return FeatureTable(features, columns, encoders, table.num_rows)
