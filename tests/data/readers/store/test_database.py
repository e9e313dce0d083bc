from __future__ import annotations

import sys

import pyarrow as pa
import pytest

from recsys.data.readers.store.database import StoreDatabase, copy_table, literal
from recsys.errors import SourceError
from tests.serving.conftest import new_database


def test_the_url_is_the_given_one_or_that_of_the_variable(monkeypatch):
    monkeypatch.setenv("RECSYS_DATABASE_URL", "postgresql://u:secret@there:5433/shop")
    database = StoreDatabase.locate(None)
    assert (database.url, database.place) == ("postgresql://u:secret@there:5433/shop", "there:5433/shop")
    assert StoreDatabase.locate("postgresql://here/other").place == "here/other"
    assert StoreDatabase.locate("postgresql:///other?host=/run/db").place == "/run/db/other"


def test_without_a_url_it_is_said_what_to_give(monkeypatch):
    monkeypatch.delenv("RECSYS_DATABASE_URL", raising=False)
    with pytest.raises(SourceError, match=r"data\.database_url=postgresql://.*RECSYS_DATABASE_URL"):
        StoreDatabase.locate(None)


@pytest.mark.parametrize("url", ["mysql://u:secret@h/x", "no url", "postgresql:/x"])
def test_another_url_is_refused_without_telling_it(url):
    with pytest.raises(SourceError, match="must be postgresql://") as caught:
        StoreDatabase.locate(url)
    assert "secret" not in str(caught.value)


def test_without_the_extra_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SourceError, match=r"recsys-framework\[service\]"):
        with StoreDatabase.locate("postgresql://h/x").snapshot():
            pass


def test_a_database_that_is_away_is_told_without_its_password(tmp_path):
    database = StoreDatabase.locate(f"postgresql://u:secret@/shop?host={tmp_path}")
    with pytest.raises(SourceError, match="cannot be read") as caught:
        with database.snapshot():
            pass
    assert "secret" not in str(caught.value)


def test_a_database_of_something_else_is_told(database_url):
    with pytest.raises(SourceError, match=r"no database of the service.*nonesuch"):
        with StoreDatabase.locate(database_url).snapshot() as connection:
            connection.exec_driver_sql("SELECT * FROM nonesuch")


def test_a_snapshot_does_not_see_what_comes_later_and_writes_nothing(database_url, store):
    with StoreDatabase.locate(database_url).snapshot() as connection:
        before = copy_table(connection, "SELECT user_id FROM users", {"user_id": pa.string()})
        store.users.create("ada")
        after = copy_table(connection, "SELECT user_id FROM users", {"user_id": pa.string()})
        assert (len(before), len(after)) == (0, 0)
    with pytest.raises(SourceError, match="read-only"):
        with StoreDatabase.locate(database_url).snapshot() as connection:
            connection.exec_driver_sql("DELETE FROM users")


def test_text_comes_as_it_is(database_url):
    texts = ["plain", "", None, "a,b", 'say "hi"', "two\nlines", "NULL", "é 漢", "\\N", " blank "]
    values = ", ".join("(NULL)" if text is None else f"({literal(text)})" for text in texts)
    with StoreDatabase.locate(database_url).snapshot() as connection:
        query = f"SELECT * FROM (VALUES {values}) AS given (t)"
        table = copy_table(connection, query, {"t": pa.string()})
    assert table.column("t").to_pylist() == texts


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_text_comes_as_it_is_from_a_database_of_another_encoding(postgres_server, encoding):
    with new_database(postgres_server, encoding) as url:
        with StoreDatabase.locate(url).snapshot() as connection:
            table = copy_table(connection, "SELECT 'é' AS t", {"t": pa.string()})
    assert table.column("t").to_pylist() == ["é"]


def test_bytes_that_are_no_text_are_told(postgres_server):
    with (
        new_database(postgres_server, "SQL_ASCII") as url,
        pytest.raises(SourceError, match="must be in its encoding, but one is not .*0xe9.*Copy it into"),
    ):
        with StoreDatabase.locate(url).snapshot() as connection:
            copy_table(connection, r"SELECT E'caf\xe9' AS t", {"t": pa.string()})


def test_no_rows_are_an_empty_table(database_url):
    with StoreDatabase.locate(database_url).snapshot() as connection:
        table = copy_table(connection, "SELECT 1 WHERE false", {"n": pa.int64()})
    assert (table.num_rows, table.schema.field("n").type) == (0, pa.int64())


def test_a_quote_in_a_literal_ends_nothing():
    assert literal("it's") == "'it''s'"
