import json

import pytest
from pydantic import SecretStr
from recsys_serving.local.first_start import (
    IMPORT,
    content_of,
    data_of,
    import_once,
    prepare_store,
    store_while_away,
)
from recsys_serving.local.installation import Installation
from recsys_serving.settings import ServiceSettings
from recsys_serving.store.admin.records import AuditEntry
from recsys_serving.store.store import Store

from recsys.runtime.manifest import Manifest
from tests.export.board_bundles import board_bundle


@pytest.mark.parametrize("text", [None, "", "{}", "[]"], ids=["none", "empty", "object", "list"])
def test_what_has_no_content(tmp_path, text):
    if text is not None:
        (tmp_path / "schema.json").write_text(text)
    assert content_of(tmp_path) is None


class Named:
    def __init__(self, **values):
        self.__dict__.update(values)


def manifest(run, content) -> Manifest:
    return Named(retriever=Named(run=str(run)), data=Named(content_hash=content))  # type: ignore[return-value]


def test_the_data_of_a_bundle_are_those_of_its_run_as_long_as_they_are_the_same(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "schema.json").write_text(json.dumps({"content_hash": "abc"}))
    run = {"data_directory": str(tmp_path / "data"), "data_hash": "abc"}
    (tmp_path / "run.json").write_text(json.dumps(run))
    assert data_of(manifest(tmp_path, "abc")) == tmp_path / "data"
    assert data_of(manifest(tmp_path, "other")) is None
    (tmp_path / "data" / "schema.json").write_text(json.dumps({"content_hash": "prepared anew"}))
    assert data_of(manifest(tmp_path, "abc")) is None
    assert data_of(manifest(tmp_path / "gone", "abc")) is None


def test_data_are_imported_once_and_the_audit_says_so(store, tmp_path, monkeypatch):
    (tmp_path / "schema.json").write_text(json.dumps({"content_hash": "abc"}))
    imported = []

    def take(directory):
        imported.append(directory)
        return Named(users=2, items=3, interactions=5)

    monkeypatch.setattr(store, "import_prepared", take)
    said: list[str] = []
    assert import_once(store, tmp_path, said.append)
    assert not import_once(store, tmp_path, said.append)
    assert (imported, len(said)) == ([tmp_path], 1)
    (entry,) = store.audit.list_entries(act="data.import")
    assert (entry.target, entry.detail) == ("abc", {"users": 2, "items": 3, "interactions": 5})


def test_what_the_store_had_is_known_while_it_is_away(database_url, tmp_path):
    settings = ServiceSettings(var=tmp_path / "var", bundle=board_bundle("ease"), database_url=SecretStr(database_url))
    installation = Installation.of(settings)
    assert not store_while_away(settings, installation).has_histories
    content = Manifest.read(settings.bundle).data.content_hash
    store = Store.connect(database_url)
    store.audit.append(AuditEntry("launcher", IMPORT, content, {}))
    store.close()
    prepared = prepare_store(settings, installation, None, lambda text: None)
    assert prepared.has_histories and store_while_away(settings, installation) == prepared
    installation.imported.write_text("{")
    assert not store_while_away(settings, installation).has_histories
