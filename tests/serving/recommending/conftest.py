"""Bundles, and services that answer from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from recsys_serving.cache.memory_cache import MemoryCache
from recsys_serving.recommending.assembly import open_service
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.recommending.options import RecommendingOptions
from recsys_serving.recommending.service import RecommendationService
from recsys_serving.resilience.health import HealthRegistry

from tests.export.board_bundles import board_bundle

#: A model that knows only the items of its training, and one that knows items by their colours.
CLASSIC, BY_CONTENT = "ease", "two_tower"
#: Waits that no busy machine exceeds.
PATIENT: dict[str, Any] = {
    "deadline_seconds": 100.0,
    "store_timeout_seconds": 30.0,
    "runtime_timeout_seconds": 30.0,
    "sync_timeout_seconds": 30.0,
}

OpenService = Callable[..., RecommendationService]


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with two bundles by their names."""
    directory = tmp_path_factory.mktemp("bundles")
    for name in (CLASSIC, BY_CONTENT):
        (directory / name).symlink_to(board_bundle(name))
    return directory


@pytest.fixture(scope="session")
def classic(bundles: Path) -> OpenBundle:
    """An open bundle that no test changes."""
    return OpenBundle(bundles / CLASSIC)


@pytest.fixture
def by_content(bundles: Path) -> OpenBundle:
    """An open bundle for one test."""
    return OpenBundle(bundles / BY_CONTENT)


@pytest.fixture
def new_service(bundles: Path) -> Iterator[OpenService]:
    """Opens services that are closed after the test: ``new_service(store=..., spool=..., cache=..., bundle=...)``.

    A test names its store before this, so that the store is closed later.
    """
    opened: list[RecommendationService] = []

    def make(
        store: Any = None,
        spool: Any = None,
        cache: Any = None,
        health: Any = None,
        on_stage: Callable[[str, float], None] = lambda stage, seconds: None,
        **options: Any,
    ) -> Any:
        chosen = {"bundles": bundles, "bundle": CLASSIC, "cursor_secret": b"s" * 32, **PATIENT, **options}
        service = open_service(
            RecommendingOptions(**chosen),
            store,
            spool,
            MemoryCache() if cache is None else cache,
            health or HealthRegistry(),
            on_stage,
        )
        opened.append(service)
        return service

    yield make
    for service in opened:
        service.close()
