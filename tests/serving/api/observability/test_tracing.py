import sys

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from recsys_serving.api.observability.tracing import install_tracing, otlp_exporter

from recsys.errors import SettingsError


def test_each_request_is_a_span_named_by_its_route():
    app, exporter = FastAPI(), InMemorySpanExporter()

    @app.get("/items/{item_id}")
    def item(item_id: str) -> str:
        return item_id

    @app.get("/healthz")
    def healthz() -> str:
        return "alive"

    end = install_tracing(app, exporter)
    client = TestClient(app)
    client.get("/items/private")
    client.get("/healthz")
    end()
    names = {span.name for span in exporter.get_finished_spans() if span.parent is None}
    assert names == {"GET /items/{item_id}"}


def test_a_missing_exporter_is_named_by_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(SettingsError, match=r"recsys-framework\[tracing\]"):
        otlp_exporter("http://localhost:4318/v1/traces")
