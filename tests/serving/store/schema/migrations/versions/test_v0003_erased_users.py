from __future__ import annotations

from alembic.migration import MigrationContext
from alembic.operations import Operations
from recsys_serving.store.connection.database import Database
from recsys_serving.store.schema.migration import migrate
from recsys_serving.store.schema.migrations.versions import v0003_erased_users
from sqlalchemy import text

from tests.serving.conftest import new_database

OBJECTS = text(
    "SELECT relname FROM pg_class WHERE relname LIKE 'eras%' UNION ALL SELECT proname FROM pg_proc "
    "WHERE proname LIKE 'eras%'"
)


def test_what_it_makes_it_can_drop(postgres_server):
    with new_database(postgres_server) as url:
        migrate(url)
        database = Database(url)
        with database.transaction() as connection:
            assert len(connection.execute(text("SELECT erasure_salt()")).scalar_one()) == 72
            with Operations.context(MigrationContext.configure(connection)):
                v0003_erased_users.downgrade()
            left = set(connection.execute(OBJECTS).scalars())
        database.close()
    assert left == {"erasures", "erasures_pkey"}
