from __future__ import annotations

import os
from pathlib import Path

import pytest
from recsys_serving.api.security.api_keys import hash_of, new_key
from recsys_serving.local.prepare import main, prepare
from recsys_serving.store.store import Store

from tests.export.board_bundles import board_bundle


@pytest.fixture(autouse=True)
def settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("RECSYS_") and name != "RECSYS_CACHE"]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("RECSYS_BUNDLE", str(board_bundle("ease")))
    monkeypatch.setenv("RECSYS_VAR", str(tmp_path / "var"))
    monkeypatch.setenv("RECSYS_REDIS_URL", "memory")


def test_the_key_of_the_environment_is_the_first_one_and_may_come_again(
    database_url: str, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("RECSYS_DATABASE_URL", database_url)
    key, record = new_key("any", ["read"])
    for var in ("first", "second"):  # of two containers, each with a directory of its own
        monkeypatch.setenv("RECSYS_VAR", str(tmp_path / var))
        assert prepare([], {"RECSYS_API_KEY": key}).key == key
    stored = store.api_keys.get(record.key_id)
    assert stored is not None and stored.hash == hash_of(key) and "admin" in stored.scopes


def test_without_a_database_it_is_one_line(monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(SystemExit) as end:
        main()
    assert str(end.value.code).startswith("error: The address of the database is required")
