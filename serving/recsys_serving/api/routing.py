"""How a route is declared: with the scope that it needs, its examples, and the problems that it may tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.routing import APIRoute
from pydantic import AfterValidator, StringConstraints, WithJsonSchema
from starlette.concurrency import run_in_threadpool

from recsys_serving.api.entity_tags import TAG_PATTERN
from recsys_serving.api.path_segments import segment_text
from recsys_serving.api.problems import KINDS, MEDIA_TYPE, Fault, ProblemError
from recsys_serving.api.schemas.base import CURSOR_PATTERN, MAX_ID, ResponseBody
from recsys_serving.api.security.api_keys import Scope
from recsys_serving.api.strict_json import StrictRequest, check_told_size

#: Where an operation says which scope it needs.
SCOPE_KEY = "x-required-scope"
PROBLEM_SCHEMA = "#/components/schemas/ProblemResponse"

#: An id in a path.
PathId = Annotated[
    str,
    Path(min_length=1, max_length=MAX_ID, description="Percent-encoded; a slash is %2F."),
    AfterValidator(segment_text),
]
#: A name in a path: of a bundle, an experiment or a key.
PathName = Annotated[str, Path(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:\-]*$")]
Cursor = Annotated[
    Annotated[str, StringConstraints(min_length=1, max_length=4_096, pattern=CURSOR_PATTERN)] | None,
    Query(description="next_cursor of the page before; none for the first page."),
]
Limit = Annotated[int, Query(ge=1, le=1_000, description="Rows of a page, at most.")]
#: Columns of items that an answer has for each of them.
Metadata = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=128)]],
    Query(max_length=50, description="Columns of the items to answer with; once for each."),
]
IfMatch = Annotated[
    Annotated[str, WithJsonSchema({"type": "string", "pattern": TAG_PATTERN})] | None,
    Header(description="ETag of the record that the change is meant for; another one's change gives 412."),
]
IfNoneMatch = Annotated[str | None, Header(description="ETag that the client has; the same one gives 304.")]

#: The arguments of an endpoint for a plain request; None: it is not plain.
PlainArguments = Callable[[Request], Mapping[str, Any] | None]
_PLAIN = "plain_arguments"


class ApiRoute(APIRoute):
    """A route that lets nobody in without a key, and reads its body strictly."""

    def get_route_handler(self) -> Callable[[Request], Any]:
        """What answers."""
        answer = super().get_route_handler()
        scope = (self.openapi_extra or {}).get(SCOPE_KEY)
        plain_arguments: PlainArguments | None = getattr(self.endpoint, _PLAIN, None)

        async def handle(request: Request) -> Response:
            strict = StrictRequest(request.scope, request.receive)
            check_told_size(strict)
            if scope is not None:
                strict.state.principal = await strict.app.state.parts.guard.admit(strict, scope)
            if plain_arguments is not None and (arguments := plain_arguments(strict)) is not None:
                return await run_in_threadpool(self.endpoint, **arguments)
            return await answer(strict)

        return handle


def plain_requests(arguments: PlainArguments) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Let the plainest requests of an endpoint pass FastAPI's own reading, which takes longer than all other checks.

    Args:
        arguments: those of the endpoint for a request that is valid for certain; None for any other, which is read, and
            refused where that is due, as always. What the endpoint returns is the answer.
    """

    def marked(endpoint: Callable[..., Response]) -> Callable[..., Response]:
        setattr(endpoint, _PLAIN, arguments)
        return endpoint

    return marked


def api_router(tag: str) -> APIRouter:
    """Routes of one resource."""
    return APIRouter(tags=[tag], route_class=ApiRoute)


def operation(
    scope: Scope | None,
    *problems: int,
    summary: str,
    examples: Mapping[str, Any] | None = None,
    others: Mapping[int, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Arguments of a route.

    Args:
        scope: what the key must be allowed; None: anybody may ask.
        problems: statuses that it may tell, besides those of every route.
        summary: what it does.
        examples: bodies, by what they show.
        others: further answers, by status: as FastAPI's ``responses``.
    """
    statuses = {*problems, 400, 413, 422} | ({401, 403, 429, 503} if scope is not None else set())
    extra: dict[str, Any] = {}
    if scope is not None:
        extra |= {SCOPE_KEY: scope, "security": [{"key": []}]}
    if examples:
        written = {name.replace(" ", "_"): {"summary": name, "value": value} for name, value in examples.items()}
        extra["requestBody"] = {"content": {"application/json": {"examples": written}}}
        statuses.add(415)
    responses: dict[int | str, dict[str, Any]] = {status: problem_answer(status) for status in sorted(statuses)}
    responses |= {status: dict(answer) for status, answer in (others or {}).items()}
    return {"summary": summary, "responses": responses, "openapi_extra": extra}


def problem_answer(status: int) -> dict[str, Any]:
    """How an answer that tells a problem is documented."""
    return {"description": KINDS[status].title, "content": {MEDIA_TYPE: {"schema": {"$ref": PROBLEM_SCHEMA}}}}


def created_at(path: str, **links: Mapping[str, str]) -> dict[str, Any]:
    """How an answer is documented that has made something.

    Args:
        path: of what was made, for people.
        links: by the operation that goes on from here: parameter -> place in the answer.
    """
    return {
        "description": f"Made; the header Location is {path}.",
        "headers": {"Location": {"description": path, "schema": {"type": "string"}}},
        "links": {name: {"operationId": name, "parameters": dict(parameters)} for name, parameters in links.items()},
    }


def reply(body: ResponseBody, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """An answer of JSON."""
    return Response(body.model_dump_json(), status, dict(headers or {}), "application/json")


def check_most(field: str, came: int, most: int) -> None:
    """Require that something is not more than the settings of the installation allow.

    Raises:
        ProblemError: 422, it is.
    """
    if came > most:
        raise ProblemError(
            422, f"{field} may be {most} at most here, but {came} came.", [Fault(field, f"At most {most}")]
        )
