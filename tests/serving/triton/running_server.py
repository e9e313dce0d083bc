"""A Triton server of a test's own models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from recsys_serving.triton.launcher import start, stop
from recsys_serving.triton.state import ServerState


@contextmanager
def running_server(environment: Path, repository: Path, made: pytest.TempPathFactory) -> Iterator[ServerState]:
    """A server of the models of ``repository``, as long as the block lasts."""
    directory = made.mktemp("server")
    try:
        yield start(directory, repository, environment=environment)
    finally:
        stop(directory)
