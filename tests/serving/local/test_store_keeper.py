from __future__ import annotations

import threading
from pathlib import Path

import pytest
from pydantic import SecretStr
from recsys_serving.local import store_keeper
from recsys_serving.local.embedded_postgres import is_running, start_postgres, stop_postgres
from recsys_serving.local.first_start import store_while_away
from recsys_serving.local.installation import Installation
from recsys_serving.local.store_keeper import STORE_VARIABLE, StoreKeeper, StoreTask, task_of_environment
from recsys_serving.settings import ServiceSettings
from recsys_serving.store.store import Store

from recsys.errors import ServingError
from tests.export.board_bundles import board_bundle
from tests.serving.conftest import new_database


class Tried:
    """Counts calls, and fails as often as it is told."""

    def __init__(self, fails: int = 0) -> None:
        self.calls, self._fails = 0, fails

    def __call__(self, *_: object) -> None:
        self.calls += 1
        if self.calls <= self._fails:
            raise ServingError("not yet")


@pytest.fixture
def settings(tmp_path: Path) -> ServiceSettings:
    return ServiceSettings(var=tmp_path / "var", bundle=board_bundle("ease"))


def keeper_of(settings: ServiceSettings, task: StoreTask, server: Tried, prepare: Tried) -> StoreKeeper:
    return StoreKeeper(settings, task, server, prepare, interval_seconds=0.001)


def test_a_task_goes_to_another_process_as_a_variable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv(STORE_VARIABLE, raising=False)
    assert task_of_environment() is None
    task = StoreTask(is_embedded=True, is_prepared=False, data="data/prepared")
    for name, value in task.variables().items():
        monkeypatch.setenv(name, value)
    assert task_of_environment() == task


def test_a_foreign_database_is_prepared_once_it_is_there(settings: ServiceSettings):
    server, prepare = Tried(), Tried(fails=2)
    keeper = keeper_of(settings, StoreTask(False, False), server, prepare)
    assert [keeper.look() for _ in range(3)] == [False, False, True]
    assert (server.calls, prepare.calls) == (0, 3)


def test_what_is_wrong_is_logged_once(settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch):
    told: list[str] = []
    monkeypatch.setattr(store_keeper._log, "warning", lambda text, error: told.append(error), raising=False)
    keeper = keeper_of(settings, StoreTask(False, False), Tried(), Tried(fails=5))
    for _ in range(5):
        keeper.look()
    assert told == ["ServingError: not yet"]


def test_an_embedded_server_is_started_and_watched_for_ever(settings: ServiceSettings):
    server, prepare = Tried(fails=1), Tried()
    keeper = keeper_of(settings, StoreTask(True, False), server, prepare)
    assert [keeper.look() for _ in range(3)] == [False, False, False]
    assert (server.calls, prepare.calls) == (3, 1)


def test_a_thread_goes_on_until_it_is_done_or_closed(settings: ServiceSettings):
    prepare = Tried(fails=3)
    done = keeper_of(settings, StoreTask(False, False), Tried(), prepare)
    done.start()
    done._thread.join(100)
    assert prepare.calls == 4 and not done._thread.is_alive()
    done.close()
    watching = keeper_of(settings, StoreTask(True, True), Tried(), prepare)
    watching.start()
    watching.close()
    assert not watching._thread.is_alive() and prepare.calls == 4


def test_a_real_server_is_started_and_its_store_made_ready(tmp_path: Path):
    postgres = tmp_path / "var" / "postgres"
    postgres.parent.mkdir()
    from recsys_serving.local.embedded_postgres import expected_url

    settings = ServiceSettings(
        var=tmp_path / "var", bundle=board_bundle("ease"), database_url=SecretStr(expected_url(postgres))
    )
    installation = Installation.of(settings)
    installation.log.parent.mkdir()
    key = store_while_away(settings, installation).key
    keeper = StoreKeeper(settings, StoreTask(is_embedded=True, is_prepared=False), interval_seconds=0.01)
    try:
        assert not is_running(postgres)
        keeper.look()
        assert is_running(postgres) and start_postgres(postgres) == expected_url(postgres)
        assert store_while_away(settings, installation).key == key
        store = Store.connect(expected_url(postgres))
        store.ping()
        assert [record.name for record in store.api_keys.list_keys()] == ["first key of this installation"]
        store.close()
    finally:
        stop_postgres(postgres)


def test_migrations_run_once_where_a_database_comes_back(postgres_server: str, tmp_path: Path):
    with new_database(postgres_server) as url:
        settings = ServiceSettings(var=tmp_path / "var", bundle=board_bundle("ease"), database_url=SecretStr(url))
        Installation.of(settings).log.parent.mkdir(parents=True)
        keepers = [StoreKeeper(settings, StoreTask(False, False)) for _ in range(3)]
        threads = [threading.Thread(target=keeper.look) for keeper in keepers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(keeper.look() for keeper in keepers)
        store = Store.connect(url)
        store.ping()
        assert len(store.api_keys.list_keys()) == 1
        store.close()
