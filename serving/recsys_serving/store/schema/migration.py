"""Migrations: the tables, made and brought up to date."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from recsys_serving.store.connection.database import DatabaseSettings, make_engine, set_timeout
from recsys_serving.store.connection.error_mapping import mapped_errors
from recsys_serving.store.errors import StoreError

#: Number of the advisory lock that whoever migrates holds.
_LOCK = 7_310_219_846_137

#: Longest time of one statement of a migration.
_STATEMENT_SECONDS = 3600


def migrate(url: str, lock_timeout_seconds: float = 60.0) -> None:
    """Bring the tables of a database up to date; several processes may do so at once.

    All migrations that are due run in one transaction: all of them count, or none.

    Args:
        url: ``postgresql://user:password@host:port/name``.
        lock_timeout_seconds: longest wait for another process that migrates.

    Raises:
        StoreUnavailable: the database is away, or another process migrates for longer.
        StoreError: the database belongs to a later version of the service.
    """
    engine = make_engine(url, DatabaseSettings(pool_size=1, connect_timeout_seconds=5, application_name="migrate"))
    try:
        with mapped_errors(), engine.begin() as connection:
            set_timeout(connection, lock_timeout_seconds)
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            set_timeout(connection, _STATEMENT_SECONDS)
            if _check_not_later(current_revision(connection)):
                config = _config()
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
    finally:
        engine.dispose()


def check_revision(connection: Connection) -> None:
    """Check that a database has the tables of this version.

    Raises:
        StoreError: it has others.
    """
    revision = current_revision(connection)
    if _check_not_later(revision):
        raise StoreError(
            f"The database should have the tables of revision {head_revision()}, and has "
            f"{'none' if revision is None else f'those of {revision}'}. Run the migrations."
        )


def current_revision(connection: Connection) -> str | None:
    """The revision of a database's tables; None where there are none."""
    return MigrationContext.configure(connection).get_current_revision()


@cache
def head_revision() -> str:
    """The revision that this version needs."""
    head = _scripts().get_current_head()
    assert head is not None
    return head


def _check_not_later(revision: str | None) -> bool:
    """Whether migrations are due.

    Raises:
        StoreError: the revision is one that this version does not know.
    """
    if revision == head_revision():
        return False
    if revision is not None and revision not in {script.revision for script in _scripts().walk_revisions()}:
        raise StoreError(
            f"The database has the tables of revision {revision}, which this version does not know; it knows "
            f"{head_revision()} and those before. Update the service, or give it another database."
        )
    return True


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
