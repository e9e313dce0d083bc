from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from recsys_serving.store.connection.database import Database
from recsys_serving.store.schema.tables import METADATA


def test_the_tables_are_those_that_the_migrations_make(database_url):
    database = Database(database_url)
    with database.transaction() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, METADATA) == []
    database.close()
