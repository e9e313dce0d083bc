from __future__ import annotations

from alembic.migration import MigrationContext
from alembic.operations import Operations
from recsys_serving.store.connection.database import Database
from recsys_serving.store.schema.migration import migrate
from recsys_serving.store.schema.migrations.versions import v0004_api_key_revision
from sqlalchemy import text

from tests.serving.conftest import new_database

REVISION = text("SELECT revision FROM service_state WHERE name = 'api_key'")


def test_what_it_makes_it_can_drop(postgres_server):
    with new_database(postgres_server) as url:
        migrate(url)
        database = Database(url)
        with database.transaction() as connection:
            assert connection.execute(REVISION).scalar_one() == 0
            with Operations.context(MigrationContext.configure(connection)):
                v0004_api_key_revision.downgrade()
            assert connection.execute(REVISION).scalar() is None
        database.close()
