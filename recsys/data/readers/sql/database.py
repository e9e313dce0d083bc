"""A database that a query is read from: nothing is written to it, and its password is neither printed nor stored."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from recsys.data.sources.database_url import database_url, place_of
from recsys.errors import SourceError

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection

#: Where the database is, if the configuration does not say it: so that no password is in a run's directory.
URL_VARIABLE = "RECSYS_SOURCE_URL"

_POSTGRES = ("postgresql", "postgres")

#: How long a server may take to answer a connection; by itself the driver of PostgreSQL waits without an end.
_CONNECT_SECONDS = 10

#: What a connection is asked for, by the kind of database: it only reads, and sees one state for all queries.
_READ_ONLY: dict[str, dict[str, Any]] = {
    "postgresql": {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True},
}


@dataclass(frozen=True, slots=True)
class SqlDatabase:
    """A database that SQLAlchemy can read.

    Args:
        url: where it is, perhaps with a password.
        place: where it is, without user and password, for messages and fingerprints.
    """

    url: URL
    place: str

    @classmethod
    def locate(cls, url: str | None) -> SqlDatabase:
        """The database of a URL, or of the variable ``RECSYS_SOURCE_URL`` where it is None.

        Raises:
            SourceError: there is no URL, it is none of a database, or one with a password that a run would store.
        """
        parsed = database_url(
            url,
            URL_VARIABLE,
            "data=sql needs a database: data.url=postgresql://user@host/name, data.url=sqlite:///FILE",
            "data.url must be a URL of SQLAlchemy, such as postgresql://user@host:port/name or sqlite:///FILE",
        )
        if url and (parsed.password is not None or any("pass" in name.lower() for name in parsed.query)):
            raise SourceError(
                "data.url must have no password, because each run's files have its settings. Leave it out and let the "
                f"driver find it (PGPASSWORD, ~/.pgpass), or give the whole URL in the variable {URL_VARIABLE}."
            )
        if parsed.drivername in _POSTGRES:
            parsed = parsed.set(drivername="postgresql+psycopg")
        if parsed.get_backend_name() == "sqlite":
            return cls._of_file(parsed)
        return cls(parsed, place_of(parsed))

    @classmethod
    def _of_file(cls, url: URL) -> SqlDatabase:
        path = Path(url.database or "").expanduser()
        if not path.is_file():  # SQLite would make an empty one
            raise SourceError(f"{path} must be a file of SQLite, but there is none. Correct data.url=sqlite:///FILE.")
        absolute = path.resolve()
        return cls(url.set(database=absolute.as_uri(), query={"mode": "ro", "uri": "true"}), str(path))

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that sees the database as it is now, however long it takes; what it did is undone in the end.

        Raises:
            SourceError: a driver is missing, the database is away, or a query is refused.
        """
        from sqlalchemy import create_engine
        from sqlalchemy.exc import SQLAlchemyError
        from sqlalchemy.pool import NullPool

        try:
            engine = create_engine(self._patient_url(), poolclass=NullPool)
        except (ImportError, SQLAlchemyError) as error:
            raise SourceError(
                f"data=sql reads {self.place} by a driver that is not installed: {error}. Install it; that of "
                "PostgreSQL is in the extra service: pip install 'recsys-framework[service]'."
            ) from error
        try:
            with engine.connect() as connection:
                yield connection.execution_options(
                    stream_results=True, no_parameters=True, **_READ_ONLY.get(engine.dialect.name, {})
                )
        except SQLAlchemyError as error:
            reason = str(getattr(error, "orig", None) or error).strip().split("\n")[0].rstrip(".")
            what = "Correct data.url or the query, or start the database"
            if "password" in reason:
                what = f"Set PGPASSWORD, or give the whole URL in the variable {URL_VARIABLE}"
            raise SourceError(f"{self.place} cannot be read: {reason}. {what}.") from error
        finally:
            engine.dispose()

    def _patient_url(self) -> URL:
        """The URL with the longest wait for a connection, unless it says one."""
        if self.url.drivername != "postgresql+psycopg" or "connect_timeout" in self.url.query:
            return self.url
        return self.url.update_query_dict({"connect_timeout": str(_CONNECT_SECONDS)})
