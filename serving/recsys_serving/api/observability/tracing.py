"""Traces by OpenTelemetry, where an endpoint is set; otherwise none of its libraries is imported."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import FastAPI

from recsys.errors import SettingsError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter


def install_tracing(app: FastAPI, exporter: SpanExporter) -> Callable[[], None]:
    """Trace each request of an application.

    Args:
        app: whose requests are traced.
        exporter: takes the spans.

    Returns:
        Sends what has not been sent, and ends.
    """
    from opentelemetry.instrumentation.fastapi import FastAPIInstrumentor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "recsys"}))
    provider.add_span_processor(BatchSpanProcessor(exporter))
    FastAPIInstrumentor.instrument_app(app, tracer_provider=provider, excluded_urls="healthz,readyz,metrics")

    def end() -> None:
        FastAPIInstrumentor.uninstrument_app(app)
        provider.shutdown()

    return end


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
