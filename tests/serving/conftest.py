"""Servers that tests of the service share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server for the session; tests keep to keys of their own."""
    from recsys_serving.local.embedded_redis import start_redis, stop_redis

    directory: Path = tmp_path_factory.mktemp("redis")
    yield start_redis(directory)
    stop_redis(directory)
