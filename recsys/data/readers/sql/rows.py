"""Rows of a query as an Arrow table, some thousand at a time."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from recsys.errors import DataError

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Rows that are Python objects at once.
CHUNK_ROWS = 50_000


def read_query(connection: Connection, query: str, place: str, encoded: Collection[str] = ()) -> pa.Table:
    """The rows of a query.

    Args:
        connection: see :meth:`recsys.data.readers.sql.database.SqlDatabase.snapshot`.
        query: a ``SELECT``, in the language of the database.
        place: what messages call it.
        encoded: columns whose text is held as dictionaries, which takes far less memory.

    Raises:
        DataError: there are no rows, two columns have one name, or a column mixes types.
    """
    rows = connection.exec_driver_sql(query)
    if not rows.returns_rows:
        raise DataError(f"{place} must be a query that returns rows, such as SELECT ... FROM ..., but returns none.")
    names = list(rows.keys())
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"{place} has more than one column named {', '.join(map(repr, repeated))}. Rename all but one.")
    chunks = [_chunk(names, part, place, encoded) for part in rows.partitions(CHUNK_ROWS)]
    if not chunks:
        raise DataError(f"{place} has no rows; at least one is needed. Correct the query.")
    try:
        return pa.concat_tables(chunks, promote_options="permissive")
    except pa.ArrowException as error:
        raise DataError(f"{place}: a column must be of one type, but {error}. Cast it in the query.") from error


def _chunk(names: Sequence[str], rows: Sequence[Sequence[Any]], place: str, encoded: Collection[str]) -> pa.Table:
    columns = {}
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        try:
            column = pa.array(_plain(values))
        except (pa.ArrowException, OverflowError, UnicodeError) as error:
            raise DataError(f"{place}: column {name!r} must be of one type, but {error}. Cast it there.") from error
        columns[name] = column.dictionary_encode() if name in encoded and pa.types.is_string(column.type) else column
    return pa.table(columns)


def _plain(values: Sequence[Any]) -> Iterable[Any]:
    """Values of a driver in types that Arrow has, by the first that is not missing."""
    kind = type(next((value for value in values if value is not None), None))
    if issubclass(kind, decimal.Decimal):
        return [None if value is None else float(value) for value in values]
    if issubclass(kind, uuid.UUID):
        return [None if value is None else str(value) for value in values]
    if issubclass(kind, dict):
        return [None if value is None else json.dumps(value, ensure_ascii=False) for value in values]
    if issubclass(kind, memoryview | bytearray):
        return [None if value is None else bytes(value) for value in values]
    if issubclass(kind, datetime.datetime):
        return [None if value is None else _in_utc(value) for value in values]
    return values


def _in_utc(moment: datetime.datetime) -> datetime.datetime:
    """A moment without a time zone, in UTC: a column may have moments of several zones."""
    return moment if moment.tzinfo is None else moment.astimezone(datetime.UTC).replace(tzinfo=None)
