"""Rows of a query as an Arrow table, some thousand at a time."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from recsys.errors import DataError

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Rows that are Python objects at once.
CHUNK_ROWS = 50_000


def read_query(connection: Connection, query: str, place: str) -> pa.Table:
    """The rows of a query; see :func:`query_chunks`."""
    try:
        return pa.concat_tables(query_chunks(connection, query, place), promote_options="permissive")
    except pa.ArrowException as error:
        raise mixed_types(place, error) from error


def query_chunks(connection: Connection, query: str, place: str) -> Iterator[pa.Table]:
    """The rows of a query, some thousand at a time; each chunk has the types that its own values have.

    Args:
        connection: see :meth:`recsys.data.readers.sql.database.SqlDatabase.snapshot`.
        query: a ``SELECT``, in the language of the database.
        place: what messages call it.

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
    is_empty = True
    for part in rows.partitions(CHUNK_ROWS):
        is_empty = False
        yield _chunk(names, part, place)
    if is_empty:
        raise DataError(f"{place} has no rows; at least one is needed. Correct the query.")


def mixed_types(place: str, error: pa.ArrowException) -> DataError:
    """The error of chunks whose types do not go together."""
    return DataError(f"{place}: a column must be of one type, but {error}. Cast it in the query.")


def _chunk(names: Sequence[str], rows: Sequence[Sequence[Any]], place: str) -> pa.Table:
    columns = {}
    for name, values in zip(names, zip(*rows, strict=True), strict=True):
        try:
            columns[name] = pa.array(_plain(values))
        except (pa.ArrowException, OverflowError, UnicodeError) as error:
            raise DataError(f"{place}: column {name!r} must be of one type, but {error}. Cast it there.") from error
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
