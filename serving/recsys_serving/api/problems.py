"""Errors as the API tells them: ``application/problem+json`` (RFC 9457), whatever went wrong.

What the service raises becomes a problem by :func:`install_problem_handlers`; a bug becomes one in
:mod:`recsys_serving.api.observability.request_context`, and its traceback goes to the log alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import Response

from recsys.errors import BundleError, RecsysError, RequestError, RetrievalError, ServingError, SettingsError
from recsys_serving.api.observability.request_ids import current_request_id
from recsys_serving.api.schemas.base import ONE, SEVERAL
from recsys_serving.store.errors import (
    Conflict,
    NotFound,
    PreconditionFailed,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)

MEDIA_TYPE = "application/problem+json"

#: Faults of a request that are told; further ones are only counted.
MAX_FAULTS = 20

#: Seconds after which a request may be tried again where the store is away.
RETRY_AFTER_SECONDS = 2


_STORE_AWAY = "The store is away or too slow, and this cannot be answered without it. Try again in a moment."

_log = structlog.get_logger("recsys_serving.problems")


@dataclass(frozen=True, slots=True)
class ProblemKind:
    """A kind of problem: its name in the URI of its type, its title and its status."""

    name: str
    title: str
    status: int


#: All kinds, by status.
KINDS: Mapping[int, ProblemKind] = MappingProxyType(
    {
        kind.status: kind
        for kind in (
            ProblemKind("malformed", "The request cannot be read", 400),
            ProblemKind("unauthenticated", "A valid API key is required", 401),
            ProblemKind("forbidden", "The key does not have the scope that is required", 403),
            ProblemKind("not-found", "It does not exist", 404),
            ProblemKind("method-not-allowed", "The method is not allowed here", 405),
            ProblemKind("conflict", "It contradicts what is there", 409),
            ProblemKind("precondition-failed", "It was changed meanwhile", 412),
            ProblemKind("too-large", "The request is too large", 413),
            ProblemKind("media-type", "The body must be JSON", 415),
            ProblemKind("invalid", "A value is not as required", 422),
            ProblemKind("too-many-requests", "Too many requests", 429),
            ProblemKind("internal", "The service has failed", 500),
            ProblemKind("unavailable", "What this needs is away", 503),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field.

    Args:
        field: where it is, such as ``body.items.0.title``.
        message: what was required.
    """

    field: str
    message: str


class ProblemError(HTTPException):
    """A problem that an endpoint tells.

    Args:
        status: of the answer.
        detail: what was required, what came, what to do.
        faults: of single fields.
        headers: of the answer.
    """

    def __init__(
        self, status: int, detail: str, faults: Sequence[Fault] = (), headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(status, detail, dict(headers or {}))
        self.faults = tuple(faults)


def problem_response(
    status: int,
    detail: str,
    path: str,
    faults: Sequence[Fault] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """The answer that tells a problem.

    Args:
        status: of the answer.
        detail: what was required, what came, what to do.
        path: of the request.
        faults: of single fields.
        headers: of the answer.
    """
    kind = KINDS.get(status)
    phrase = HTTPStatus(status).phrase if status in HTTPStatus._value2member_map_ else "Error"
    body: dict[str, Any] = {
        "type": "about:blank" if kind is None else f"/docs#{kind.name}",
        "title": phrase if kind is None else kind.title,
        "status": status,
        "detail": detail,
        "instance": path,
        "request_id": current_request_id(),
    }
    if faults:
        body["errors"] = [{"field": fault.field, "message": fault.message} for fault in faults[:MAX_FAULTS]]
        if len(faults) > MAX_FAULTS:
            body["detail"] += f" {len(faults) - MAX_FAULTS} further faults are not listed."
    return Response(orjson.dumps(body), status, headers=dict(headers or {}), media_type=MEDIA_TYPE)


@dataclass(frozen=True, slots=True)
class _Told:
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)


#: The first that fits counts.
_STATUSES: tuple[tuple[type[RecsysError], int], ...] = (
    (NotFound, 404),
    (Conflict, 409),
    (PreconditionFailed, 412),
    (StoreRefused, 422),
)


def _told(error: RecsysError) -> _Told:
    """How an error of the library is told; its message is fit for a user."""
    retry = {"Retry-After": str(RETRY_AFTER_SECONDS)}
    for kind, status in _STATUSES:
        if isinstance(error, kind):
            return _Told(status)
    if isinstance(error, (RequestError, RetrievalError, SettingsError)):
        return _Told(422)
    if isinstance(error, BundleError):
        return _Told(409)
    if isinstance(error, ServingError):
        return _Told(503, retry)
    return _Told(422)


def install_problem_handlers(app: FastAPI) -> None:
    """Let ``app`` tell every error as a problem."""

    async def known(request: Request, error: Exception) -> Response:
        assert isinstance(error, StarletteHTTPException)
        faults = error.faults if isinstance(error, ProblemError) else ()
        detail = error.detail if isinstance(error, ProblemError) else _routing_detail(error.status_code, request)
        headers = dict(error.headers or {})
        if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            headers["Allow"] = ", ".join(_methods(app, request)) or headers.get("Allow", "")
        return problem_response(error.status_code, detail, request.url.path, faults, headers)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = [Fault(_place(fault["loc"]), _message(fault)) for fault in error.errors()]
        return problem_response(422, "Some values are not as required.", request.url.path, faults)

    async def library(request: Request, error: Exception) -> Response:
        assert isinstance(error, RecsysError)
        told, detail = _told(error), str(error)
        if type(error) in (StoreUnavailable, StoreError):
            _log.warning("the store failed", error=detail)
            detail = _STORE_AWAY  # the error's own text names addresses
        return problem_response(told.status, detail, request.url.path, headers=told.headers)

    async def wrong_answer(request: Request, error: Exception) -> Response:
        raise error  # a bug: the request's context logs it

    app.add_exception_handler(StarletteHTTPException, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(RecsysError, library)
    app.add_exception_handler(ResponseValidationError, wrong_answer)


def _methods(app: FastAPI, request: Request) -> list[str]:
    """What is allowed at the path of a request, by all of its routes."""
    paths = app.openapi()["paths"]
    # The path itself before one with a parameter that would take it as well.
    path = request.url.path if request.url.path in paths else getattr(request.scope.get("route"), "path", None)
    return sorted(method.upper() for method in paths.get(path, ()))


def _routing_detail(status: int, request: Request) -> str:
    if status == HTTPStatus.NOT_FOUND:
        return "There is nothing at this path. /openapi.json has the paths that there are."
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        return f"{request.method} is not allowed here. The header Allow has what is."
    return KINDS[status].title + "." if status in KINDS else "The request failed."


def _place(location: Sequence[int | str]) -> str:
    return ".".join(str(part) for part in location if part not in (ONE, SEVERAL))


def _message(fault: Mapping[str, Any]) -> str:
    """What pydantic says of a value, without the value."""
    message = str(fault["msg"]).removeprefix("Value error, ")
    return message[:1].upper() + message[1:]
