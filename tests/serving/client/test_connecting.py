"""Where the service of an installation is found."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from recsys_serving.client.connecting import connect
from recsys_serving.local.service_state import ServiceState
from recsys_serving.triton.state import started_at

from recsys.errors import ServingError


def test_no_service_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="No service runs"):
        connect(tmp_path)


def test_a_service_without_a_key_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServingError, match="There is no key"):
        connect(tmp_path, url="http://service")


def test_address_and_key_are_those_of_the_installation(tmp_path: Path) -> None:
    pid = os.getpid()
    ServiceState(pid, started_at(pid) or 0, "127.0.0.1", 4711, "log", "token", "bundle").save(tmp_path)
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "api_key").write_text("the key\n", encoding="utf-8")
    client = connect(tmp_path)
    assert str(client._client.base_url) == "http://127.0.0.1:4711"
    assert client._client.headers["Authorization"] == "Bearer the key"
    client.close()
