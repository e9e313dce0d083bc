from __future__ import annotations

import sqlite3

import psycopg
import pytest
from sqlalchemy import make_url

from recsys.data.preparation import engines
from recsys.data.preparing import Preparation, load_or_prepare
from recsys.data.raw_stream import RawStream
from recsys.data.readers.sql import rows
from recsys.data.readers.sql.reader import SqlReader
from recsys.data.readers.table import TableReader
from recsys.errors import DataError, SourceError
from tests.data.readers.streamed import read_both
from tests.serving.conftest import new_database

RATINGS = [
    ("ann", 7, 4.5, "2024-05-01 10:00:00"),
    ("bob", 8, 3.0, "2024-05-02 10:00:00"),
    ("ann", 8, 1.0, "2024-05-03"),
]
ITEMS = [(7, "Alien", "1979"), (8, "Big", "1988")]
QUERY = "SELECT who, item_id, rating, at FROM ratings ORDER BY at"
COLUMNS = {"user": "who", "timestamp": "at"}


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("RECSYS_SOURCE_URL", raising=False)


def fill(execute, marks="?"):
    execute("CREATE TABLE ratings (who TEXT, item_id INTEGER, rating REAL, at TEXT)", ())
    execute("CREATE TABLE items (item_id INTEGER, title TEXT, year TEXT)", ())
    for row in RATINGS:
        execute(f"INSERT INTO ratings VALUES ({', '.join([marks] * 4)})", row)
    for row in ITEMS:
        execute(f"INSERT INTO items VALUES ({', '.join([marks] * 3)})", row)


@pytest.fixture
def sqlite_url(tmp_path):
    connection = sqlite3.connect(tmp_path / "shop.db")
    fill(connection.execute)
    connection.commit()
    connection.close()
    return f"sqlite:///{tmp_path}/shop.db"


@pytest.fixture
def postgres_url(postgres_server):
    with new_database(postgres_server) as url:
        with psycopg.connect(url) as connection:
            fill(connection.execute, "%s")
        yield url


