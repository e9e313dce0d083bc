"""Vectors of items that came after training, from what is said about them.

Shape suffixes: C items, W values of an item at most, D dimensions.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.data.column_values import as_numbers, as_text, codes_of, split_values, split_words
from recsys.data.raw import FeatureKind
from recsys.errors import RecsysError
from recsys.retrieval.arrays import FloatArray
from recsys.runtime.feeds import Feeds
from recsys.runtime.onnx_model import OnnxModel


@dataclass(frozen=True, slots=True)
class FeatureOfItems:
    """A column that new items are encoded by.

    Args:
        name: of the column, and of the model's input.
        kind: of the feature.
        separator: what divides the values of a string; None: they are lists.
        vocabulary: the values that are known, at their codes; None for numbers.
    """

    name: str
    kind: FeatureKind
    separator: str | None
    vocabulary: tuple[str, ...] | None


class ItemEncoder:
    """Encodes new items.

    Args:
        model: takes one input for each column: codes, shape [C, W], int64, -1 for none, or numbers, shape [C], float32,
            NaN for none; gives vectors, shape [C, D].
        columns: the columns.
    """

    def __init__(self, model: OnnxModel, columns: Sequence[FeatureOfItems]) -> None:
        self._model = model
        self.columns = tuple(columns)

    def encode(self, items: pa.Table) -> FloatArray:
        """The vectors of C items, shape [C, D]; NaN for an item of which nothing that is known is said.

        Args:
            items: a row for each; a column that is missing says nothing.

        Raises:
            RecsysError: a column is of another type than it should be.
        """
        vectors: FloatArray = self._model.run(item_feeds(self.columns, items))
        return vectors


def item_feeds(columns: Sequence[FeatureOfItems], items: pa.Table) -> Feeds:
    """The inputs of the model; arguments and errors as for :meth:`ItemEncoder.encode`."""
    feeds: Feeds = {}
    for column in columns:
        try:
            feeds[column.name] = _read(column, items)
        except pa.ArrowException as error:
            raise RecsysError(
                f"The column {column.name} of new items must be as in training, {column.kind.value}, but it is of "
                f"type {items.schema.field(column.name).type} ({error}). Convert it."
            ) from error
    return feeds


def write_columns(columns: Sequence[FeatureOfItems], path: Path) -> None:
    """Write the columns as JSON."""
    content = [
        {"name": of.name, "kind": of.kind.value, "separator": of.separator, "vocabulary": of.vocabulary}
        for of in columns
    ]
    path.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def read_columns(path: Path) -> list[FeatureOfItems]:
    """Read what :func:`write_columns` wrote."""
    content: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return [
        FeatureOfItems(
            of["name"],
            FeatureKind(of["kind"]),
            of["separator"],
            None if of["vocabulary"] is None else tuple(of["vocabulary"]),
        )
        for of in content
    ]


def _read(column: FeatureOfItems, items: pa.Table) -> npt.NDArray[Any]:
    """A column as the model takes it."""
    if column.name not in items.column_names:
        if column.vocabulary is None:
            return np.full(len(items), np.nan, dtype=np.float32)
        return np.full((len(items), 1), -1, dtype=np.int64)
    values = items.column(column.name)
    if column.vocabulary is None:
        return as_numbers(values).astype(np.float32)
    if column.kind == FeatureKind.CATEGORICAL:
        return codes_of(as_text(values), column.vocabulary)[:, None] - 1
    is_text = column.kind == FeatureKind.TEXT
    rows, text = split_words(values) if is_text else split_values(column.separator, values)
    codes = codes_of(text, column.vocabulary) - 1
    rows, codes = rows[codes >= 0], codes[codes >= 0]
    counts = np.bincount(rows, minlength=len(items))
    padded = np.full((len(items), max(1, int(counts.max(initial=0)))), -1, dtype=np.int64)
    padded[np.arange(padded.shape[1]) < counts[:, None]] = codes
    return padded
