"""Columns of a table as a model reads them online: codes or numbers, with the vocabulary of the codes. No torch.

Shape suffixes: N rows, W the largest number of values of a row, M values of all rows together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.data.column_values import as_numbers, as_text, codes_of, split_values, split_words
from recsys.data.raw import FeatureKind
from recsys.errors import DataError

EncodedValues = dict[str, npt.NDArray[Any]]


@dataclass(frozen=True, slots=True)
class EncodedColumn:
    """How one column is encoded.

    Args:
        name: name of the column.
        kind: kind of the feature.
        separator: separator of the values of a multi-valued column of strings; None where the column holds lists.
        vocabulary: the known values in the order of their codes, from 0; None for numbers.
        is_date: whether the numbers are dates, as days since 1970, so that a single value may be told as a date.
    """

    name: str
    kind: FeatureKind
    separator: str | None
    vocabulary: tuple[str, ...] | None
    is_date: bool = False

    def missing(self, num_rows: int) -> npt.NDArray[Any]:
        """Encoding of rows with a missing value: shape [N, 1], all -1; for numbers shape [N], all NaN."""
        if self.vocabulary is None:
            return np.full(num_rows, np.nan, dtype=np.float32)
        return np.full((num_rows, 1), -1, dtype=np.int64)

    def encode(self, values: pa.ChunkedArray) -> npt.NDArray[Any]:
        """Codes, shape [N, W], int64, padded with -1; for numbers the values, shape [N], float32, NaN where missing.

        A value that is not in the vocabulary is left out.

        Raises:
            DataError: the values are of another type than they should be.
        """
        if self.vocabulary is None:
            with self._of_the_right_type(values):
                return as_numbers(values).astype(np.float32)
        offsets, codes = self.encode_ragged(values)
        counts = np.diff(offsets)
        width = 1 if self.kind == FeatureKind.CATEGORICAL else max(1, int(counts.max(initial=0)))
        padded = np.full((len(values), width), -1, dtype=np.int64)
        padded[np.arange(width) < counts[:, None]] = codes
        return padded

    def encode_ragged(self, values: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Offsets of the rows, shape [N + 1], and the codes of all rows, shape [M]; not for numbers.

        Raises:
            DataError: the values are of another type than they should be.
        """
        assert self.vocabulary is not None, "numbers have no codes"
        with self._of_the_right_type(values):
            rows, text = self._values_of(values)
            codes = codes_of(text, self.vocabulary) - 1
        rows, codes = rows[codes >= 0], codes[codes >= 0]
        counts = np.bincount(rows, minlength=len(values))
        return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), codes

    @contextmanager
    def _of_the_right_type(self, values: pa.ChunkedArray) -> Iterator[None]:
        try:
            yield
        except pa.ArrowException as error:
            raise DataError(
                f"The column {self.name} must be as in training, {self.kind.value}, but it is of type {values.type} "
                f"({error}). Convert it."
            ) from error

    def _values_of(self, values: pa.ChunkedArray) -> tuple[npt.NDArray[np.int64], pa.Array]:
        """The row of each single value, shape [M], and the values, M strings or nulls."""
        if self.kind == FeatureKind.CATEGORICAL:
            return np.arange(len(values)), as_text(values)
        return split_words(values) if self.kind == FeatureKind.TEXT else split_values(self.separator, values)


def encode_table(columns: Sequence[EncodedColumn], table: pa.Table) -> EncodedValues:
    """The encoded columns of N rows by name; a column that the table lacks is encoded as missing.

    Raises:
        DataError: a column is of another type than it should be.
    """
    return {
        column.name: column.encode(table.column(column.name))
        if column.name in table.column_names
        else column.missing(len(table))
        for column in columns
    }


def write_columns(columns: Sequence[EncodedColumn], path: Path) -> None:
    """Write the names, kinds, separators and vocabularies of ``columns`` as JSON."""
    content = [
        {"name": of.name, "kind": of.kind.value, "separator": of.separator, "vocabulary": of.vocabulary}
        | ({"is_date": True} if of.is_date else {})
        for of in columns
    ]
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_columns(path: Path) -> list[EncodedColumn]:
    """Read what :func:`write_columns` wrote."""
    content: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return [
        EncodedColumn(
            of["name"],
            FeatureKind(of["kind"]),
            of["separator"],
            None if of["vocabulary"] is None else tuple(of["vocabulary"]),
            of.get("is_date", False),
        )
        for of in content
    ]
