"""What users do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import Query, Response
from pydantic import StringConstraints

from recsys_serving.api.parts import Parts
from recsys_serving.api.path_segments import as_segment
from recsys_serving.api.problems import ProblemError
from recsys_serving.api.routing import (
    Cursor,
    Limit,
    PathId,
    api_router,
    check_most,
    created_at,
    operation,
    problem_answer,
    reply,
)
from recsys_serving.api.schemas.interactions import (
    AppendedInteraction,
    InteractionBatchBody,
    InteractionBatchResponse,
    InteractionBody,
    InteractionPageResponse,
    InteractionResponse,
)
from recsys_serving.api.schemas.shared import AcceptedResponse
from recsys_serving.store.errors import NotFound
from recsys_serving.store.events.records import AppendStatus, Interaction

router = api_router("interactions")

_WAITS = {"model": AcceptedResponse, "description": "The store is away; it is safe here and will be stored."}
_EXAMPLE = {"event_id": "web-7f3a", "user_id": "196", "item_id": "50", "type": "rating", "value": 5}


@router.post(
    "/v1/interactions",
    status_code=201,
    response_model=InteractionResponse,
    **operation(
        "write",
        409,
        summary="Tell an interaction",
        examples={
            "a rating": _EXAMPLE,
            "a click on a recommended item": _EXAMPLE
            | {"event_id": "web-7f3b", "type": "click", "value": None, "position": 2},
        },
        others={
            200: {"model": InteractionResponse, "description": "It was there already."},
            201: created_at(
                "/v1/interactions/{event_id}",
                get_interaction={"event_id": "$response.body#/event_id"},
                delete_interaction={"event_id": "$response.body#/event_id"},
                list_interactions={"user_id": "$response.body#/user_id"},
                recommend_to_user={"user_id": "$response.body#/user_id"},
            ),
            202: _WAITS,
        },
    ),
)
def add_interaction(body: InteractionBody, parts: Parts) -> Response:
    """The next answer for the user knows it. Sending it again with the same event_id changes nothing."""
    interaction = body.to_interaction()
    result = parts.writes.append([interaction], _untimed([body], [interaction]))
    if result.value is None:
        return reply(AcceptedResponse(id=interaction.event_id), 202)
    (status,) = result.value
    if status is AppendStatus.CONFLICT:
        raise ProblemError(
            409, f"The event_id {interaction.event_id!r} stands for another interaction. Choose another event_id."
        )
    headers = {"Location": f"/v1/interactions/{as_segment(interaction.event_id)}"}
    if status is AppendStatus.REPLAYED:
        stored = parts.store.interactions.get(interaction.event_id)
        return reply(InteractionResponse.of(stored or interaction), 200, headers)
    return reply(InteractionResponse.of(interaction), 201, headers)


@router.post(
    "/v1/interactions/batch",
    response_model=InteractionBatchResponse,
    **operation(
        "write",
        summary="Tell several interactions",
        examples={"two": {"interactions": [_EXAMPLE, {"user_id": "196", "item_id": "172", "type": "view"}]}},
        others={202: {"model": InteractionBatchResponse, "description": _WAITS["description"]}},
    ),
)
def add_interactions(body: InteractionBatchBody, parts: Parts) -> Response:
    """All in one transaction; what became of each is in the answer, and those that conflict change nothing."""
    check_most("interactions", len(body.interactions), parts.settings.max_batch)
    interactions = [one.to_interaction() for one in body.interactions]
    result = parts.writes.append(interactions, _untimed(body.interactions, interactions))
    statuses = ["accepted"] * len(interactions) if result.value is None else [str(one) for one in result.value]
    told = [
        AppendedInteraction.model_validate({"event_id": one.event_id, "status": status})
        for one, status in zip(interactions, statuses, strict=True)
    ]
    return reply(InteractionBatchResponse(interactions=told), 202 if result.is_spooled else 200)


@router.get(
    "/v1/interactions/{event_id}",
    response_model=InteractionResponse,
    **operation("read", 404, summary="Read an interaction"),
)
def get_interaction(event_id: PathId, parts: Parts) -> Response:
    """An interaction by the id of its event."""
    return reply(InteractionResponse.of(_found(parts.store.interactions.get(event_id), event_id)))


@router.delete(
    "/v1/interactions/{event_id}",
    status_code=204,
    response_model=None,
    **operation("write", 404, summary="Take an interaction back", others={202: _WAITS, 404: problem_answer(404)}),
)
def delete_interaction(event_id: PathId, parts: Parts) -> Response:
    """The next answer for its user does not know it any more."""
    result = parts.writes.delete_interaction(event_id)
    if result.is_spooled:
        return reply(AcceptedResponse(id=event_id), 202)
    if not result.value:
        raise _no_interaction(event_id)
    return Response(status_code=204)


@router.get(
    "/v1/users/{user_id}/interactions",
    response_model=InteractionPageResponse,
    **operation("read", summary="Read the interactions of a user"),
)
def list_interactions(
    user_id: PathId,
    parts: Parts,
    limit: Limit = 100,
    cursor: Cursor = None,
    type: Annotated[Annotated[str, StringConstraints(min_length=1, max_length=64)] | None, Query()] = None,
    titles: Annotated[bool, Query(description="Whether the answer has the titles of the items.")] = False,
) -> Response:
    """The latest first; of a user who is not known, none."""
    purpose = f"interactions of {type!r} {user_id!r}"
    place = None if cursor is None else parts.cursors.read_moment(purpose, cursor)
    page = parts.store.interactions.list_for_user(user_id, limit, place, None if type is None else [type])
    following = None if page.next_cursor is None else parts.cursors.write_moment(purpose, page.next_cursor)
    told = [InteractionResponse.of(one) for one in page.interactions]
    named = None
    if titles:
        named = parts.recommendations.titles_of(list(dict.fromkeys(one.item_id for one in page.interactions)))
    return reply(InteractionPageResponse(interactions=told, next_cursor=following, titles=named))


def _untimed(bodies: Sequence[InteractionBody], interactions: Sequence[Interaction]) -> set[str]:
    """Ids of the events whose moment the client did not give, so that it is no part of what a replay repeats."""
    pairs = zip(bodies, interactions, strict=True)
    return {interaction.event_id for body, interaction in pairs if body.occurred_at is None}


def _found(interaction: Interaction | None, event_id: str) -> Interaction:
    if interaction is None:
        raise _no_interaction(event_id)
    return interaction


def _no_interaction(event_id: str) -> NotFound:
    return NotFound(f"There is no interaction with the event_id {event_id!r}.")
