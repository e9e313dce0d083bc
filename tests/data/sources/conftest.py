from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.data.sources.http_files import HttpFiles, serve


@pytest.fixture
def http() -> Iterator[HttpFiles]:
    with serve() as files:
        yield files
