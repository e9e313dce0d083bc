"""Servers that tests of the service share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from recsys_serving.store.store import Store


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server for the session; tests keep to keys of their own."""
    from recsys_serving.local.embedded_redis import start_redis, stop_redis

    directory: Path = tmp_path_factory.mktemp("redis")
    yield start_redis(directory)
    stop_redis(directory)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """URL of a database with all tables, on a PostgreSQL server for the session.

    Not in a directory of pytest: another session that starts in the meantime closes those to other users, and as root
    the server runs as one.
    """
    from recsys_serving.local.embedded_postgres import start_postgres, stop_postgres
    from recsys_serving.store.schema.migration import migrate

    # Nothing of it is needed after a crash.
    unsafe = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}
    with TemporaryDirectory(prefix="postgres-") as parent:
        directory = Path(parent) / "data"
        url = start_postgres(directory, "tests", unsafe)
        migrate(url)
        yield url
        stop_postgres(directory)


@pytest.fixture
def database_url(postgres_server: str) -> Iterator[str]:
    """URL of a database with all tables and no rows, for one test."""
    yield postgres_server
    empty_tables(postgres_server)


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """A store with no rows, for one test."""
    from recsys_serving.store.store import Store

    store = Store.connect(database_url)
    yield store
    store.close()


def empty_tables(url: str) -> None:
    """Delete all rows of a database and its partitions: sooner done than another database."""
    import psycopg
    from recsys_serving.store.schema.tables import METADATA, SERVICE_STATE

    partitions = (
        "SELECT c.oid::regclass::text FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE c.relkind = 'r'"
    )
    with psycopg.connect(url) as connection:
        connection.execute("SET LOCAL recsys.retention = 'on'")
        for (name,) in connection.execute(partitions).fetchall():
            connection.execute(f"DROP TABLE {name}")
        for table in METADATA.tables.values():
            if table is not SERVICE_STATE:
                connection.execute(f"DELETE FROM {table.name}")
        connection.execute("UPDATE service_state SET revision = 0")


@contextmanager
def new_database(postgres_server: str, encoding: str = "UTF8") -> Iterator[str]:
    """URL of a database without tables, which is dropped in the end."""
    import psycopg

    name = f"test_{uuid4().hex}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(
            f"CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        )
        yield postgres_server.replace("/tests?", f"/{name}?")
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
