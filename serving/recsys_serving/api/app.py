"""The application: routes, what stands around them, and nothing that is open before it starts."""

from __future__ import annotations

import gc
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib.metadata import PackageNotFoundError, version

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import HTMLResponse

from recsys_serving.api import strict_json
from recsys_serving.api.docs_page import docs_page
from recsys_serving.api.lifespan import lifespan_of
from recsys_serving.api.observability.logs import configure_logs
from recsys_serving.api.observability.metrics import ServiceMetrics
from recsys_serving.api.observability.request_context import RequestContext
from recsys_serving.api.observability.tracing import install_tracing, otlp_exporter
from recsys_serving.api.openapi import install_openapi
from recsys_serving.api.opening import open_parts
from recsys_serving.api.parts import ServiceParts
from recsys_serving.api.path_segments import PathSegments
from recsys_serving.api.problems import install_problem_handlers
from recsys_serving.api.routers import (
    bundle_reports,
    bundles,
    catalogue,
    erasures,
    experiment_analysis,
    experiments,
    health,
    interactions,
    items,
    keys,
    recommendations,
    users,
)
from recsys_serving.settings import ServiceSettings, read_settings

#: Answers that are smaller are not compressed.
_GZIP_BYTES = 1_000

_ROUTERS = (
    recommendations,
    interactions,
    items,
    catalogue,
    users,
    erasures,
    bundles,
    bundle_reports,
    experiments,
    experiment_analysis,
    keys,
    health,
)


def create_app(
    settings: ServiceSettings,
    open_them: Callable[[ServiceSettings, ServiceMetrics, ExitStack], ServiceParts] = open_parts,
) -> FastAPI:
    """An application of an installation.

    Args:
        settings: with the addresses of PostgreSQL and Redis; connections open when the application starts.
        open_them: opens all that answers.
    """
    metrics = ServiceMetrics(lambda: _gauges(app))

    def open_all(stack: ExitStack) -> ServiceParts:
        if tracing is not None:
            stack.callback(tracing.end)
        app.openapi()  # takes a second, which nobody shall wait for
        return open_them(settings, metrics, stack)

    app = FastAPI(
        title="recsys",
        version=_version(),
        lifespan=lifespan_of(settings, open_all),
        docs_url=None,
        redoc_url=None,
        generate_unique_id_function=lambda route: route.name,
        redirect_slashes=False,
    )
    setattr(app.state, strict_json.MAX_BODY_BYTES, settings.max_body_bytes)
    setattr(app.state, strict_json.MAX_JSON_DEPTH, settings.max_json_depth)
    for module in _ROUTERS:
        app.include_router(module.router)
    app.add_api_route("/docs", partial(_docs, app), include_in_schema=False, response_class=HTMLResponse)
    install_problem_handlers(app)
    install_openapi(app, settings)
    # The last one that is added stands outside of the others.
    app.add_middleware(PathSegments)
    app.add_middleware(GZipMiddleware, minimum_size=_GZIP_BYTES)
    app.add_middleware(RequestContext, metrics=metrics)
    # Before the application starts: what stands around its routes is put together with its first message.
    tracing = None if settings.otel_endpoint is None else install_tracing(app, otlp_exporter(settings.otel_endpoint))
    if tracing is not None:
        metrics.tell_stages(tracing.observe_stage)
    return app


def application() -> FastAPI:
    """The application of the environment's settings: what each worker of the server makes."""
    settings = read_settings()
    configure_logs(settings.log_level)
    return create_app(settings, open_frozen)


def open_frozen(settings: ServiceSettings, metrics: ServiceMetrics, stack: ExitStack) -> ServiceParts:
    """Open everything in a process that does nothing else; see :func:`recsys_serving.api.opening.open_parts`.

    What is open by then stays, so the garbage collector does not look at it again: looking at all objects of a bundle
    stops every thread for longer than a list takes.
    """
    parts = open_parts(settings, metrics, stack)
    gc.collect()
    gc.freeze()
    stack.callback(gc.unfreeze)
    return parts


def _gauges(app: FastAPI) -> dict[str, tuple[str, float]]:
    parts: ServiceParts = app.state.parts
    return {
        "recsys_spool_commands": ("Changes that wait for the store.", float(parts.writes.num_waiting())),
        "recsys_spool_refused_commands": ("Changes that the store refused.", float(parts.writes.num_refused())),
        **{
            f"recsys_{name}_up": (f"Whether the dependency {name} answers.", float(one.status == "up"))
            for name, one in parts.health.read().items()
        },
    }


async def _docs(app: FastAPI) -> HTMLResponse:
    return HTMLResponse(docs_page(app.openapi()))


def _version() -> str:
    try:
        return version("recsys-framework")
    except PackageNotFoundError:
        return "0"
