from __future__ import annotations

from alembic.migration import MigrationContext
from alembic.operations import Operations
from recsys_serving.store.connection.database import Database
from recsys_serving.store.schema.migration import migrate
from recsys_serving.store.schema.migrations.versions import (
    v0001_first_tables,
    v0002_rollouts,
    v0003_erased_users,
)
from sqlalchemy import text

from tests.serving.conftest import new_database

OBJECTS = text(
    "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace UNION ALL "
    "SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace"
)


def test_what_it_makes_it_can_drop(postgres_server):
    with new_database(postgres_server) as url:
        migrate(url)
        database = Database(url)
        with database.transaction() as connection:
            with Operations.context(MigrationContext.configure(connection)):
                v0003_erased_users.downgrade()
                v0002_rollouts.downgrade()
                v0001_first_tables.downgrade()
            left = set(connection.execute(OBJECTS).scalars())
        database.close()
    assert left == {"alembic_version", "alembic_version_pkc"}
