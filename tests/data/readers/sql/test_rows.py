from __future__ import annotations

import pytest
from sqlalchemy import create_engine

from recsys.data.readers.sql import rows as module
from recsys.data.readers.sql.database import SqlDatabase
from recsys.data.readers.sql.rows import read_query
from recsys.errors import DataError
from tests.serving.conftest import new_database


@pytest.fixture
def connection():
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        connection.exec_driver_sql("CREATE TABLE r (u TEXT, n)")
        yield connection
    engine.dispose()


def fill(connection, values):
    for number, value in enumerate(values):
        connection.exec_driver_sql("INSERT INTO r VALUES (?, ?)", (f"u{number % 2}", value))


def test_rows_come_in_chunks_of_one_table(connection, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_ROWS", 2)
    fill(connection, [1, 2.5, None, None, 3])
    table = read_query(connection, "SELECT u, n FROM r", "the query")
    assert table["n"].to_pylist() == [1.0, 2.5, None, None, 3.0]
    assert table["n"].num_chunks == 3
    assert table["u"].to_pylist() == ["u0", "u1", "u0", "u1", "u0"]


def test_a_percent_sign_and_a_colon_mean_themselves(connection):
    fill(connection, ["12:30", "abc"])
    connection = connection.execution_options(no_parameters=True)
    assert read_query(connection, "SELECT n FROM r WHERE n LIKE '%:30'", "q").to_pylist() == [{"n": "12:30"}]


@pytest.mark.parametrize(
    ("values", "query", "message"),
    [
        ([], "SELECT u FROM r", "the query has no rows; at least one is needed"),
        ([1], "SELECT u, n AS u FROM r", "the query has more than one column named 'u'"),
        ([1, "x"], "SELECT n FROM r", "the query: column 'n' must be of one type"),
        ([1], "CREATE TABLE other (a)", "the query must be a query that returns rows"),
    ],
)
def test_what_gives_no_table_is_refused(connection, values, query, message):
    fill(connection, values)
    with pytest.raises(DataError, match=message):
        read_query(connection, query, "the query")


def test_a_column_that_changes_its_type_later_is_refused(connection, monkeypatch):
    monkeypatch.setattr(module, "CHUNK_ROWS", 1)
    fill(connection, [1, "x"])
    with pytest.raises(DataError, match="the query: a column must be of one type, but"):
        read_query(connection, "SELECT n FROM r", "the query")


def test_types_of_postgres_become_those_of_arrow(postgres_server, monkeypatch):
    query = """SELECT 1.50::numeric AS price, '8a0e5a56-4c6b-4b3f-9b0e-0e9d7d1a2c11'::uuid AS id, true AS sold,
        '{"a": "\u00e9"}'::jsonb AS data, ARRAY['x', 'y'] AS tags, '2024-05-31 14:00+02'::timestamptz AS at,
        '2024-05-31'::date AS day, NULL::text AS nothing, 'a' LIKE 'a%' AS alike"""
    with new_database(postgres_server) as url:
        monkeypatch.setenv("RECSYS_SOURCE_URL", url)
        with SqlDatabase.locate(None).snapshot() as connection:
            (row,) = read_query(connection, query, "the query").to_pylist()
    assert (row["price"], row["id"], row["sold"]) == (1.5, "8a0e5a56-4c6b-4b3f-9b0e-0e9d7d1a2c11", True)
    assert (row["data"], row["tags"], row["nothing"], row["alike"]) == ('{"a": "\u00e9"}', ["x", "y"], None, True)
    assert (row["at"].isoformat(), row["day"].isoformat()) == ("2024-05-31T12:00:00", "2024-05-31")
