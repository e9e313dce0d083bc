"""The service's database as raw data are read from it: one snapshot, a table for each view."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import pyarrow as pa
import pyarrow.csv as csv

from recsys.data.sources.arrow_stream import arrow_stream
from recsys.data.sources.database_url import database_url, place_of
from recsys.errors import SourceError

if TYPE_CHECKING:
    from sqlalchemy import Connection

#: Where the database is, if the configuration does not say it: so that no password is in a run's directory.
URL_VARIABLE = "RECSYS_DATABASE_URL"

#: Bytes that are read at once; no row may be longer.
_BLOCK = 1 << 26
#: The same of interactions in batches, which have no long texts.
_BATCH_BYTES = 1 << 23

#: SQLSTATE of bytes that are no characters of an encoding.
_NO_TEXT = "22021"

_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")


@dataclass(frozen=True, slots=True)
class StoreDatabase:
    """A database of the service.

    Args:
        url: ``postgresql://user:password@host:port/name``.
        place: host and name, without user and password, for messages and fingerprints.
    """

    url: str
    place: str

    @classmethod
    def locate(cls, url: str | None) -> StoreDatabase:
        """The database of a URL, or of the variable ``RECSYS_DATABASE_URL`` where it is None.

        Raises:
            SourceError: there is no URL, or it is none of PostgreSQL.
        """
        required = "data.database_url must be postgresql://user:password@host:port/name"
        parsed = database_url(
            url,
            URL_VARIABLE,
            "data=store needs the database of the service: data.database_url=postgresql://user@host/name",
            required,
        )
        if parsed.drivername not in _SCHEMES:
            raise SourceError(f"{required}, and is not. Correct it, or the variable {URL_VARIABLE}.")
        return cls(parsed.render_as_string(hide_password=False), place_of(parsed))

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that only reads, and sees the database as it is now, however long it takes.

        Raises:
            SourceError: the extra is not installed, the database is away, it has no such tables, or it has a text that
                is none, as one of encoding SQL_ASCII may.
        """
        from sqlalchemy import create_engine, make_url
        from sqlalchemy.exc import SQLAlchemyError

        try:
            import psycopg

            # Whatever encoding the database has: one of SQL_ASCII names none, and COPY sends that of the connection.
            engine = create_engine(
                make_url(self.url).set(drivername="postgresql+psycopg"),
                connect_args={"connect_timeout": 10, "client_encoding": "utf8"},
            )
        except ImportError as error:
            raise SourceError(
                "data=store reads PostgreSQL by psycopg, which is not installed. Install the extra service: "
                "pip install 'recsys-framework[service]'."
            ) from error
        try:
            with engine.connect() as connection:
                yield connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        except (SQLAlchemyError, psycopg.Error) as error:  # the latter of COPY, which SQLAlchemy does not know
            raise SourceError(self._message(error)) from error
        finally:
            engine.dispose()

    def _message(self, error: Any) -> str:
        error = getattr(error, "orig", None) or error
        reason = str(error).strip().split("\n")[0].rstrip(".")
        code = getattr(error, "sqlstate", None) or ""
        if code.startswith("42"):
            return f"{self.place} is no database of the service, or of another version: {reason}. Name the right one."
        if code == _NO_TEXT:
            return (
                f"The texts of {self.place} must be in its encoding, but one is not ({reason}). Copy it into a "
                "database of encoding UTF8: pg_dump --encoding=LATIN1, or whatever encoding its texts have."
            )
        return f"The database {self.place} cannot be read: {reason}. Start it, or correct data.database_url."


def copy_table(connection: Connection, query: str, types: Mapping[str, pa.DataType]) -> pa.Table:
    """The rows of a query as a table; text that is empty and text that is missing are told apart.

    Args:
        connection: see :meth:`StoreDatabase.snapshot`.
        query: SQL without parameters.
        types: of its columns, in their order.
    """
    buffer = io.BytesIO()
    copy_rows(connection, query, buffer)
    if not buffer.tell():
        return pa.table({name: pa.array([], type_) for name, type_ in types.items()})
    buffer.seek(0)
    with arrow_stream(buffer) as source:
        return csv.read_csv(source, *_options(types, _BLOCK))


def copy_rows(connection: Connection, query: str, file: BinaryIO) -> None:
    """Write the rows of a query to a file, as :func:`copied_batches` reads them; nothing where there are none.

    Args:
        connection: see :meth:`StoreDatabase.snapshot`.
        query: SQL without parameters.
        file: open for bytes.
    """
    with _driver(connection).cursor() as cursor, cursor.copy(f"COPY ({query}) TO STDOUT (FORMAT csv)") as copy:
        for block in copy:
            file.write(block)


def copied_batches(path: Path, types: Mapping[str, pa.DataType]) -> Iterator[pa.Table]:
    """The rows of a file of :func:`copy_rows` in batches, in the types of :func:`copy_table`."""
    if path.stat().st_size:
        with csv.open_csv(path, *_options(types, _BATCH_BYTES)) as batches:
            for batch in batches:
                yield pa.Table.from_batches([batch])


def estimated_bytes(connection: Connection, query: str) -> int:
    """About the size of the rows of a query as text, as the database estimates it without running it."""
    with _driver(connection).cursor() as cursor:
        (row,) = cursor.execute(f"EXPLAIN (FORMAT JSON) {query}").fetchall()
    plan = row[0][0]["Plan"]
    return int(plan["Plan Rows"] * plan["Plan Width"])


def _driver(connection: Connection) -> Any:
    """The connection as the driver has it, within the transaction."""
    connection.exec_driver_sql("SELECT 1")  # begins it
    driver = connection.connection.driver_connection
    assert driver is not None
    return driver


def _options(types: Mapping[str, pa.DataType], block_bytes: int) -> tuple[Any, Any, Any]:
    return (
        csv.ReadOptions(column_names=list(types), block_size=block_bytes),
        csv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
        csv.ConvertOptions(
            column_types=dict(types),
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,
        ),
    )


def literal(text: str) -> str:
    """A text as it stands in SQL, which COPY takes no parameters for."""
    return "'" + text.replace("'", "''") + "'"
