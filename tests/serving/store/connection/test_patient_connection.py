from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from recsys_serving.store.connection.database import Database, DatabaseSettings
from recsys_serving.store.connection.patient_connection import PatientConnection
from recsys_serving.store.errors import StoreUnavailable
from sqlalchemy import text

from tests.serving.faults.tcp_proxy import Fault, TcpProxy


@pytest.fixture
def proxy(postgres_server: str) -> Iterator[TcpProxy]:
    told = parse_qs(urlsplit(postgres_server).query)
    with TcpProxy(Path(told["host"][0]) / f".s.PGSQL.{told['port'][0]}") as proxy:
        yield proxy


@pytest.fixture
def url(proxy: TcpProxy) -> str:
    return f"postgresql://postgres@127.0.0.1:{proxy.port}/tests?sslmode=disable&gssencmode=disable"


def test_an_answer_that_never_comes_ends_the_connection(proxy: TcpProxy, url: str):
    with PatientConnection.connect(url) as connection:
        connection.patience_seconds = 0.2
        assert connection.execute("SELECT 1").fetchone() == (1,)
        proxy.make(Fault.BLACK_HOLE)
        with pytest.raises(psycopg.OperationalError, match="no answer within 0.2 seconds"):
            connection.execute("SELECT 1")
        assert connection.closed


def test_without_a_limit_a_connection_waits(url: str):
    with PatientConnection.connect(url) as connection:
        assert connection.execute("SELECT 1 FROM pg_sleep(0.3)").fetchone() == (1,)


def test_a_longer_answer_that_comes_is_waited_for(url: str):
    with PatientConnection.connect(url) as connection:
        connection.patience_seconds = 30
        assert connection.execute("SELECT 1 FROM pg_sleep(0.3)").fetchone() == (1,)


def test_a_store_that_swallows_what_it_is_told_is_away_and_comes_back(proxy: TcpProxy, url: str):
    database = Database(url, DatabaseSettings(statement_timeout_seconds=0.2))
    with database.transaction() as connection:
        connection.execute(text("SELECT 1"))
    proxy.make(Fault.BLACK_HOLE)
    with pytest.raises(StoreUnavailable, match="no answer within"):
        with database.transaction() as connection:
            connection.execute(text("SELECT 1"))
    proxy.make(Fault.PASS)
    with database.transaction() as connection:
        assert connection.execute(text("SELECT 1")).scalar_one() == 1
    database.close()


def test_a_transaction_with_a_longer_timeout_is_waited_for_longer_and_the_next_one_is_not(url: str):
    database = Database(url, DatabaseSettings(statement_timeout_seconds=0.2))
    with database.transaction(timeout_seconds=30) as connection:
        connection.execute(text("SELECT pg_sleep(1.5)"))
    with pytest.raises(StoreUnavailable):
        with database.transaction() as connection:
            connection.execute(text("SELECT pg_sleep(10)"))
    database.close()
