"""The first pass over the interactions: rows are checked, counted and divided into partitions.

Parts of the raw data may be scanned at the same time: each writes files of its own to the partitions, and what the
scans have found is put together in the order of the parts.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from recsys.cli.progress import progress
from recsys.data.column_values import plain_type
from recsys.data.columns import FOLD, ITEM_ID, RATING, SUBSECOND_NS, TIMESTAMP, USER_ID, WEIGHT
from recsys.data.inspection.id_reading import IdReading
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
from recsys.data.preparation.streaming.encoded_ids import EncodedIds
from recsys.data.preparation.streaming.executor import Executor, InProcess
from recsys.data.preparation.streaming.partition_files import ROW, RowWriter, partition_of
from recsys.data.raw_stream import Batches, RawStream


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
        users, items = EncodedIds.of(batch[USER_ID]), EncodedIds.of(batch[ITEM_ID])
        values = checked_values(batch, self._largest_time)
        first_row = self.report.num_rows
        invalid = self.report.add(
            batch,
            [*missing_ids(USER_ID, users.missing), *missing_ids(ITEM_ID, items.missing), *values.defects],
        )
        self.columns.add(batch, {USER_ID: users.distinct, ITEM_ID: items.distinct})
        self.has_subseconds |= values.subsecond_ns is not None
        rows = self._rows(users.plain, items.plain, values, first_row)
        of_id = np.zeros(max(len(users.dictionary), 1), dtype=np.int64)
        of_id[users.used] = partition_of(users.distinct, num_partitions)
        partition = of_id[users.codes]
        if invalid is not None:
            valid = np.flatnonzero(~invalid)
            rows, partition = rows.take(valid), partition[valid]
        if values.rating is not None and len(rows):
            ratings = rows[RATING].to_numpy()
            self._extend_range((float(ratings.min()), float(ratings.max())))
        writer.write(rows, partition)

    def extend(self, later: RowScan) -> None:
        """Take in the scan of the rows that come after."""
        self.report.extend(later.report)
        self.columns.extend(later.columns)
        self.has_subseconds |= later.has_subseconds
        self._extend_range(later.rating_range)

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

    def _extend_range(self, other: tuple[float, float] | None) -> None:
        ends = [*(self.rating_range or ()), *(other or ())]
        self.rating_range = (min(ends), max(ends)) if ends else None


@dataclass(frozen=True, slots=True)
class DividedRows:
    """The valid rows in the files of partitions, and what is known of all rows.

    Args:
        scan: of all of them.
        first_rows: by part of the raw data, the number of its first row; see
            :func:`recsys.data.preparation.streaming.partition_files.read_rows`.
    """

    scan: RowScan
    first_rows: tuple[int, ...]


def scan_rows(
    stream: RawStream, directory: Path, num_partitions: int, ids: IdReading, executor: Executor
) -> DividedRows:
    """Read all rows once, and write the valid ones to their partitions.

    Args:
        stream: the raw data.
        directory: for what does not fit into memory.
        num_partitions: how many there are.
        ids: how their text is read.
        executor: reads parts of the data.

    Raises:
        DataError: a column is missing or of another type.
    """
    check_columns(stream.rest.interactions)
    schema = _plain_ids(stream.rest.interactions, ids).schema
    reading = InProcess() if stream.is_local else executor
    parts = stream.divided(reading.num_sources)
    largest = None
    if _has_fractional_times(stream.rest.interactions):
        # The largest credible time, where times are no whole numbers; it takes a pass of its own.
        largest = max(reading.map(_largest_time, [(part,) for part in parts]))
    scan = RowScan(schema, directory, largest)
    shared = (schema, directory, num_partitions, ids, largest)
    found = reading.map(_scan_part, [(number, part) for number, part in enumerate(parts)], shared)
    first_rows = []
    for part in progress.track(found, "reading rows", len(parts)) if len(parts) > 1 else found:
        first_rows.append(scan.report.num_rows)
        scan.extend(part)
    return DividedRows(scan, tuple(first_rows))


def _scan_part(
    schema: pa.Schema,
    directory: Path,
    num_partitions: int,
    ids: IdReading,
    largest_time: float | None,
    number: int,
    batches: Batches,
) -> RowScan:
    scan = RowScan(schema, directory, largest_time)
    with RowWriter(directory, num_partitions, number) as writer, progress.bar("reading rows", None) as bar:
        for batch in batches():
            if len(batch):
                scan.add(_plain_ids(batch, ids), writer, num_partitions)
                bar.advance(len(batch))
    return scan


def _plain_ids(batch: pa.Table, ids: IdReading) -> pa.Table:
    """The batch with ids as strings, or as dictionaries of strings."""
    for name in (USER_ID, ITEM_ID):
        if name in batch.column_names:
            place, column = batch.column_names.index(name), batch[name]
            is_text = pa.types.is_dictionary(column.type) or pa.types.is_large_string(column.type)
            if is_text and plain_type(column.type) != pa.string():
                batch = batch.set_column(place, name, column.cast(pa.string()))
    return ids.columns_of(batch)


def _has_fractional_times(rows: pa.Table) -> bool:
    return TIMESTAMP in rows.column_names and largest_fractional_time(rows[TIMESTAMP]) is not None


def _largest_time(batches: Batches) -> float:
    return max((_largest_of(batch[TIMESTAMP]) for batch in batches()), default=0.0)


def _largest_of(column: pa.ChunkedArray) -> float:
    return largest_fractional_time(column) or 0.0
