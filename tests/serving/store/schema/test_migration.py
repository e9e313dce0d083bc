from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from recsys_serving.store.connection.database import Database
from recsys_serving.store.errors import StoreError, StoreUnavailable
from recsys_serving.store.schema import migration
from recsys_serving.store.schema.migration import check_revision, current_revision, head_revision, migrate
from sqlalchemy import text

from tests.serving.conftest import new_database


@pytest.fixture
def empty_url(postgres_server):
    with new_database(postgres_server) as url:
        yield url


def test_several_processes_may_migrate_at_once(empty_url):
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(migrate, [empty_url] * 4))
    database = Database(empty_url)
    with database.transaction() as connection:
        assert current_revision(connection) == head_revision()
        check_revision(connection)
        assert connection.execute(text("SELECT count(*) FROM service_state")).scalar() == 4
    database.close()


def test_a_migration_that_fails_leaves_nothing(empty_url):
    with psycopg.connect(empty_url) as connection:
        connection.execute("CREATE TABLE audit (x int)")
    with pytest.raises(StoreError, match="audit"):
        migrate(empty_url)
    with psycopg.connect(empty_url) as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == [("audit",)]


def test_tables_of_a_later_version_are_told(empty_url):
    migrate(empty_url)
    with psycopg.connect(empty_url) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(StoreError, match="revision 9999, which this version does not know"):
        migrate(empty_url)


def test_a_database_without_tables_is_told(empty_url):
    database = Database(empty_url)
    with pytest.raises(StoreError, match="has none. Run the migrations"), database.transaction() as connection:
        check_revision(connection)
    database.close()


def test_who_migrates_for_too_long_is_not_waited_for(empty_url):
    database = Database(empty_url)
    with database.leadership(migration._LOCK), pytest.raises(StoreUnavailable, match="timeout"):
        migrate(empty_url, lock_timeout_seconds=0.05)
    database.close()


def test_a_database_that_is_away_is_unavailable(tmp_path):
    with pytest.raises(StoreUnavailable):
        migrate(f"postgresql://postgres@/x?host={tmp_path}")
