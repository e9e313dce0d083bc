from __future__ import annotations

import psycopg
from alembic.migration import MigrationContext
from alembic.operations import Operations
from recsys_serving.store.connection.database import Database
from recsys_serving.store.schema.migration import migrate
from recsys_serving.store.schema.migrations.versions import v0002_rollouts

from tests.serving.conftest import new_database

INDEXES = "SELECT indexname FROM pg_indexes WHERE tablename = 'exposures'"
OWN = {"exposures_explored", "exposures_variants"}


def test_what_it_makes_it_can_drop_and_make_again(postgres_server):
    with new_database(postgres_server) as url:
        migrate(url)
        database = Database(url)
        with psycopg.connect(url, autocommit=True) as reader:
            assert {name for (name,) in reader.execute(INDEXES)} > OWN
            with database.transaction() as connection:
                with Operations.context(MigrationContext.configure(connection)):
                    v0002_rollouts.downgrade()
            assert not {name for (name,) in reader.execute(INDEXES)} & OWN
            with database.transaction() as connection:
                with Operations.context(MigrationContext.configure(connection)):
                    v0002_rollouts.upgrade()
            assert {name for (name,) in reader.execute(INDEXES)} > OWN
            assert reader.execute("SELECT rollout FROM experiments").fetchall() == []
        database.close()
