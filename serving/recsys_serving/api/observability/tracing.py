"""Traces by OpenTelemetry, where an endpoint is set; otherwise none of its libraries is imported."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from recsys.errors import SettingsError
from recsys_serving.api.observability.request_ids import HEADER

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import Span, Tracer

#: Attributes of a span that have the path or the query of its request, in either of OpenTelemetry's conventions.
_WITH_PATH = ("http.target", "http.url", "url.path", "url.full", "url.query")


class Tracing:
    """The traces of an application: a span of each request, with the stages of its lists as children.

    Args:
        tracer: makes the spans of the stages.
        end: ends the tracing.
    """

    def __init__(self, tracer: Tracer, end: Callable[[], None]) -> None:
        self._tracer = tracer
        self.end = end

    def observe_stage(self, stage: str, seconds: float) -> None:
        """A stage of the request that is being answered has just ended.

        Args:
            stage: its name.
            seconds: that it took.
        """
        end = time.time_ns()
        self._tracer.start_span(stage, start_time=end - round(seconds * 1e9)).end(end)


def install_tracing(app: FastAPI, exporter: SpanExporter) -> Tracing:
    """Trace each request of an application; its span has the request's id as ``http.response.header.x_request_id``.

    A span has the template of the path, and neither the path nor the query: these have ids of users.

    Args:
        app: whose requests are traced.
        exporter: takes the spans.

    Returns:
        What is told of stages; its ``end`` sends what has not been sent, and ends.
    """
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "recsys"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    FastAPIInstrumentor.instrument_app(
        app,
        tracer_provider=provider,
        server_request_hook=_hide_path,
        excluded_urls="healthz,readyz,metrics",
        http_capture_headers_server_response=[HEADER],
        exclude_spans=["send", "receive"],
    )

    def end() -> None:
        FastAPIInstrumentor.uninstrument_app(app)
        provider.shutdown()

    return Tracing(provider.get_tracer("recsys_serving"), end)


def _hide_path(span: Span, scope: dict[str, Any]) -> None:
    """Put the template in the place of all that has the path of a request."""
    attributes = getattr(span, "attributes", None) or {}  # a span that is not recorded has none
    for name in _WITH_PATH:
        if name in attributes:
            span.set_attribute(name, attributes.get("http.route", "none"))


def otlp_exporter(endpoint: str) -> SpanExporter:
    """Sends spans by OTLP over HTTP.

    Args:
        endpoint: of the collector, such as ``http://localhost:4318/v1/traces``.

    Raises:
        SettingsError: the exporter is not installed.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise SettingsError(
            "otel_endpoint requires the exporter of OpenTelemetry, which is not installed: "
            "pip install 'recsys-framework[tracing]'."
        ) from None
    exporter: SpanExporter = OTLPSpanExporter(endpoint=endpoint)
    return exporter
