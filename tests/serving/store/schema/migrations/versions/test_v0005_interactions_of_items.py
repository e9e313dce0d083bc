from __future__ import annotations

from alembic.migration import MigrationContext
from alembic.operations import Operations
from recsys_serving.store.connection.database import Database
from recsys_serving.store.schema.migration import migrate
from recsys_serving.store.schema.migrations.versions import v0005_interactions_of_items
from sqlalchemy import text

from tests.serving.conftest import new_database

INDEX = text("SELECT count(*) FROM pg_indexes WHERE indexname = 'interactions_item'")


def test_what_it_makes_it_can_drop(postgres_server):
    with new_database(postgres_server) as url:
        migrate(url)
        database = Database(url)
        with database.transaction() as connection:
            assert connection.execute(INDEX).scalar_one() == 1
            with Operations.context(MigrationContext.configure(connection)):
                v0005_interactions_of_items.downgrade()
            assert connection.execute(INDEX).scalar_one() == 0
        database.close()
