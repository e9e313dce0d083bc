"""An application on a real PostgreSQL server, with a recommender that always says the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from recsys_serving.api.app import create_app
from recsys_serving.api.observability.metrics import ServiceMetrics
from recsys_serving.api.opening import assemble, open_spool, open_store
from recsys_serving.api.parts import ServiceParts
from recsys_serving.api.security.api_keys import new_key
from recsys_serving.settings import ServiceSettings
from recsys_serving.store.store import Store

from tests.serving.api.canned_recommendations import CannedRecommendations
from tests.serving.api.described import described


@dataclass
class Api:
    """An application that runs.

    Args:
        client: asks it, with a key of all scopes.
        store: its store.
        canned: its recommender.
        key: of the client.
        app: the application.
    """

    client: TestClient
    store: Store
    canned: CannedRecommendations
    key: str
    app: FastAPI

    @property
    def parts(self) -> ServiceParts:
        parts: ServiceParts = self.app.state.parts
        return parts

    def with_scopes(self, *scopes: str) -> dict[str, str]:
        """The header of a new key."""
        key, record = new_key("test", scopes)
        self.store.api_keys.create(record)
        return {"Authorization": f"Bearer {key}"}


MakeApi = Callable[..., Api]


@pytest.fixture
def make_api(database_url: str, store: Store, tmp_path: Path) -> Iterator[MakeApi]:
    """Makes an application with some settings."""
    key, record = new_key("all", ["read", "write", "admin"])
    store.api_keys.create(record)
    with ExitStack() as ending:

        def make(**values: Any) -> Api:
            canned = CannedRecommendations()
            given = {"database_url": database_url, "redis_url": "memory", "var": tmp_path, "bundle": tmp_path / "first"}
            settings = ServiceSettings(**{**given, **values})  # type: ignore[arg-type]

            def open_them(settings: ServiceSettings, metrics: ServiceMetrics, stack: ExitStack) -> ServiceParts:
                opened, spool = open_store(settings, stack), open_spool(settings, stack)
                return assemble(settings, metrics, opened, spool, canned, stack)  # type: ignore[arg-type]

            app = described(create_app(settings, open_them), settings)
            client = TestClient(app, headers={"Authorization": f"Bearer {key}"}, raise_server_exceptions=False)
            return Api(ending.enter_context(client), store, canned, key, app)

        yield make


@pytest.fixture
def api(make_api: MakeApi) -> Api:
    """An application with the usual settings."""
    return make_api()
