"""Users: what is known of them, and how they are forgotten."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response
from pydantic import StringConstraints

from recsys_serving.api.entity_tags import entity_tag, expected_revision, is_not_modified
from recsys_serving.api.parts import Caller, Parts
from recsys_serving.api.path_segments import as_segment
from recsys_serving.api.routing import (
    Cursor,
    IfMatch,
    IfNoneMatch,
    Limit,
    PathId,
    api_router,
    created_at,
    operation,
    reply,
)
from recsys_serving.api.schemas.base import MAX_ID
from recsys_serving.api.schemas.interactions import InteractionResponse
from recsys_serving.api.schemas.shared import AcceptedResponse
from recsys_serving.api.schemas.users import (
    ExportResponse,
    ExposureResponse,
    MergeBody,
    MergeResponse,
    UserBody,
    UserChangeBody,
    UserPageResponse,
    UserResponse,
)
from recsys_serving.store.errors import NotFound
from recsys_serving.store.users.records import User

router = api_router("users")

_WAITS = {"model": AcceptedResponse, "description": "The store is away; it is safe here and will be stored."}
_LINKS = {
    name: {"user_id": "$response.body#/user_id"}
    for name in ("get_user", "change_user", "export_user", "recommend_to_user", "list_interactions", "erase_user")
}


@router.post(
    "/v1/users",
    status_code=201,
    response_model=UserResponse,
    **operation(
        "write",
        409,
        summary="Add a user",
        examples={
            "a user": {"user_id": "anna", "properties": {"age": 31}},
            "no profiling": {"user_id": "ben", "profiling": False},
        },
        others={201: created_at("/v1/users/{user_id}", **_LINKS), 202: _WAITS},
    ),
)
def add_user(body: UserBody, parts: Parts) -> Response:
    """Not needed before interactions are told: an interaction makes its user."""
    result = parts.writes.create_user(body.user_id, body.properties, body.profiling)
    if result.value is None:
        return reply(AcceptedResponse(id=body.user_id), 202)
    return _user_reply(result.value, 201, {"Location": f"/v1/users/{as_segment(body.user_id)}"})


@router.get(
    "/v1/users",
    response_model=UserPageResponse,
    **operation("admin", summary="Find users by how their ids begin"),
)
def list_users(
    parts: Parts,
    prefix: Annotated[Annotated[str, StringConstraints(max_length=MAX_ID)], Query()] = "",
    limit: Limit = 20,
    cursor: Cursor = None,
) -> Response:
    """In the order of their ids; with ``prefix`` those that begin with it."""
    purpose = f"users {prefix!r}"
    after = None if cursor is None else parts.cursors.read(purpose, cursor)
    users = parts.store.users.list_users(limit, after, prefix)
    following = parts.cursors.write(purpose, users[-1].user_id) if len(users) == limit else None
    return reply(UserPageResponse(users=[UserResponse.of(user) for user in users], next_cursor=following))


@router.get(
    "/v1/users/{user_id}",
    response_model=UserResponse,
    **operation("read", 404, summary="Read a user", others={304: {"description": "The client has this revision."}}),
)
def get_user(user_id: PathId, parts: Parts, if_none_match: IfNoneMatch = None) -> Response:
    """A user; one that was merged names its account."""
    user = parts.store.users.get(user_id)
    if user is None:
        raise _no_user(user_id)
    if is_not_modified(if_none_match, user.revision):
        return Response(status_code=304, headers={"ETag": entity_tag(user.revision)})
    return _user_reply(user)


@router.patch(
    "/v1/users/{user_id}",
    response_model=UserResponse,
    **operation(
        "write",
        404,
        412,
        summary="Change a user",
        examples={"no profiling": {"profiling": False}, "a property": {"properties": {"age": 32}}},
        others={202: _WAITS},
    ),
)
def change_user(user_id: PathId, body: UserChangeBody, parts: Parts, if_match: IfMatch = None) -> Response:
    """Without profiling the next list is what is popular, and what the user does trains no model."""
    result = parts.writes.update_user(user_id, body.properties, body.profiling, expected_revision(if_match))
    if result.value is None:
        return reply(AcceptedResponse(id=user_id), 202)
    return _user_reply(result.value)


@router.post(
    "/v1/users/{user_id}/merge",
    response_model=MergeResponse,
    **operation(
        "write",
        404,
        409,
        summary="Merge a user into this one",
        examples={"a visitor who logs in": {"from_user_id": "visitor-81f2"}},
        others={202: _WAITS},
    ),
)
def merge_user(user_id: PathId, body: MergeBody, parts: Parts) -> Response:
    """All that the other one did is this one's from now on, and what comes under the old id as well."""
    result = parts.writes.merge(body.from_user_id, user_id)
    if result.value is None:
        return reply(AcceptedResponse(id=user_id), 202)
    merged = result.value
    return reply(MergeResponse(user=UserResponse.of(merged.user), num_interactions=merged.num_interactions))


@router.get(
    "/v1/users/{user_id}/export",
    response_model=ExportResponse,
    **operation("admin", 404, summary="All that is known of a user"),
)
def export_user(user_id: PathId, parts: Parts, caller: Caller) -> Response:
    """For a user who asks for their data."""
    export = parts.store.users.export(user_id)
    return reply(
        ExportResponse(
            user=UserResponse.of(export.user),
            merged_users=[UserResponse.of(user) for user in export.merged_users],
            interactions=[InteractionResponse.of(one) for one in export.interactions],
            exposures=[ExposureResponse.of(one) for one in export.exposures],
        )
    )


def _user_reply(user: User, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return reply(UserResponse.of(user), status, {"ETag": entity_tag(user.revision), **(headers or {})})


def _no_user(user_id: str) -> NotFound:
    return NotFound(f"There is no user {user_id!r}.")
