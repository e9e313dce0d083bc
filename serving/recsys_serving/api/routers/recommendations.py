"""Lists for users and sessions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any

import orjson
from fastapi import Query, Request, Response
from pydantic import Discriminator, StringConstraints, Tag

from recsys_serving.api.parts import Caller, Parts, ServiceParts
from recsys_serving.api.path_segments import segment_text
from recsys_serving.api.problems import ProblemError
from recsys_serving.api.routing import Cursor, Metadata, PathId, api_router, check_most, operation, plain_requests
from recsys_serving.api.schemas.base import MAX_ID, ONE, SEVERAL
from recsys_serving.api.schemas.recommendations import (
    MAX_K,
    ElicitationResponse,
    PreviewBody,
    RecommendationBatchBody,
    RecommendationBatchResponse,
    RecommendationBody,
    RecommendationResponse,
)
from recsys_serving.api.security.api_keys import Principal
from recsys_serving.experimenting.reading import find_experiment, treatment_of
from recsys_serving.recommending.assignments import Treatment
from recsys_serving.recommending.types import RecommendationAnswer, RecommendationQuery
from recsys_serving.store.errors import NotFound

router = api_router("recommendations")

#: Items of a list where nothing is said.
DEFAULT_K = 10
_PLAIN_QUERY = re.compile(rb"(k=(?P<k>[1-9][0-9]{0,3}))?")


def _form(body: Any) -> str:
    return SEVERAL if isinstance(body, dict) and "requests" in body else ONE


Bodies = Annotated[
    Annotated[RecommendationBody, Tag(ONE)] | Annotated[RecommendationBatchBody, Tag(SEVERAL)], Discriminator(_form)
]

_EXAMPLES = {
    "ten items for a user": {"user_id": "196", "k": 10},
    "somebody who is not known": {"session": {"history": [{"item_id": "50", "value": 5}, {"item_id": "172"}]}, "k": 5},
    "filters, boosts and diversity": {
        "user_id": "196",
        "filters": {"genres": {"any_of": ["Drama"]}},
        "boosts": [{"filters": {"genres": {"any_of": ["Romance"]}}, "factor": 1.2}],
        "diversity": {"kind": "mmr", "weight": 0.3},
    },
    "the way to a list": {"user_id": "196", "k": 5, "trace": True, "log_exposure": False},
    "as another bundle has it": {"user_id": "196", "k": 5, "preview": {"bundle": "second"}},
    "as a variant has it": {"user_id": "196", "preview": {"experiment_id": "diversity-1", "variant": "diverse"}},
    "several at once": {"requests": [{"user_id": "196", "k": 3}, {"user_id": "186", "k": 3}]},
}


@router.post(
    "/v1/recommendations",
    response_model=RecommendationResponse | RecommendationBatchResponse,
    **operation("read", summary="Recommend items", examples=_EXAMPLES),
)
def recommend(body: Bodies, parts: Parts, caller: Caller) -> Response:
    """A list for a user, a session or nobody in particular; or, with ``requests``, several lists.

    With `trace` a list says how it came about; with `preview` it is that of another bundle or of a variant.
    """
    if isinstance(body, RecommendationBody):
        _check(body, parts)
        return _json(_inspected(body, parts, caller) if _is_inspected(body) else _answers([body.to_query()], parts)[0])
    check_most("requests", len(body.requests), parts.settings.max_requests)
    for one in body.requests:
        _check(one, parts)
    usual = iter(_answers([one.to_query() for one in body.requests if not _is_inspected(one)], parts))
    lists = [_inspected(one, parts, caller) if _is_inspected(one) else next(usual) for one in body.requests]
    return _json({"recommendations": lists})


def _plain_list(request: Request) -> dict[str, Any] | None:
    """The arguments of :func:`recommend_to_user` for a request that says no more than a length."""
    found = _PLAIN_QUERY.fullmatch(request.scope["query_string"])
    user_id = request.path_params["user_id"]
    if found is None or not 1 <= len(user_id) <= MAX_ID:
        return None
    k = int(found["k"] or DEFAULT_K)
    if not 1 <= k <= MAX_K:
        return None
    return {"user_id": segment_text(user_id), "parts": request.app.state.parts, "k": k}


@router.get(
    "/v1/users/{user_id}/recommendations",
    response_model=RecommendationResponse,
    **operation("read", summary="Recommend items to a user"),
)
@plain_requests(_plain_list)
def recommend_to_user(
    user_id: PathId,
    parts: Parts,
    k: Annotated[int, Query(ge=1, le=MAX_K)] = DEFAULT_K,
    explain: bool = False,
    scenario: Annotated[Annotated[str, StringConstraints(min_length=1, max_length=64)] | None, Query()] = None,
    cursor: Cursor = None,
) -> Response:
    """The plain list of a user; a user who is not known gets what is popular."""
    check_most("k", k, parts.settings.max_k)
    query = RecommendationQuery(user_id=user_id, k=k, explain=explain, scenario=scenario, cursor=cursor)
    return _json(_answers([query], parts)[0])


@router.get(
    "/v1/elicitation",
    response_model=ElicitationResponse,
    **operation("read", summary="Items to ask a new user about"),
)
def elicitation(
    parts: Parts,
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 10,
    exclude_items: Annotated[
        list[Annotated[str, StringConstraints(min_length=1, max_length=MAX_ID)]],
        Query(max_length=200, description="Ids of items that were asked about; once for each."),
    ] = [],  # noqa: B006, FastAPI copies it
    metadata: Metadata = [],  # noqa: B006
) -> Response:
    """Items that many know and that tell most of a taste: what a new user likes of them is a session."""
    check_most("k", k, parts.settings.max_k)
    return _json(parts.recommendations.elicitation(k, exclude_items, metadata))


def _check(body: RecommendationBody, parts: ServiceParts) -> None:
    check_most("k", body.k, parts.settings.max_k)
    check_most("exclude_items", len(body.exclude_items), parts.settings.max_list)
    if body.session is not None:
        check_most("session.history", len(body.session.history), parts.settings.max_history)


def _is_inspected(body: RecommendationBody) -> bool:
    return body.trace or body.preview is not None


def _inspected(body: RecommendationBody, parts: ServiceParts, caller: Principal) -> dict[str, Any]:
    """The list of somebody who looks at the service, and the way to it."""
    treatment = None if body.preview is None else _previewed(body.preview, parts, caller)
    answer, trace = parts.recommendations.inspect(body.to_query(), treatment, body.trace)
    told = {name: getattr(answer, name) for name in answer.__dataclass_fields__}
    return told if trace is None else {**told, "trace": trace}


def _previewed(preview: PreviewBody, parts: ServiceParts, caller: Principal) -> Treatment:
    """What makes the list in place of what the user gets."""
    if "admin" not in caller.scopes:
        raise ProblemError(403, "preview needs a key with the scope admin.")
    if preview.experiment_id is not None and preview.variant is not None:
        treatment = treatment_of(find_experiment(parts.store, preview.experiment_id), preview.variant)
    else:
        treatment = Treatment(bundle=preview.bundle)
    available = parts.recommendations.available_bundles()
    if treatment.bundle is not None and treatment.bundle not in available:
        raise NotFound(f"There is no bundle {treatment.bundle!r}; there are {', '.join(available) or 'none'}.")
    return treatment


def _answers(queries: Sequence[RecommendationQuery], parts: ServiceParts) -> list[RecommendationAnswer]:
    answers = parts.recommendations.recommend(queries)
    for answer in answers:
        parts.metrics.count_answer(answer.variant or "none", answer.degraded)
    return answers


def _json(answer: object) -> Response:
    """Data classes as JSON, without a detour over models: a list is what is asked for most."""
    return Response(
        orjson.dumps(answer, default=_plain, option=orjson.OPT_SERIALIZE_NUMPY), media_type="application/json"
    )


def _plain(value: Any) -> Any:
    return dict(value) if hasattr(value, "items") else str(value)
