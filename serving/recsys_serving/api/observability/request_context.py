"""The outermost layer around each request: its id, its line in the log, its time, an answer where there is a bug."""

from __future__ import annotations

from time import perf_counter

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recsys_serving.api.observability.metrics import ServiceMetrics
from recsys_serving.api.observability.request_ids import HEADER, choose_request_id, set_request_id
from recsys_serving.api.problems import problem_response

#: Route of a request that no route has taken.
NO_ROUTE = "none"

#: Methods that are counted by name; a client may make up others without end.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

#: Routes whose requests are not worth a line, because a machine asks every few seconds.
_UNLOGGED = frozenset({"/healthz", "/readyz", "/metrics"})

_log = structlog.get_logger("recsys_serving.requests")


class RequestContext:
    """Wraps an application.

    Args:
        app: what answers.
        metrics: counts and times.
    """

    def __init__(self, app: ASGIApp, metrics: ServiceMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = choose_request_id(dict(scope["headers"]).get(HEADER.lower().encode()))
        set_request_id(request_id)
        start, status = perf_counter(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers[HEADER] = request_id
                headers["X-Content-Type-Options"] = "nosniff"
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, receive, answer)
        except Exception:
            _log.exception("failed", route=_route(scope))
            if status:
                raise  # half of an answer has gone: the connection must end
            response = problem_response(
                500, f"The service has failed; its log says why under {request_id}.", scope["path"]
            )
            await response(scope, receive, answer)
        finally:
            self._note(scope, status, perf_counter() - start)

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = _route(scope)
        method = scope["method"] if scope["method"] in _METHODS else "other"
        self._metrics.count_request(route, method, status, seconds)
        if route not in _UNLOGGED or status >= 500:
            size = Headers(scope=scope).get("content-length", "0")
            _log.info(
                "answered",
                route=route,
                method=method,
                status=status,
                milliseconds=round(seconds * 1000, 2),
                body_bytes=int(size) if size.isdecimal() and len(size) < 16 else None,
                key_id=scope.get("state", {}).get("key_id"),
            )


def _route(scope: Scope) -> str:
    """The template of the path, in which ids have no part."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else NO_ROUTE
