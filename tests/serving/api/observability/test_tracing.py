import sys
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from recsys_serving.api.app import create_app
from recsys_serving.api.observability.tracing import install_tracing, otlp_exporter
from recsys_serving.api.security.api_keys import new_key
from recsys_serving.recommending.stages import STAGES
from recsys_serving.settings import ServiceSettings
from recsys_serving.store.store import Store

from recsys.errors import SettingsError
from tests.export.board_bundles import board_bundle
from tests.serving.api.observability.otlp_receiver import OtlpReceiver

#: Between the clock of a span's start and that of its end, in nanoseconds.
MARGIN = 10**9


def test_each_request_is_a_span_named_by_its_route():
    app, exporter = FastAPI(), InMemorySpanExporter()

    @app.get("/items/{item_id}")
    def item(item_id: str) -> str:
        return item_id

    @app.get("/healthz")
    def healthz() -> str:
        return "alive"

    tracing = install_tracing(app, exporter)
    client = TestClient(app)
    client.get("/items/private?of=private")
    client.get("/healthz")
    client.get("/private/elsewhere")
    tracing.end()
    spans = [span for span in exporter.get_finished_spans() if span.parent is None]
    assert {span.name for span in spans} == {"GET /items/{item_id}", "GET"}
    assert {span.attributes["http.target"] for span in spans} == {"/items/{item_id}", "none"}
    assert not [value for span in spans for value in span.attributes.values() if "private" in str(value)]


def test_the_spans_of_a_list_reach_a_collector_with_its_stages(database_url: str, store: Store, tmp_path: Path):
    key, record = new_key("reader", ["read"])
    store.api_keys.create(record)
    with OtlpReceiver() as receiver:
        settings = ServiceSettings(
            database_url=database_url,  # type: ignore[arg-type]
            redis_url="memory",  # type: ignore[arg-type]
            var=tmp_path / "var",
            bundle=board_bundle("ease"),
            otel_endpoint=receiver.endpoint,
            deadline_seconds=60,
            store_timeout_seconds=30,
        )
        headers = {"Authorization": f"Bearer {key}", "X-Request-ID": "web-7f3a"}
        with TestClient(create_app(settings), headers=headers) as client:
            assert client.get("/v1/users/anna/recommendations", params={"k": 3}).status_code == 200
            assert client.get("/healthz").status_code == 200
    (request,) = [span for span in receiver.spans if not span.parent_span_id]
    assert request.name == "GET /v1/users/{user_id}/recommendations"
    told = {one.key: one.value for one in request.attributes}
    assert [one.string_value for one in told["http.response.header.x_request_id"].array_value.values] == ["web-7f3a"]
    children = [span for span in receiver.spans if span.parent_span_id]
    assert {span.name for span in children} >= {"state", "plan", "model", "assembly"}
    assert {span.name for span in children} <= set(STAGES)
    for span in children:
        assert (span.parent_span_id, span.trace_id) == (request.span_id, request.trace_id)
        assert span.start_time_unix_nano <= span.end_time_unix_nano
        assert request.start_time_unix_nano - MARGIN <= span.start_time_unix_nano
        assert span.end_time_unix_nano <= request.end_time_unix_nano + MARGIN
    resource = {one.key: one.value.string_value for one in receiver.resources[0].resource.attributes}
    assert resource["service.name"] == "recsys"


def test_a_collector_that_is_away_costs_no_answer(database_url: str, store: Store, make_api, monkeypatch):
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TIMEOUT", "1")
    api = make_api(otel_endpoint="http://127.0.0.1:1/v1/traces")
    assert api.client.get("/v1/keys").status_code == 200


def test_a_missing_exporter_is_named_by_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingsError, match=r"recsys-framework\[tracing\]"):
        otlp_exporter("http://localhost:4318/v1/traces")
