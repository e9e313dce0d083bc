import gc
import gzip
import json
from contextlib import ExitStack

import pytest
from recsys_serving.api import app as module
from recsys_serving.api.app import create_app, open_frozen
from recsys_serving.api.observability.metrics import ServiceMetrics
from recsys_serving.settings import ServiceSettings

from tests.serving.api.conftest import Api


def test_nothing_is_open_before_the_application_starts(tmp_path):
    app = create_app(ServiceSettings(database_url="postgresql://nobody@127.0.0.1:1/none", var=tmp_path / "var"))
    assert not hasattr(app.state, "parts")
    assert not (tmp_path / "var").exists()


def test_what_a_worker_opens_is_not_collected_until_it_ends(monkeypatch):
    monkeypatch.setattr(module, "open_parts", lambda *arguments: "parts")
    with ExitStack() as stack:
        assert open_frozen(ServiceSettings(), ServiceMetrics(), stack) == "parts"  # type: ignore[comparison-overlap]
        assert gc.get_freeze_count() > 0
    assert gc.get_freeze_count() == 0


def test_large_answers_are_compressed(api: Api):
    answer = api.client.get("/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["content-encoding"] == "gzip"
    with api.client.stream("GET", "/openapi.json", headers={"Accept-Encoding": "gzip"}) as stream:
        raw = b"".join(stream.iter_raw())
    assert json.loads(gzip.decompress(raw))["info"]["title"] == "recsys"


def test_pages_of_other_sites_may_not_read_answers(api: Api):
    answer = api.client.get("/v1/elicitation", headers={"Origin": "https://elsewhere.example"})
    assert not [name for name in answer.headers if name.lower().startswith("access-control")]
    asked = api.client.options(
        "/v1/elicitation", headers={"Origin": "https://elsewhere.example", "Access-Control-Request-Method": "GET"}
    )
    assert asked.status_code == 405


@pytest.mark.parametrize("path", ["/redoc", "/docs/oauth2-redirect"])
def test_pages_with_assets_of_others_are_not_there(api: Api, path: str):
    assert api.client.get(path).status_code == 404
