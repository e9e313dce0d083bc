"""The first pass over the interactions: rows are checked, counted and divided into partitions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from recsys.cli.progress import progress
from recsys.data.columns import FOLD, ITEM_ID, RATING, SUBSECOND_NS, TIMESTAMP, USER_ID, WEIGHT
from recsys.data.inspection.id_spaces import strip_id_columns
from recsys.data.preparation.invalid_rows import InvalidRowReport
from recsys.data.preparation.raw_interactions import (
    CheckedValues,
    check_columns,
    check_id_type,
    checked_values,
    largest_fractional_time,
    missing_ids,
)
from recsys.data.preparation.streaming.column_scan import TableScan
from recsys.data.preparation.streaming.partition_files import ROW, RowWriter, partition_of
from recsys.data.raw_stream import RawStream


class RowScan:
    """What is known of the raw rows once all of them were looked at.

    Args:
        schema: of the batches.
        directory: for what does not fit into memory.
        largest_time: see :func:`recsys.data.preparation.raw_interactions.checked_values`.
    """

    def __init__(self, schema: pa.Schema, directory: Path, largest_time: float | None) -> None:
        empty = schema.empty_table()
        for name in (USER_ID, ITEM_ID):
            check_id_type(empty[name], name)
        self.columns = TableScan(schema, directory)
        self.report = InvalidRowReport()
        self.has_subseconds = False
        self.rating_range: tuple[float, float] | None = None
        self._largest_time = largest_time
        self._may_have_subseconds = SUBSECOND_NS in schema.names or largest_time is not None

    def add(self, batch: pa.Table, writer: RowWriter, num_partitions: int) -> None:
        """Check the next N rows, and write those that are valid.

        Raises:
            DataError: a value is of another type.
        """
        users, items = batch[USER_ID].combine_chunks(), batch[ITEM_ID].combine_chunks()
        values = checked_values(batch, self._largest_time)
        first_row = self.report.num_rows
        invalid = self.report.add(
            batch,
            [*missing_ids(USER_ID, _is_missing(users)), *missing_ids(ITEM_ID, _is_missing(items)), *values.defects],
        )
        self.columns.add(batch)
        self.has_subseconds |= values.subsecond_ns is not None
        rows = self._rows(users, items, values, first_row)
        encoded = users.fill_null("").dictionary_encode()
        partition = partition_of(encoded.dictionary, num_partitions)[encoded.indices.to_numpy()]
        if invalid is not None:
            valid = np.flatnonzero(~invalid)
            rows, partition = rows.take(valid), partition[valid]
        if values.rating is not None and len(rows):
            self._add_ratings(rows[RATING].to_numpy())
        writer.write(rows, partition)

    def _rows(self, users: pa.Array, items: pa.Array, values: CheckedValues, first_row: int) -> pa.Table:
        columns = {USER_ID: users, ITEM_ID: items, ROW: np.arange(first_row, first_row + len(users))}
        subsecond_ns = values.subsecond_ns
        if subsecond_ns is None and self._may_have_subseconds and values.timestamp is not None:
            subsecond_ns = np.zeros(len(users), dtype=np.int32)
        arrays = {
            RATING: values.rating,
            TIMESTAMP: values.timestamp,
            SUBSECOND_NS: subsecond_ns,
            WEIGHT: values.weight,
            FOLD: values.fold,
        }
        return pa.table(columns | {name: array for name, array in arrays.items() if array is not None})

    def _add_ratings(self, ratings: npt.NDArray[np.float32]) -> None:
        ends = [*(self.rating_range or ()), float(ratings.min()), float(ratings.max())]
        self.rating_range = (min(ends), max(ends))


def scan_rows(stream: RawStream, directory: Path, num_partitions: int, writer: RowWriter, strip_ids: bool) -> RowScan:
    """Read all rows once, and write the valid ones to their partitions.

    Args:
        stream: the raw data.
        directory: for what does not fit into memory.
        num_partitions: how many there are.
        writer: of the partitions.
        strip_ids: whether white space around ids is left out.

    Raises:
        DataError: a column is missing or of another type.
    """
    check_columns(stream.rest.interactions)
    schema = _plain_ids(stream.rest.interactions, strip_ids).schema
    scan = RowScan(schema, directory, _largest_time(stream))
    with progress.bar("reading rows", None) as bar:
        for batch in stream.batches():
            if len(batch):
                scan.add(_plain_ids(batch, strip_ids), writer, num_partitions)
                bar.advance(len(batch))
    return scan


def _plain_ids(batch: pa.Table, strip: bool) -> pa.Table:
    """The batch with ids as plain strings: a dictionary may be that of all batches."""
    for name in (USER_ID, ITEM_ID):
        if name in batch.column_names:
            place, column = batch.column_names.index(name), batch[name]
            if pa.types.is_dictionary(column.type) or pa.types.is_large_string(column.type):
                batch = batch.set_column(place, name, column.cast(pa.string()))
    return strip_id_columns(batch) if strip else batch


def _largest_time(stream: RawStream) -> float | None:
    """The largest credible time, where times are no whole numbers; it takes a pass of its own."""
    rest = stream.rest.interactions
    if TIMESTAMP not in rest.column_names or largest_fractional_time(rest[TIMESTAMP]) is None:
        return None
    return max(map(_largest_of, _columns(stream, TIMESTAMP)), default=0.0)


def _columns(stream: RawStream, name: str) -> Iterator[pa.ChunkedArray]:
    for batch in stream.batches():
        yield batch[name]


def _largest_of(column: pa.ChunkedArray) -> float:
    return largest_fractional_time(column) or 0.0


def _is_missing(ids: pa.Array) -> npt.NDArray[np.bool_]:
    return pc.fill_null(pc.equal(ids, ""), True).to_numpy(zero_copy_only=False)
