"""Connections to PostgreSQL and transactions on them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

from recsys_serving.store.connection.error_mapping import mapped_errors
from recsys_serving.store.connection.patient_connection import LONGER_SECONDS, PatientConnection
from recsys_serving.store.errors import StoreError
from recsys_serving.store.json_text import from_json, to_json

#: Seconds for which a connection may rest in the pool before it is tried when it is taken out again.
IDLE_SECONDS = 5.0

#: Schemes of a PostgreSQL URL, all of which mean the same driver here.
_SCHEMES = ("postgresql", "postgres", "postgresql+psycopg")


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """How the store connects.

    Args:
        pool_size: most connections of this process.
        connect_timeout_seconds: longest wait for a connection to the server.
        pool_timeout_seconds: longest wait for a connection of the pool.
        statement_timeout_seconds: longest time of one statement.
        application_name: how the server names these connections.
    """

    pool_size: int = 10
    connect_timeout_seconds: float = 2.0
    pool_timeout_seconds: float = 1.0
    statement_timeout_seconds: float = 2.0
    application_name: str = "recsys"


class Database:
    """A pool of connections, with every error mapped to those of :mod:`recsys_serving.store.errors`.

    A connection is tried on its way out of the pool only where it rested for some seconds, so that a busy service asks
    nothing twice; where the server went away, the first call that notices empties the whole pool.

    Args:
        url: ``postgresql://user:password@host:port/name``.
        settings: see :class:`DatabaseSettings`.

    Raises:
        StoreError: the URL is none of PostgreSQL.
    """

    def __init__(self, url: str, settings: DatabaseSettings | None = None) -> None:
        settings = settings or DatabaseSettings()
        self._engine = make_engine(url, settings)
        self._current: ContextVar[Connection | None] = ContextVar("connection", default=None)
        self._closed = False
        self._generation = 0
        _try_rested_connections(self._engine)
        event.listen(self._engine, "connect", self._note_generation)
        event.listen(self._engine, "checkin", self._close_returned)

    @contextmanager
    def transaction(self, timeout_seconds: float | None = None) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back by an error. Within another, it is a part of that one.

        Args:
            timeout_seconds: longest time of each statement; None for that of the settings.

        Raises:
            StoreUnavailable: the database is away or too slow. Whether a commit that failed took place is not known.
            StoreRefused: the database refuses a value.
            StoreError: the tables are those of another version.
        """
        outer = self._current.get()
        with mapped_errors():
            if outer is not None:
                with outer.begin_nested(), _timeout_within(outer, timeout_seconds):
                    yield outer
                return
            with self._engine.begin() as connection:
                if timeout_seconds is not None:
                    set_timeout(connection, timeout_seconds)
                token = self._current.set(connection)
                try:
                    yield connection
                finally:
                    self._current.reset(token)

    @contextmanager
    def reading(self) -> Iterator[psycopg.Cursor[Any]]:
        """A cursor of the driver for one query whose answer is not to wait for more than one round trip.

        No transaction is begun, and results are binary. Within a transaction it reads what that one has written.

        Raises:
            StoreUnavailable: the database is away or too slow.
            StoreError: the tables are those of another version.
        """
        outer = self._current.get()
        with mapped_errors():
            if outer is not None:
                with _driver_connection(outer).cursor(binary=True) as cursor:
                    yield cursor
                return
            lent = self._engine.raw_connection()
            driver = lent.driver_connection
            assert isinstance(driver, PatientConnection), "every engine of the store makes these"
            try:
                driver.autocommit = True
                with driver.cursor(binary=True) as cursor:
                    yield cursor
                driver.autocommit = False
            except BaseException as error:
                is_gone = driver.closed
                lent.invalidate(error)
                if is_gone:
                    self._dispose()  # the others were connected to the same server
                raise
            finally:
                lent.close()

    @contextmanager
    def leadership(self, lock: int) -> Iterator[bool]:
        """Hold an advisory lock without a transaction: True where nobody else has it, False where somebody does.

        Raises:
            StoreUnavailable: the database is away.
        """
        number = {"lock": lock}
        with mapped_errors(), self._engine.connect() as connection:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")
            leader = bool(connection.execute(text("SELECT pg_try_advisory_lock(:lock)"), number).scalar_one())
            try:
                yield leader
            finally:
                if leader and not connection.closed and not connection.invalidated:
                    connection.execute(text("SELECT pg_advisory_unlock(:lock)"), number)

    def close(self) -> None:
        """Close all connections that rest; those in use close when they come back."""
        self._closed = True
        self._dispose()

    def _dispose(self) -> None:
        self._generation += 1
        self._engine.dispose()

    def _note_generation(self, _: Any, entry: ConnectionPoolEntry) -> None:
        entry.info["generation"] = self._generation

    def _close_returned(self, _: Any, entry: ConnectionPoolEntry) -> None:
        # A disposed pool would take the connection back and leave it to the garbage collector.
        if self._closed or entry.info.get("generation") != self._generation:
            entry.invalidate()


