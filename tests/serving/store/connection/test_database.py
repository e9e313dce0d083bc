from __future__ import annotations

import threading

import pytest
from recsys_serving.store.connection import database as module
from recsys_serving.store.connection.database import Database, DatabaseSettings
from recsys_serving.store.errors import StoreError, StoreRefused, StoreUnavailable
from sqlalchemy import text

from tests.serving.conftest import new_database

INSERT = text("INSERT INTO users (user_id) VALUES (:id)")
USERS = text("SELECT user_id FROM users ORDER BY user_id")


@pytest.fixture
def database(database_url):
    database = Database(database_url, DatabaseSettings(pool_size=2, pool_timeout_seconds=0.05))
    yield database
    database.close()


def users(database):
    with database.transaction() as connection:
        return list(connection.execute(USERS).scalars())


def test_a_transaction_is_committed_at_its_end(database):
    with database.transaction() as connection:
        connection.execute(INSERT, {"id": "a"})
    assert users(database) == ["a"]


def test_a_database_of_no_encoding_holds_text(postgres_server):
    with new_database(postgres_server, "SQL_ASCII") as url:
        database = Database(url)
        with database.transaction() as connection:
            assert connection.execute(text("SELECT CAST(:told AS text)"), {"told": "é 漢"}).scalar_one() == "é 漢"
        database.close()


def test_an_error_rolls_back(database):
    with pytest.raises(RuntimeError), database.transaction() as connection:
        connection.execute(INSERT, {"id": "a"})
        raise RuntimeError
    assert users(database) == []


def test_a_transaction_within_another_is_a_part_of_it(database):
    with pytest.raises(RuntimeError), database.transaction():
        with database.transaction() as inner:
            inner.execute(INSERT, {"id": "a"})
        assert users(database) == ["a"]
        raise RuntimeError
    assert users(database) == []


def test_an_error_within_a_part_leaves_the_rest(database):
    with database.transaction() as connection:
        connection.execute(INSERT, {"id": "a"})
        with pytest.raises(StoreRefused), database.transaction() as inner:
            inner.execute(INSERT, {"id": "b"})
            inner.execute(INSERT, {"id": "a"})
        connection.execute(INSERT, {"id": "c"})
    assert users(database) == ["a", "c"]


def test_another_thread_has_a_transaction_of_its_own(database):
    seen = []
    with database.transaction() as connection:
        connection.execute(INSERT, {"id": "a"})
        thread = threading.Thread(target=lambda: seen.append(users(database)))
        thread.start()
        thread.join()
    assert seen == [[]]


def test_a_reading_sees_what_the_transaction_around_it_has_written(database):
    with database.transaction() as connection:
        connection.execute(INSERT, {"id": "a"})
        with database.reading() as cursor:
            assert cursor.execute("SELECT user_id FROM users").fetchall() == [("a",)]
    assert users(database) == ["a"]


def test_a_reading_leaves_its_connection_as_it_was(database_url):
    database = Database(database_url, DatabaseSettings(pool_size=1))
    with database.reading() as cursor:
        first = cursor.execute("SELECT pg_backend_pid()").fetchone()
    with pytest.raises(RuntimeError), database.transaction() as connection:
        connection.execute(INSERT, {"id": "a"})
        raise RuntimeError
    assert users(database) == []
    with database.reading() as cursor:
        assert cursor.execute("SELECT pg_backend_pid()").fetchone() == first
    database.close()


def test_a_reading_that_is_wrong_is_told_and_its_connection_is_not_used_again(database):
    with pytest.raises(StoreUnavailable, match="does not have the tables"), database.reading() as cursor:
        cursor.execute("SELECT * FROM nowhere")
    with pytest.raises(RuntimeError), database.reading() as cursor:
        raise RuntimeError
    assert users(database) == []


def test_a_reading_that_finds_the_server_gone_empties_the_pool(database_url):
    database = Database(database_url, DatabaseSettings(pool_size=3))
    with database.reading() as one, database.reading() as two, database.reading() as three:
        pids = [cursor.execute("SELECT pg_backend_pid()").fetchone()[0] for cursor in (one, two, three)]
    killer = Database(database_url)
    with killer.transaction() as other:
        for pid in pids:
            other.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
    killer.close()
    with pytest.raises(StoreUnavailable), database.reading() as cursor:
        cursor.execute("SELECT 1")
    for _ in range(3):
        with database.reading() as cursor:
            assert cursor.execute("SELECT 1").fetchone() == (1,)
    database.close()


