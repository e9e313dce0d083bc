from __future__ import annotations

import socket
import sqlite3
import sys

import pytest

from recsys.data.readers.sql.database import SqlDatabase
from recsys.errors import SourceError


@pytest.fixture(autouse=True)
def no_variable(monkeypatch):
    monkeypatch.delenv("RECSYS_SOURCE_URL", raising=False)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "shop 1.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE ratings (user_id TEXT)")
    connection.commit()
    connection.close()
    return path


def test_the_url_is_the_given_one_or_that_of_the_variable(monkeypatch):
    assert SqlDatabase.locate("postgresql://ann@host:99/shop").place == "host:99/shop"
    assert SqlDatabase.locate("postgresql://ann@/shop?host=/run/db").place == "/run/db/shop"
    monkeypatch.setenv("RECSYS_SOURCE_URL", "postgresql://ann:secret@there/shop")
    found = SqlDatabase.locate(None)
    assert found.place == "there/shop"
    assert found.url.drivername == "postgresql+psycopg"
    assert found.url.password == "secret"


@pytest.mark.parametrize(
    "url",
    ["postgresql://ann:secret@host/shop", "postgresql://ann@/shop?host=h&password=secret", "mysql://h/x?passwd=secret"],
)
def test_a_password_in_the_settings_is_refused_and_not_repeated(url):
    with pytest.raises(SourceError, match="data.url must have no password.*RECSYS_SOURCE_URL") as refused:
        SqlDatabase.locate(url)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("url", ["no url with secret", "postgresql://ann:x@host:secret/shop"])
def test_what_is_no_url_is_refused_and_not_repeated(url):
    with pytest.raises(SourceError, match="data.url must be a URL of SQLAlchemy") as refused:
        SqlDatabase.locate(url)
    assert "secret" not in str(refused.value)


def test_without_a_url_it_is_said_what_to_give():
    with pytest.raises(SourceError, match=r"data\.url=postgresql://user@host/name.*RECSYS_SOURCE_URL"):
        SqlDatabase.locate(None)


def test_a_file_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(SourceError, match="no.db must be a file of SQLite, but there is none"):
        SqlDatabase.locate(f"sqlite:///{tmp_path}/no.db")
    assert list(tmp_path.iterdir()) == []


def test_nothing_can_be_written(file):
    with pytest.raises(SourceError, match="shop 1.db cannot be read: attempt to write a readonly database"):
        with SqlDatabase.locate(f"sqlite:///{file}").snapshot() as connection:
            connection.exec_driver_sql("INSERT INTO ratings VALUES ('ann')")


def test_a_driver_that_is_missing_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(SourceError, match=r"host/shop by a driver that is not installed: .*psycopg.*\[service\]"):
        with SqlDatabase.locate("postgresql://host/shop").snapshot():
            pass


def test_a_database_that_is_away_is_told_without_its_password(tmp_path, monkeypatch):
    monkeypatch.setenv("RECSYS_SOURCE_URL", f"postgresql://ann:secret@/shop?host={tmp_path}")
    with pytest.raises(SourceError, match="cannot be read: .*or start the database") as away:
        with SqlDatabase.locate(None).snapshot():
            pass
    assert "secret" not in str(away.value)


@pytest.mark.parametrize("asked", ["", "?connect_timeout=2"])
def test_a_server_that_says_nothing_is_not_waited_for_long(monkeypatch, asked):
    if not asked:
        monkeypatch.setattr("recsys.data.readers.sql.database._CONNECT_SECONDS", 2)  # the least that the driver takes
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(SourceError, match="cannot be read: connection timeout expired"):
            url = f"postgresql://ann@127.0.0.1:{silent.getsockname()[1]}/shop{asked}"
            with SqlDatabase.locate(url).snapshot():
                pass


def test_a_password_that_is_wrong_is_said_to_be_set_elsewhere(monkeypatch):
    from sqlalchemy.exc import OperationalError

    def refuse(*arguments, **options):
        raise OperationalError("", {}, Exception('password authentication failed for user "ann"'))

    monkeypatch.setattr("sqlalchemy.engine.Engine.connect", refuse)
    with pytest.raises(SourceError, match='user "ann". Set PGPASSWORD, or give the whole URL in .*RECSYS_SOURCE_URL'):
        with SqlDatabase.locate("postgresql://ann@host/shop").snapshot():
            pass
