"""Encoders that turn table columns into feature tensors, one for each kind of feature.

An encoder is fitted once, on the catalogue. It keeps its vocabulary or its mean, so that new rows (new items) are
encoded in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import torch
from torch import Tensor

from recsys.data.column_values import (
    as_numbers,
    as_text,
    codes_of,
    distinct,
    is_date,
    plain_type,
    split_values,
    split_words,
)
from recsys.data.feature_tensors import CategoricalFeature, NumberFeature, RaggedFeature
from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.errors import DataError


@dataclass(frozen=True, slots=True)
class TextLimits:
    """Which words enter the vocabulary of a text column.

    Args:
        min_document_frequency: number of rows that a word must occur in.
        max_words: largest size of the vocabulary: the words that occur in most rows stay, ties in Unicode order.
    """

    min_document_frequency: int = 2
    max_words: int = 20_000


@dataclass(frozen=True, slots=True)
class CategoricalEncoder:
    """Codes of single values."""

    vocabulary: tuple[str, ...]

    @classmethod
    def fit(cls, column: FeatureColumn, values: pa.ChunkedArray, limits: TextLimits) -> CategoricalEncoder:
        """Learn the distinct values."""
        return cls(distinct(as_text(values)))

    def encode(self, column: FeatureColumn, values: pa.ChunkedArray) -> CategoricalFeature:
        """One code a row."""
        return self.restore(codes=torch.from_numpy(codes_of(as_text(values), self.vocabulary)))

    def restore(self, **tensors: Tensor) -> CategoricalFeature:
        """The feature with the tensor ``codes``."""
        return CategoricalFeature(vocabulary=self.vocabulary, **tensors)


@dataclass(frozen=True, slots=True)
class MultiValuedEncoder:
    """Codes of lists of values, or of the parts of separated strings."""

    vocabulary: tuple[str, ...]

    @classmethod
    def fit(cls, column: FeatureColumn, values: pa.ChunkedArray, limits: TextLimits) -> MultiValuedEncoder:
        """Learn the distinct values of all rows."""
        return cls(distinct(split_values(column.separator, values)[1]))

    def encode(self, column: FeatureColumn, values: pa.ChunkedArray) -> RaggedFeature:
        """Codes of the known values of each row, in their order."""
        return self.restore(**_ragged(*split_values(column.separator, values), len(values), self.vocabulary))

    def restore(self, **tensors: Tensor) -> RaggedFeature:
        """The feature with the tensors ``offsets`` and ``codes``."""
        return RaggedFeature(vocabulary=self.vocabulary, **tensors)


@dataclass(frozen=True, slots=True)
class TextEncoder:
    """Codes of the words of a text: normalised by Unicode's NFKC, in lower case, without punctuation.

    Writing without spaces (Chinese, Japanese, Thai) is not cut into words.
    """

    vocabulary: tuple[str, ...]

    @classmethod
    def fit(cls, column: FeatureColumn, values: pa.ChunkedArray, limits: TextLimits) -> TextEncoder:
        """Learn the words that are frequent enough."""
        rows, words = split_words(values)
        every = distinct(words)
        # A word counts once a row, however often the row repeats it.
        pairs = np.unique(rows * (len(every) + 1) + codes_of(words, every))
        frequency = np.bincount(pairs % (len(every) + 1), minlength=len(every) + 1)[1:]
        # The sort is stable and `every` is in Unicode order, so that ties stay in that order.
        chosen = np.argsort(-frequency, kind="stable")[: limits.max_words]
        chosen = np.sort(chosen[frequency[chosen] >= limits.min_document_frequency])
        return cls(tuple(every[position] for position in chosen))

    def encode(self, column: FeatureColumn, values: pa.ChunkedArray) -> RaggedFeature:
        """Codes of the known words of each row, in their order, repetitions included."""
        return self.restore(**_ragged(*split_words(values), len(values), self.vocabulary))

    def restore(self, **tensors: Tensor) -> RaggedFeature:
        """The feature with the tensors ``offsets`` and ``codes``."""
        return RaggedFeature(vocabulary=self.vocabulary, **tensors)


@dataclass(frozen=True, slots=True)
class NumberEncoder:
    """Standardised numbers."""

    mean: float
    standard_deviation: float

    @classmethod
    def fit(cls, column: FeatureColumn, values: pa.ChunkedArray, limits: TextLimits) -> NumberEncoder:
        """Learn mean and standard deviation of the finite values; a constant column is only centred."""
        numbers = as_numbers(values)
        finite = numbers[np.isfinite(numbers)]
        if len(finite) == 0:
            return cls(0.0, 1.0)
        return cls(float(finite.mean()), float(finite.std()) or 1.0)

    def encode(self, column: FeatureColumn, values: pa.ChunkedArray) -> NumberFeature:
        """One number a row, and a mask of the missing ones; NaN and infinite values count as missing."""
        numbers = as_numbers(values)
        missing = ~np.isfinite(numbers)
        scaled = (np.where(missing, self.mean, numbers) - self.mean) / self.standard_deviation
        return NumberFeature(torch.from_numpy(scaled.astype(np.float32)), torch.from_numpy(missing))

    def restore(self, **tensors: Tensor) -> NumberFeature:
        """The feature with the tensors ``values`` and ``missing``."""
        return NumberFeature(**tensors)


#: Turns one column into one feature. The fields of an encoder are plain values: they are what is saved.
ColumnEncoder = CategoricalEncoder | MultiValuedEncoder | NumberEncoder | TextEncoder

_ENCODERS: dict[FeatureKind, type[ColumnEncoder]] = {
    FeatureKind.CATEGORICAL: CategoricalEncoder,
    FeatureKind.MULTI_VALUED: MultiValuedEncoder,
    FeatureKind.NUMBER: NumberEncoder,
    FeatureKind.TEXT: TextEncoder,
}


def fit_encoder(column: FeatureColumn, values: pa.ChunkedArray, limits: TextLimits) -> ColumnEncoder:
    """The encoder of ``column`` fitted on ``values``."""
    return _ENCODERS[column.kind].fit(column, values, limits)


def restore_encoder(kind: FeatureKind, fields: Mapping[str, Any]) -> ColumnEncoder:
    """The encoder of ``kind`` with these fields, as they are read from JSON."""
    plain: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    return _ENCODERS[kind](**plain)


def check_feature_types(table: pa.Table, columns: tuple[FeatureColumn, ...]) -> None:
    """Check that each declared column has a type that fits its kind.

    Raises:
        DataError: a column is missing or of another type.
    """
    for column in columns:
        if column.name not in table.column_names:
            raise DataError(
                f"The feature {column.name} needs a column of that name; the columns are "
                f"{', '.join(table.column_names)}. Add the column or do not declare it."
            )
        type_ = table.schema.field(column.name).type
        required, fits = _REQUIRED_TYPE[column.kind, column.separator is not None]
        if not (fits(plain_type(type_)) or pa.types.is_null(type_)):
            raise DataError(
                f"The feature {column.name} is declared {column.kind}, which needs {required}, but the column is of "
                f"type {type_}. Declare another kind (and a separator where strings hold several values), or convert "
                "the column."
            )


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _is_number(type_: pa.DataType) -> bool:
    return any(is_kind(type_) for is_kind in (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal))


def _is_single(type_: pa.DataType) -> bool:
    return _is_text(type_) or _is_number(type_) or pa.types.is_boolean(type_) or pa.types.is_date(type_)


def _is_list(type_: pa.DataType) -> bool:
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(is_kind(type_) for is_kind in lists) and _is_single(plain_type(type_.value_type))


#: By kind and whether a separator is declared: the types that fit, in words and as a test.
_REQUIRED_TYPE: dict[tuple[FeatureKind, bool], tuple[str, Callable[[pa.DataType], bool]]] = {
    (FeatureKind.MULTI_VALUED, True): ("strings to separate", _is_text),
    (FeatureKind.MULTI_VALUED, False): ("lists of strings or numbers", _is_list),
    **{
        (kind, separated): rule
        for separated in (False, True)
        for kind, rule in {
            FeatureKind.CATEGORICAL: ("strings, numbers or booleans", _is_single),
            FeatureKind.NUMBER: (
                "numbers or dates",
                lambda type_: _is_number(type_) or pa.types.is_boolean(type_) or is_date(type_),
            ),
            FeatureKind.TEXT: ("strings", _is_text),
        }.items()
    },
}


def _ragged(
    rows: npt.NDArray[np.int64], text: pa.Array, num_rows: int, vocabulary: tuple[str, ...]
) -> dict[str, Tensor]:
    """The tensors of a ragged feature."""
    codes = codes_of(text, vocabulary)
    known = codes > 0
    counts = np.bincount(rows[known], minlength=num_rows)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    return {"offsets": torch.from_numpy(offsets), "codes": torch.from_numpy(codes[known])}
