"""Reader of Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO

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
    return list(parquet_schema(file.shards()[0]).names)


def parquet_schema(file: RawFile) -> pa.Schema:
    """The names and types of the columns of a file, or of all files of a table together.

    Raises:
        DataError: a file is no Parquet file, or the types of a column do not go together.
        SourceError: a file cannot be read.
    """
    schemas = []
    for shard in file.shards():
        with shard.open() as stream:
            try:
                schemas.append(pq.read_schema(stream).remove_metadata())
            except pa.ArrowInvalid as error:
                raise DataError(f"{shard} is no Parquet file, or an incomplete one: {error}") from error
    return _unified(schemas, file) if len(schemas) > 1 else schemas[0]


def read_parquet(file: RawFile, columns: Sequence[str] | None = None, as_dictionary: Sequence[str] = ()) -> pa.Table:
    """Columns of a Parquet file, in their stored types.

    Args:
        file: the file, or a table in several.
        columns: the columns to read in their order; all unless given.
        as_dictionary: columns of strings to hold as dictionaries, which takes far less memory.

    Raises:
        DataError: the file is no Parquet file, has no rows, or lacks a column.
        SourceError: the file cannot be read.
    """
    wanted = parquet_columns(file) if columns is None else list(columns)
    parts = [_read_shard(shard, wanted, as_dictionary) for shard in file.shards()]
    table = parts[0]
    if len(parts) > 1:
        schema = _unified([part.schema for part in parts], file)
        table = pa.concat_tables([part.cast(schema) for part in parts]).unify_dictionaries()
    if table.num_rows == 0:
        raise DataError(f"{file} has no rows; at least one is needed. Check that it is the right file.")
    return table


def parquet_batches(file: RawFile, schema: pa.Schema, batch_rows: int) -> Iterator[pa.Table]:
    """Columns of a Parquet file in batches.

    Args:
        file: the file, or a table in several.
        schema: names and types of the columns to read: some of those of :func:`parquet_schema`, which are the same for
            all files of a table.
        batch_rows: rows of a batch at most.

    Raises:
        DataError: a file is damaged or lacks a column.
        SourceError: a file cannot be read.
    """
    columns = schema.names
    for shard in file.shards():
        require_columns(parquet_columns(shard), columns, str(shard))
        with shard.open() as stream:
            try:
                for batch in pq.ParquetFile(_source(shard, stream)).iter_batches(
                    batch_size=batch_rows, columns=columns
                ):
                    part = pa.Table.from_batches([batch]).select(columns)
                    part.validate(full=True)  # Arrow reads text that is not UTF-8 without an error
                    yield part.cast(schema)
            except (pa.ArrowInvalid, OSError) as error:
                raise DataError(f"{shard} is a damaged Parquet file: {error}") from error


def _read_shard(file: RawFile, wanted: Sequence[str], as_dictionary: Sequence[str]) -> pa.Table:
    schema = parquet_schema(file)
    require_columns(list(schema.names), wanted, str(file))
    with file.open() as stream:
        try:
            # All columns of a file at once from an object store, where each request takes its time.
            is_native = isinstance(stream, pa.NativeFile)
            # A list or a struct is no column of the file itself, and cannot be asked for in another form.
            flat = [name for name in as_dictionary if not pa.types.is_nested(schema.field(name).type)]
            parquet = pq.ParquetFile(_source(file, stream), read_dictionary=flat, pre_buffer=is_native)
            table = parquet.read(columns=wanted).select(wanted)
            table.validate(full=True)  # Arrow takes a damaged page for indices beyond its dictionary
            return table
        except (pa.ArrowInvalid, OSError) as error:
            raise DataError(f"{file} is a damaged Parquet file: {error}") from error


def _source(file: RawFile, stream: BinaryIO) -> Any:
    """What Arrow reads a file from, in memory of its own where it can; see :func:`.arrow_stream` for the reason."""
    return pa.OSFile(str(file.path)) if file.member is None and not isinstance(stream, pa.NativeFile) else stream


def _unified(schemas: Sequence[pa.Schema], file: RawFile) -> pa.Schema:
    try:
        return pa.unify_schemas(list(schemas), promote_options="permissive")
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        raise DataError(
            f"{file}: a column must have one type in all files of a table, but {error}. Write them with one."
        ) from error
