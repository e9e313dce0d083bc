"""Reader of Parquet files."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.readers.required_columns import require_columns
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError


def parquet_columns(file: RawFile) -> list[str]:
    """The names of the columns.

    Raises:
        DataError: the file is no Parquet file.
        SourceError: the file cannot be read.
    """
    with file.open() as stream:
        try:
            return list(pq.read_schema(stream).names)
        except pa.ArrowInvalid as error:
            raise DataError(f"{file} is no Parquet file, or an incomplete one: {error}") from error


def read_parquet(file: RawFile, columns: Sequence[str] | None = None, as_dictionary: Sequence[str] = ()) -> pa.Table:
    """Columns of a Parquet file, in their stored types.

    Args:
        file: the file.
        columns: the columns to read in their order; all unless given.
        as_dictionary: columns of strings to hold as dictionaries, which takes far less memory.

    Raises:
        DataError: the file is no Parquet file, has no rows, or lacks a column.
        SourceError: the file cannot be read.
    """
    found = parquet_columns(file)
    wanted = found if columns is None else list(columns)
    require_columns(found, wanted, str(file))
    with file.open() as stream:
        try:
            table = pq.ParquetFile(stream, read_dictionary=list(as_dictionary)).read(columns=wanted)
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{file} is a damaged Parquet file: {error}") from error
    if table.num_rows == 0:
        raise DataError(f"{file} has no rows; at least one is needed. Check that it is the right file.")
    return table.select(wanted)