def make_engine(url: str, settings: DatabaseSettings) -> Engine:
    """An engine that has not connected yet.

    Raises:
        StoreError: the URL is none of PostgreSQL.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise StoreError(
            "The database URL must be postgresql://user:password@host:port/name, and cannot be read. Correct it."
        ) from None
    if parsed.drivername not in _SCHEMES:
        raise StoreError(
            f"The database URL must be postgresql://user:password@host:port/name, and is one of {parsed.drivername}. "
            "The store needs PostgreSQL."
        )
    milliseconds = int(settings.statement_timeout_seconds * 1000)
    engine = create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=settings.pool_timeout_seconds,
        pool_recycle=1800,
        json_serializer=to_json,
        json_deserializer=from_json,
        connect_args={
            "connect_timeout": max(1, round(settings.connect_timeout_seconds)),
            "application_name": settings.application_name,
            # A database of encoding SQL_ASCII would answer with bytes, of which the driver knows no encoding.
            "client_encoding": "utf8",
            # A transaction whose process hangs must not keep rows locked.
            "options": f"-c statement_timeout={milliseconds} -c idle_in_transaction_session_timeout=60s",
            # A server that vanished without a word: no answer to what was sent within this time.
            "tcp_user_timeout": milliseconds + 3000,
        },
    )
    _limit_waits(engine, settings.statement_timeout_seconds)
    return engine


def set_timeout(connection: Connection, seconds: float) -> None:
    """Let each further statement of a transaction take up to some seconds."""
    connection.execute(text("SELECT set_config('statement_timeout', :ms, true)"), {"ms": str(int(seconds * 1000))})
    _driver_connection(connection).patience_seconds = seconds + LONGER_SECONDS


@contextmanager
def _timeout_within(connection: Connection, seconds: float | None) -> Iterator[None]:
    """Another time for the statements of a part of a transaction; the rest has that of before."""
    if seconds is None:
        yield
        return
    before = connection.execute(text("SELECT current_setting('statement_timeout')")).scalar_one()
    driver = _driver_connection(connection)
    patience_seconds = driver.patience_seconds
    set_timeout(connection, seconds)
    try:
        yield  # an error rolls the part back, and with it the setting
    finally:
        driver.patience_seconds = patience_seconds
    connection.execute(text("SELECT set_config('statement_timeout', :before, true)"), {"before": before})


def _driver_connection(connection: Connection) -> PatientConnection:
    driver = connection.connection.driver_connection
    assert isinstance(driver, PatientConnection), "every engine of the store makes these"
    return driver


def _limit_waits(engine: Engine, statement_seconds: float) -> None:
    """Let no thread wait for the server much longer than a statement may take."""

    @event.listens_for(engine, "do_connect")
    def connect(_: Any, __: Any, arguments: list[Any], options: dict[str, Any]) -> PatientConnection:
        return PatientConnection.connect(*arguments, **options)

    @event.listens_for(engine, "checkout")
    def limit(connection: PatientConnection, _: Any, __: Any) -> None:
        connection.patience_seconds = statement_seconds + LONGER_SECONDS  # a transaction may have set another


def _try_rested_connections(engine: Engine) -> None:
    @event.listens_for(engine, "checkin")
    def note(_: Any, entry: ConnectionPoolEntry) -> None:
        entry.info["rested_since"] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def test(dbapi_connection: Any, entry: ConnectionPoolEntry, _: Any) -> None:
        rested_since = entry.info.get("rested_since")
        if rested_since is None or time.monotonic() - rested_since < IDLE_SECONDS:
            return
        try:
            engine.dialect.do_ping(dbapi_connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise DisconnectionError from error  # the pool opens another one in its place
