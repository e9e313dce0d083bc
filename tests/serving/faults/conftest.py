"""A whole application, with the proxies of faults before its servers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from fastapi.testclient import TestClient
from recsys_serving.api.app import create_app
from recsys_serving.api.security.api_keys import new_key
from recsys_serving.local.installation import Installation
from recsys_serving.settings import ServiceSettings
from recsys_serving.spool.applying import apply_command
from recsys_serving.spool.draining import DrainResult
from recsys_serving.spool.spool import Spool
from recsys_serving.store.store import Store

from tests.export.board_bundles import board_bundle
from tests.serving.api.described import described
from tests.serving.faults.tcp_proxy import TcpProxy


@dataclass
class FaultyApi:
    """An application whose servers can be made faulty.

    Args:
        client: asks it, with a key of all scopes.
        settings: of it.
        store: its store, without a proxy.
        store_proxy: before PostgreSQL.
        redis_proxy: before Redis.
    """

    client: TestClient
    settings: ServiceSettings
    store: Store
    store_proxy: TcpProxy
    redis_proxy: TcpProxy

    def degraded(self, user_id: str = "anna") -> list[str]:
        """What a list has to do without; it has to be one."""
        answer = self.client.get(f"/v1/users/{user_id}/recommendations", params={"k": 3})
        assert answer.status_code == 200 and len(answer.json()["items"]) == 3
        told: list[str] = answer.json()["degraded"]
        return told

    def tell(self, event_id: str) -> int:
        """Send an interaction; the status."""
        event = {"event_id": event_id, "user_id": "anna", "item_id": "1", "type": "view"}
        return self.client.post("/v1/interactions", json=event).status_code

    def tell_until_stored(self) -> None:
        """Send interactions until the store takes one: on a busy machine the first may exceed a short timeout."""
        for number in range(3_000):
            if self.tell(f"before-{number}") == 201:
                return
            time.sleep(0.1)
        raise AssertionError("the store took none")

    def drain(self) -> DrainResult:
        """Carry out what waits, once the store is back."""
        spool = Spool(Installation.of(self.settings).spool)
        try:
            return spool.drain(lambda command: apply_command(self.store, command))
        finally:
            spool.close()


OpenApi = Callable[..., FaultyApi]


@pytest.fixture
def open_api(database_url: str, redis_url: str, store: Store, tmp_path: Path) -> Iterator[OpenApi]:
    """Opens an application; ``before`` is called with the two proxies before it starts."""
    (tmp_path / "bundles").mkdir()
    (tmp_path / "bundles" / "first").symlink_to(board_bundle("ease"))
    key, record = new_key("all", ["read", "write", "admin"])
    store.api_keys.create(record)
    told = parse_qs(urlsplit(database_url).query)
    with ExitStack() as stack:
        postgres = stack.enter_context(TcpProxy(Path(told["host"][0]) / f".s.PGSQL.{told['port'][0]}"))
        redis = stack.enter_context(TcpProxy(Path(urlsplit(redis_url).path)))

        def open_it(before: Callable[[TcpProxy, TcpProxy], object] = lambda *_: None, **values: Any) -> FaultyApi:
            given = {
                "database_url": f"postgresql://postgres@127.0.0.1:{postgres.port}/tests?sslmode=disable",
                "redis_url": f"redis://127.0.0.1:{redis.port}/0",
                "var": tmp_path / "var",
                "bundle": tmp_path / "bundles" / "first",
                # Nothing that is there is late on a busy machine, and what waits is carried out when a test says so.
                "deadline_seconds": 60,
                "store_timeout_seconds": 30,
                "redis_timeout_seconds": 5,
                "spool_drain_seconds": 60,
            }
            settings = ServiceSettings(**{**given, **values})  # type: ignore[arg-type]
            before(postgres, redis)
            app = described(create_app(settings), settings)
            client = stack.enter_context(TestClient(app, headers={"Authorization": f"Bearer {key}"}))
            return FaultyApi(client, settings, store, postgres, redis)

        yield open_it
