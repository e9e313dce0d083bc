"""The whole service as an installation runs it: embedded servers, two workers, a small bundle."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from recsys_serving.local.embedded_postgres import postgres_status
from recsys_serving.local.embedded_redis import redis_status
from recsys_serving.local.installation import Installation
from recsys_serving.local.launcher import answers, start, stop
from recsys_serving.local.service_state import ServiceState, read_service_state
from recsys_serving.settings import ServiceSettings

from recsys.errors import BundleError, ServingError
from tests.export.board_bundles import board_bundle

ROOT = Path(__file__).parents[3]
PAGES = [ROOT / "README.md", ROOT / "docs" / "service.md", ROOT / "docs" / "tutorial.md"]


class Service:
    """The service of this module."""

    def __init__(self, settings: ServiceSettings, state: ServiceState, key: str) -> None:
        self.settings, self.state, self.key = settings, state, key

    def ask(self, path: str, body: Any = None) -> Any:
        """An answer, over a connection of its own, so that any worker may give it."""
        request = urllib.request.Request(self.state.url + path, headers={"Authorization": f"Bearer {self.key}"})
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> ServiceSettings:
    directory = tmp_path_factory.mktemp("installation")
    (directory / "bundles").mkdir()
    (directory / "bundles" / "first").symlink_to(board_bundle("ease"))
    return ServiceSettings(
        var=directory / "var",
        bundle=directory / "bundles" / "first",
        workers=2,
        deadline_seconds=60,
        store_timeout_seconds=20,
        database_timeout_seconds=20,
        redis_timeout_seconds=5,
    )


@pytest.fixture(scope="module")
def service(settings: ServiceSettings) -> Iterator[Service]:
    state, key = start(settings, timeout_seconds=300)
    yield Service(settings, state, key)
    stop(settings)


def test_nothing_is_started_without_a_bundle(tmp_path: Path):
    settings = ServiceSettings(var=tmp_path / "var", bundle=tmp_path / "none", redis_url="memory")
    with pytest.raises(BundleError):
        start(settings)
    assert not postgres_status(tmp_path / "var" / "postgres").running


def test_embedded_servers_are_not_started_where_they_are_not_wanted(tmp_path: Path):
    settings = ServiceSettings(var=tmp_path / "var", bundle=board_bundle("ease"), embedded_servers=False)
    with pytest.raises(ServingError, match="set RECSYS_DATABASE_URL"):
        start(settings)


def test_nothing_runs_where_nothing_was_started(tmp_path: Path):
    assert not stop(ServiceSettings(var=tmp_path / "var"))


def test_the_next_answer_of_each_worker_knows_an_interaction(service: Service):
    before = service.ask("/v1/users/new/recommendations?k=3")
    assert before["personalized"] is False
    item = service.ask("/v1/elicitation?k=1")["items"][0]["item_id"]
    service.ask("/v1/interactions", {"user_id": "new", "item_id": item, "type": "rating", "value": 5})
    lists = [service.ask("/v1/users/new/recommendations?k=3") for _ in range(8)]
    assert all(one["personalized"] and one["degraded"] == [] for one in lists)
    assert all(item not in [listed["item_id"] for listed in one["items"]] for one in lists)


def test_the_workers_are_measured_together(service: Service):
    for _ in range(8):
        service.ask("/v1/elicitation?k=1")
    with urllib.request.urlopen(service.state.url + "/metrics") as answer:
        text = answer.read().decode()
    found = re.search(r'recsys_requests_total\{method="GET",route="/v1/elicitation",status="200"\} (\d+)', text)
    assert found and int(found[1]) >= 8


def test_the_first_key_is_for_its_owner_alone(service: Service):
    path = Installation.of(service.settings).api_key
    assert path.read_text().strip() == service.key
    assert path.stat().st_mode & 0o777 == 0o600


def test_the_log_is_json_and_has_no_key(service: Service):
    text = Path(service.state.log).read_text()
    assert service.key not in text
    assert {"event", "level", "at"} <= set(json.loads(text.splitlines()[-1]))


def test_a_service_that_runs_is_not_started_again(service: Service):
    assert start(service.settings) == (service.state, service.key)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_requests_of_a_page_are_answered(service: Service, page: Path):
    commands = re.findall(r"^curl .*?[^\\]$", page.read_text(encoding="utf-8"), re.S | re.M)
    assert commands
    environment = os.environ | {"API": service.state.url, "KEY": service.key}
    script = "\n".join(
        command.replace("curl ", "curl --silent --show-error --fail-with-body ", 1) for command in commands
    )
    told = subprocess.run(["bash", "-e", "-c", script], env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout[-500:] + told.stderr


def test_simulated_users_visit_it(service: Service):
    for number in range(30):
        service.ask("/v1/items", {"item_id": f"i{number:02}", "title": f"Item {number}", "properties": {}})
    command = [sys.executable, "scripts/simulate.py", "visits=12", "users=3", f"var={service.settings.var}"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": "serving"})
    assert told.returncode == 0, told.stderr
    assert "12 lists in" in told.stdout and "true utility" in told.stdout


def test_what_was_killed_is_no_obstacle(service: Service):
    os.kill(service.state.pid, signal.SIGKILL)
    while service.state.is_running:
        time.sleep(0.01)
    os.kill(redis_status(Installation.of(service.settings).redis).pid or 0, signal.SIGKILL)
    state, key = start(service.settings, timeout_seconds=300)
    assert answers(state) and key == service.key and state.pid != service.state.pid
    assert service.state.processes() == []


def test_stopping_ends_everything(service: Service):
    state = read_service_state(service.settings.var)
    assert state is not None
    assert stop(service.settings)
    installation = Installation.of(service.settings)
    assert state.processes() == []
    assert not redis_status(installation.redis).running
    assert not postgres_status(installation.postgres).running
    assert read_service_state(service.settings.var) is None
    assert not stop(service.settings)


class Starts:
    """Starts services that are stopped after a test."""

    def __init__(self) -> None:
        self._settings: list[ServiceSettings] = []

    def __call__(self, settings: ServiceSettings) -> tuple[Service, list[str]]:
        """The service, and what was said meanwhile."""
        self._settings.append(settings)
        said: list[str] = []
        state, key = start(settings, timeout_seconds=300, say=said.append)
        return Service(settings, state, key), said

    def stop(self) -> None:
        for settings in self._settings:
            stop(settings)


@pytest.fixture
def starts() -> Iterator[Starts]:
    starts = Starts()
    yield starts
    starts.stop()


def _own_settings(directory: Path, **values: Any) -> ServiceSettings:
    patient = {"deadline_seconds": 60, "store_timeout_seconds": 20, "redis_timeout_seconds": 5, "redis_url": "memory"}
    return ServiceSettings(var=directory / "var", bundle=board_bundle("ease"), workers=1, **{**patient, **values})


def _comes_to_be(holds: Any) -> bool:
    end = time.monotonic() + 200
    while time.monotonic() < end:
        if holds():
            return True
        time.sleep(0.1)
    return False


def test_it_starts_though_its_own_postgresql_does_not_and_starts_that_later(tmp_path: Path, starts: Starts):
    in_the_way = tmp_path / "var" / "postgres"
    in_the_way.mkdir(parents=True)
    (in_the_way / "PG_VERSION").write_text("1")  # of no server that is here
    service, said = starts(_own_settings(tmp_path))
    assert any("did not start" in text and "tried again" in text for text in said)
    assert any("the first key counts without the store" in text for text in said)
    assert service.ask("/readyz")["dependencies"]["store"]["status"] == "down"
    assert service.ask("/v1/users/anna/recommendations?k=3")["degraded"] == ["store"]
    event = {"event_id": "waits", "user_id": "anna", "item_id": "i02", "type": "view"}
    assert service.ask("/v1/interactions", event)["durable"] == "spool"

    (in_the_way / "PG_VERSION").unlink()
    assert _comes_to_be(lambda: service.ask("/readyz")["dependencies"]["store"]["status"] == "up")
    assert _comes_to_be(lambda: len(service.ask("/v1/keys")["keys"]) == 1)
    assert _comes_to_be(lambda: service.ask("/v1/users/anna/interactions")["interactions"])
    (stored,) = service.ask("/v1/users/anna/interactions")["interactions"]
    assert stored["event_id"] == "waits"

    pid = postgres_status(in_the_way).pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)  # while it serves: it is started again
    assert _comes_to_be(lambda: postgres_status(in_the_way).pid not in (None, pid))


def test_it_starts_though_a_foreign_database_is_away(tmp_path: Path, starts: Starts):
    url = SecretStr("postgresql://postgres@127.0.0.1:1/none")
    service, said = starts(_own_settings(tmp_path, database_url=url))
    assert any(text.startswith("no store: ") for text in said)
    assert service.ask("/v1/users/anna/recommendations?k=3")["degraded"] == ["store"]
    assert service.ask("/readyz")["status"] == "degraded"
