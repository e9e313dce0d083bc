"""Summaries of the columns of interactions that come in batches."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from recsys.data.column_values import plain_type
from recsys.data.columns import SUBSECOND_NS, TIMESTAMP
from recsys.data.inspection.column_summary import (
    ColumnSummary,
    example_text,
    kind_of_interaction_column,
    moments_of,
    present_values,
    with_fraction,
)
from recsys.data.preparation.streaming.distinct_values import DistinctNumbers, DistinctTexts

_NONE: Mapping[str, pa.StringArray] = MappingProxyType({})


class ColumnScan:
    """Adds up the summary of one column, as :func:`~recsys.data.inspection.column_summary.summarize_columns` has it.

    Args:
        name: of the column.
        type_: of its values.
        directory: for what does not fit into memory.
    """

    def __init__(self, name: str, type_: pa.DataType, directory: Path) -> None:
        self._name, self._kind = name, kind_of_interaction_column(name)
        self._num_rows = self._num_present = 0
        self._example: str | None = None
        element = plain_type(type_)
        while pa.types.is_list(element) or pa.types.is_large_list(element) or pa.types.is_fixed_size_list(element):
            element = plain_type(element.value_type)
        is_number = pa.types.is_integer(element) or pa.types.is_floating(element)
        self._numbers = DistinctNumbers(directory, name) if is_number else None
        self.texts = None if is_number or pa.types.is_nested(element) else DistinctTexts(element)

    def add(self, column: pa.ChunkedArray, distinct: pa.StringArray | None = None) -> None:
        """Take in the values of the next batch.

        Args:
            column: all of them.
            distinct: of a column of text each value once, in the order of their first occurrence; None to find them.
        """
        present = present_values(column)
        self._num_rows += len(column)
        self._num_present += len(present)
        if self._example is None and len(present):
            self._example = example_text(self._kind, present[0].as_py())
        if distinct is not None and self.texts is not None:
            self.texts.add(present_values(pa.chunked_array([distinct])))
            return
        values = present.cast(plain_type(present.type))
        while pa.types.is_list(values.type) or pa.types.is_large_list(values.type):
            values = pc.list_flatten(values).drop_null()
        if self._numbers is not None:
            self._numbers.add(values.to_numpy())
        elif self.texts is not None:
            self.texts.add(values)

    def extend(self, later: ColumnScan) -> None:
        """Take in the scan of the rows that come after."""
        self._num_rows += later._num_rows
        self._num_present += later._num_present
        self._example = later._example if self._example is None else self._example
        if self._numbers is not None and later._numbers is not None:
            self._numbers.extend(later._numbers)
        elif self.texts is not None and later.texts is not None:
            self.texts.extend(later.texts)

    def summary(self) -> ColumnSummary:
        """What was found."""
        num_values = None
        if self._numbers is not None:
            num_values = self._numbers.count()
        elif self.texts is not None:
            num_values = len(self.texts.values())
        missing = 1 - self._num_present / self._num_rows if self._num_rows else 0.0
        return ColumnSummary("interactions", self._name, self._kind, num_values, missing, self._example)


class MomentScan(ColumnScan):
    """The summary of timestamps that have parts of a second, in ``subsecond_ns``."""

    def __init__(self, directory: Path) -> None:
        super().__init__(TIMESTAMP, pa.int64(), directory)
        self._moments = DistinctNumbers(directory, "moments")
        self._fraction: int | None = None
        self._has_fractions = False

    def add_rows(self, rows: pa.Table) -> None:
        """Take in the next batch."""
        nanoseconds = rows[SUBSECOND_NS]
        present = nanoseconds.drop_null()
        if self._fraction is None and len(present):
            self._fraction = present[0].as_py()
        self._has_fractions |= bool(pc.any(pc.not_equal(present, 0)).as_py())
        self.add(rows[TIMESTAMP])
        self._moments.add(moments_of(rows[TIMESTAMP], nanoseconds).drop_null().to_numpy())

    def extend_moments(self, later: MomentScan) -> None:
        """Take in the scan of the rows that come after."""
        self.extend(later)
        self._moments.extend(later._moments)
        self._fraction = later._fraction if self._fraction is None else self._fraction
        self._has_fractions |= later._has_fractions

    def summary(self) -> ColumnSummary:
        """What was found."""
        whole = super().summary()
        if whole.example is None or self._fraction is None or not self._has_fractions:
            return whole  # batches may have the column where all moments are whole seconds
        example = with_fraction(whole.example, self._fraction)
        return ColumnSummary(whole.table, whole.name, whole.kind, self._moments.count(), whole.missing, example)


class TableScan:
    """Adds up the summaries of all columns of the interactions.

    Args:
        schema: of the batches.
        directory: for what does not fit into memory.
    """

    def __init__(self, schema: pa.Schema, directory: Path) -> None:
        types = {field.name: field.type for field in schema}
        has_parts = SUBSECOND_NS in types and pa.types.is_integer(types.get(TIMESTAMP, pa.null()))
        self._moments = MomentScan(directory) if has_parts else None
        self._columns = {
            name: ColumnScan(name, type_, directory)
            for name, type_ in types.items()
            if name != SUBSECOND_NS and not (has_parts and name == TIMESTAMP)
        }
        self.names = tuple(types)
        self._order = [name for name in types if name != SUBSECOND_NS]

    def add(self, rows: pa.Table, distinct: Mapping[str, pa.StringArray] = _NONE) -> None:
        """Take in the next batch.

        Args:
            rows: all of it.
            distinct: what :meth:`ColumnScan.add` takes, by column, where it is known.
        """
        for name, column in self._columns.items():
            column.add(rows[name], distinct.get(name))
        if self._moments is not None:
            self._moments.add_rows(rows)

    def extend(self, later: TableScan) -> None:
        """Take in the scan of the rows that come after, which has the same columns."""
        for name, column in self._columns.items():
            column.extend(later._columns[name])
        if self._moments is not None and later._moments is not None:
            self._moments.extend_moments(later._moments)

    def distinct_texts(self, name: str) -> pa.StringArray:
        """The distinct values of a column of text, without empty ones, in the order of their first occurrence."""
        texts = self._columns[name].texts
        assert texts is not None, f"{name} is no column of text"
        return texts.values().cast(pa.string())

    def summaries(self) -> tuple[ColumnSummary, ...]:
        """What was found, by column."""
        return tuple(
            self._moments.summary() if name not in self._columns and self._moments else self._columns[name].summary()
            for name in self._order
        )