def test_rows_are_read_as_those_of_files_are(tmp_path, sqlite_url, postgres_url, monkeypatch):
    lines = [",".join(map(str, row)) for row in [("who", "item_id", "rating", "at"), *RATINGS]]
    (tmp_path / "ratings.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lines = [",".join(map(str, row)) for row in [("item_id", "title", "year"), *ITEMS]]
    (tmp_path / "items.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    files = TableReader(tmp_path / "ratings.csv", items=tmp_path / "items.csv", columns=COLUMNS).read()
    asked = {"query": QUERY, "items_query": "SELECT item_id, title, CAST(year AS INTEGER) AS year FROM items"}
    from_sqlite = SqlReader(sqlite_url, **asked, columns=COLUMNS).read()
    monkeypatch.setenv("RECSYS_SOURCE_URL", postgres_url)
    from_postgres = SqlReader(**asked, columns=COLUMNS).read()
    for raw in (from_sqlite, from_postgres):
        assert raw.interactions.to_pylist() == files.interactions.to_pylist()
        assert raw.items.to_pylist() == files.items.to_pylist()
        assert raw.item_features == files.item_features
    assert from_sqlite.notes[0] == f"read from {sqlite_url.removeprefix('sqlite:///')}"


def test_rows_come_in_batches_from_one_run_of_the_query(tmp_path, sqlite_url, postgres_url, monkeypatch):
    monkeypatch.setattr(rows, "CHUNK_ROWS", 2)
    monkeypatch.setattr(engines, "STREAM_FROM_BYTES", 10)
    numbers = "SELECT who, item_id, rating, CASE who WHEN 'bob' THEN 7.5 ELSE 8 END AS at FROM ratings ORDER BY at, who"
    for url in (sqlite_url, postgres_url):
        reader = SqlReader(url, numbers, columns=COLUMNS)
        raw = read_both(reader)
        assert raw.interactions["user_id"].to_pylist() == ["bob", "ann", "ann"]
        stream = engines.read_raw(reader, "auto")
        assert isinstance(stream, RawStream) and stream.is_local
        assert stream.rest.sources == raw.sources
        hashes = {
            Preparation(engine=engine).prepare(reader, tmp_path / "made").schema.content_hash
            for engine in ("memory", "streaming")
        }
        assert len(hashes) == 1


def test_dates_as_text_are_read_in_batches(tmp_path, sqlite_url):
    reader = SqlReader(sqlite_url, QUERY, columns=COLUMNS)
    assert isinstance(reader.stream(), RawStream)
    hashes = {
        Preparation(engine=engine).prepare(reader, tmp_path / "made").schema.content_hash
        for engine in ("memory", "streaming")
    }
    assert len(hashes) == 1


def test_a_prepared_directory_is_made_again_when_a_row_has_changed(tmp_path, sqlite_url):
    def prepare(**more):
        reader = SqlReader(sqlite_url, QUERY, columns=COLUMNS, **more)
        made = []
        prepared = load_or_prepare(tmp_path / "prepared", reader, Preparation(), made.append)
        return prepared.schema.content_hash, bool(made)

    first = prepare()
    assert first[1] and prepare() == (first[0], False)
    connection = sqlite3.connect(tmp_path / "shop.db")
    connection.execute("UPDATE ratings SET rating = 2.0 WHERE who = 'bob'")
    connection.commit()
    connection.close()
    changed = prepare()
    assert changed[1] and changed[0] != first[0]


def test_a_version_stands_for_the_rows(sqlite_url, monkeypatch):
    def fingerprint(version):
        return SqlReader(sqlite_url, QUERY, columns=COLUMNS, version=version).fingerprint()

    monkeypatch.setattr("recsys.data.readers.sql.reader.query_chunks", lambda *arguments: pytest.fail("was run"))
    assert fingerprint(1) == fingerprint(1) != fingerprint(2)


def test_the_fingerprint_has_no_password(postgres_url, monkeypatch):
    whole = make_url(postgres_url).set(password="secret").render_as_string(hide_password=False)
    monkeypatch.setenv("RECSYS_SOURCE_URL", whole)
    text = str(SqlReader(None, QUERY, columns=COLUMNS, version=1).fingerprint())
    raw = SqlReader(None, QUERY, columns=COLUMNS).read()
    assert "secret" not in text + str(raw.sources) + str(raw.notes)
    other = str(SqlReader(None, f"{QUERY} DESC", columns=COLUMNS, version=1).fingerprint())
    assert other != text


def test_a_query_may_be_in_a_file(tmp_path, sqlite_url):
    (tmp_path / "ratings.sql").write_text(QUERY, encoding="utf-8")
    from_file = SqlReader(sqlite_url, str(tmp_path / "ratings.sql"), columns=COLUMNS)
    assert from_file.fingerprint() == SqlReader(sqlite_url, QUERY, columns=COLUMNS).fingerprint()
    with pytest.raises(SourceError, match="no.sql must be a file with a query, but cannot be read"):
        SqlReader(sqlite_url, "no.sql").read()


def test_a_column_of_another_name_is_guessed_as_for_files(sqlite_url):
    with pytest.raises(DataError, match="data.query on .*shop.db must have the column 'user_id'.*data.columns.user="):
        SqlReader(sqlite_url, QUERY).read()


def test_a_query_that_is_refused_is_told(sqlite_url):
    with pytest.raises(SourceError, match="shop.db cannot be read: no such table: orders"):
        SqlReader(sqlite_url, "SELECT * FROM orders").read()


def test_the_interactions_are_required(sqlite_url):
    with pytest.raises(SourceError, match="data=sql needs the interactions: data.query="):
        SqlReader(sqlite_url, items_query="SELECT * FROM items").read()
