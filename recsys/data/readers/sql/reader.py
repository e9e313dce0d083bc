"""Reader of the rows of SQL queries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from recsys.data.raw import RawDataset, RawSource
from recsys.data.raw_stream import RawStream, StreamingReader
from recsys.data.readers.feature_kinds import Declaration
from recsys.data.readers.sql.database import SqlDatabase
from recsys.data.readers.sql.rows import query_chunks, read_query
from recsys.data.readers.sql.spooled_rows import spool_rows
from recsys.data.readers.table_files import FileTable
from recsys.data.readers.tables.memory_tables import MemoryTable
from recsys.data.readers.tables.table_set import TableSet
from recsys.data.sources.scratch_directory import ScratchDirectory, copying
from recsys.errors import SourceError


class SqlReader(StreamingReader):
    """Reads the rows of queries as :class:`recsys.data.readers.table.TableReader` reads files.

    All queries see the database in one state, where it can give one (PostgreSQL, SQLite). Rows of the same time stay in
    the order in which they come, so a query should say in which: ``ORDER BY``.

    Args:
        url: of the database, for SQLAlchemy, without a password: ``postgresql://user@host:port/name``,
            ``sqlite:///FILE``, or of another one whose driver is installed. None for the variable
            ``RECSYS_SOURCE_URL``, which may have a password.
        query: ``SELECT`` of all interactions, or a file that has it and ends in ``.sql``.
        users_query: that of users, or None.
        items_query: that of items, or None.
        columns: names of the columns, as for :class:`recsys.data.readers.table.TableReader`.
        version: what says that the rows are the same as before, such as a date or the number of a load; None: the
            queries are run each time, and the rows themselves say it.
        user_features: columns of users that are features, and their kinds; None to infer them, ``{}`` for none.
        item_features: the same for items.
        name: short name of the data set, used in paths and reports.
        day_first: as for :class:`recsys.data.readers.table.TableReader`.
        list_separators: likewise.

    Raises:
        DataError: ``columns`` has another key.
    """

    def __init__(
        self,
        url: str | None = None,
        query: str | None = None,
        users_query: str | None = None,
        items_query: str | None = None,
        columns: Mapping[str, str | int | None] | None = None,
        version: str | int | None = None,
        user_features: Mapping[str, Declaration] | None = None,
        item_features: Mapping[str, Declaration] | None = None,
        name: str = "sql",
        day_first: bool | None = None,
        list_separators: Mapping[str, str | None] | None = None,
    ) -> None:
        self.name = name
        self._url, self._version = url, version
        given = {"interactions": query, "users": users_query, "items": items_query}
        self._given = {part: text for part, text in given.items() if text is not None}
        self._said: TableSet[FileTable | MemoryTable] = TableSet.parse(
            name, {}, columns, user_features, item_features, day_first, list_separators
        )

    def read(self) -> RawDataset:
        """Run the queries; see :class:`recsys.data.raw.Reader`."""
        raw = self._rows.tables.read()
        return replace(raw, sources=self._sources(), notes=(self._origin, *raw.notes))

    def num_bytes(self) -> int:
        """About the size of the interactions as text, for which the queries are run."""
        return self._rows.tables.num_bytes()

    def stream(self) -> RawStream | str:
        """The rows with interactions in batches; see :class:`recsys.data.raw_stream.StreamingReader`."""
        stream = self._rows.tables.stream()
        if isinstance(stream, str):
            return stream
        return replace(stream.with_sources(self._sources(), self._origin), is_local=True)

    def fingerprint(self) -> dict[str, object]:
        """The queries, and the version of the rows or the rows themselves; see :class:`recsys.data.raw.Reader`."""
        rows: object = {"version": self._version} if self._version is not None else self._rows.digests
        arguments = self._said.settings() | {
            "database": self._database.place,
            "queries": {part: hashlib.sha256(text.encode()).hexdigest() for part, text in self._queries.items()},
        }
        return {"reader": type(self).__name__, "arguments": arguments, "rows": rows}

    @property
    def _origin(self) -> str:
        return f"read from {self._database.place}"

    def _sources(self) -> tuple[RawSource, ...]:
        return tuple(RawSource(part, digest, self._database.place) for part, digest in self._rows.digests.items())

    @cached_property
    def _queries(self) -> dict[str, str]:
        return {part: _text(given) for part, given in self._given.items()}

    @cached_property
    def _database(self) -> SqlDatabase:
        return SqlDatabase.locate(self._url)

    @cached_property
    def _rows(self) -> _Rows:
        """The rows; they are read once, as they identify themselves. Those of interactions are kept in files."""
        if "interactions" not in self._queries:
            raise SourceError(
                'data=sql needs the interactions: data.query="SELECT user_id, item_id, rating, timestamp FROM '
                'ratings ORDER BY timestamp". Give it.'
            )
        tables: dict[str, FileTable | MemoryTable] = {}
        digests: dict[str, str] = {}
        spool = ScratchDirectory()
        with self._database.snapshot() as connection:
            for part, query in self._queries.items():
                option = "data.query" if part == "interactions" else f"data.{part}_query"
                place = f"{option} on {self._database.place}"
                if part == "interactions":
                    with copying(place, spool.path):
                        rows = spool_rows(query_chunks(connection, query, place), spool.path, place)
                    tables[part], digests[part] = rows.table, rows.digest
                else:
                    table = MemoryTable(read_query(connection, query, place), place)
                    tables[part], digests[part] = table, table.digest()
        return _Rows(replace(self._said, tables=tables), digests, spool)


@dataclass(frozen=True, slots=True)
class _Rows:
    """The rows of all queries.

    Args:
        tables: by the part that each is.
        digests: likewise, hashes of the rows.
        spool: the directory of those that are in files.
    """

    tables: TableSet[FileTable | MemoryTable]
    digests: dict[str, str]
    spool: ScratchDirectory


def _text(query: str) -> str:
    """A query, or the content of the file that has it.

    Raises:
        SourceError: the file cannot be read.
    """
    if not query.endswith(".sql"):
        return query
    try:
        return Path(query).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SourceError(f"{query} must be a file with a query, but cannot be read: {reason}. Correct it.") from error