def test_a_statement_that_takes_too_long_is_unavailable(database_url):
    database = Database(database_url, DatabaseSettings(statement_timeout_seconds=0.02))
    with pytest.raises(StoreUnavailable, match="statement timeout"), database.transaction() as connection:
        connection.execute(text("SELECT pg_sleep(5)"))
    database.close()


def test_a_transaction_may_have_more_time_for_itself(database_url):
    database = Database(database_url, DatabaseSettings(pool_size=1, statement_timeout_seconds=50))
    limit = text("SHOW statement_timeout")
    with database.transaction(timeout_seconds=30) as connection:
        assert connection.execute(limit).scalar() == "30s"
    with database.transaction() as connection:
        assert connection.execute(limit).scalar() == "50s"
    database.close()


def test_a_part_of_a_transaction_may_have_more_time_and_the_rest_has_not(database):
    limit = text("SHOW statement_timeout")
    with database.transaction() as connection:
        with database.transaction(timeout_seconds=30):
            assert connection.execute(limit).scalar() == "30s"
        assert connection.execute(limit).scalar() == "2s"
        with pytest.raises(RuntimeError), database.transaction(timeout_seconds=30):
            raise RuntimeError
        assert connection.execute(limit).scalar() == "2s"


def test_a_pool_that_is_empty_is_unavailable(database):
    def take():
        with database.transaction():
            taken.wait()
            release.wait()

    taken, release = threading.Barrier(3), threading.Event()
    threads = [threading.Thread(target=take) for _ in range(2)]
    for thread in threads:
        thread.start()
    taken.wait()
    try:
        with pytest.raises(StoreUnavailable, match="All connections"), database.transaction():
            pass
    finally:
        release.set()
        for thread in threads:
            thread.join()


def test_a_server_that_is_not_there_is_unavailable(tmp_path):
    database = Database(f"postgresql://postgres@/x?host={tmp_path}")
    with pytest.raises(StoreUnavailable, match="away"), database.transaction():
        pass


@pytest.mark.parametrize("url", ["mysql://localhost/x", "sqlite:///x.db", "nonsense", ""])
def test_a_url_of_something_else_is_an_error(url):
    with pytest.raises(StoreError, match=r"must be postgresql://"):
        Database(url)


def end_connections(database):
    """End all other connections to the database from within the server."""
    other = Database(str(database._engine.url.render_as_string(hide_password=False)))
    with other.transaction() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    other.close()


def test_connections_that_ended_fail_once_and_are_replaced(database):
    users(database)
    end_connections(database)
    with pytest.raises(StoreUnavailable):
        users(database)
    assert users(database) == []


def test_a_connection_that_rested_and_ended_is_replaced_unnoticed(database, monkeypatch):
    monkeypatch.setattr(module, "IDLE_SECONDS", 0)
    users(database)
    end_connections(database)
    assert users(database) == []


def test_a_lock_without_a_transaction_has_one_leader(database):
    with database.leadership(1) as leader, database.leadership(1) as other:
        assert (leader, other) == (True, False)
    with database.leadership(1) as leader:
        assert leader


def test_the_lock_is_let_go_after_an_error(database):
    with pytest.raises(RuntimeError), database.leadership(1):
        raise RuntimeError
    with database.leadership(1) as leader:
        assert leader


def test_a_connection_in_use_is_closed_when_it_comes_back_to_a_closed_database(database):
    with database.transaction() as connection:
        raw = connection.connection.driver_connection
        database.close()
        assert not raw.closed
    assert raw.closed


def test_a_connection_in_use_is_closed_when_it_comes_back_after_the_server_was_found_gone(database, database_url):
    killer = Database(database_url)
    with database.reading() as used:
        raw = used.connection
        with pytest.raises(StoreUnavailable), database.reading() as gone:
            pid = gone.execute("SELECT pg_backend_pid()").fetchone()[0]
            with killer.transaction() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
            gone.execute("SELECT 1")
        assert not raw.closed
    assert raw.closed
    killer.close()
    assert users(database) == []
