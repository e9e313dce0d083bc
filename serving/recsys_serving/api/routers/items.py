"""The catalogue."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from pydantic import StringConstraints

from recsys_serving.api.entity_tags import entity_tag, expected_revision, is_not_modified
from recsys_serving.api.parts import Parts, ServiceParts
from recsys_serving.api.path_segments import as_segment
from recsys_serving.api.routing import (
    Cursor,
    IfMatch,
    IfNoneMatch,
    Limit,
    Metadata,
    PathId,
    api_router,
    check_most,
    created_at,
    operation,
    problem_answer,
    reply,
)
from recsys_serving.api.schemas.items import (
    ActivityPeriod,
    ItemActivityResponse,
    ItemBatchBody,
    ItemBatchResponse,
    ItemBody,
    ItemChangeBody,
    ItemContent,
    ItemPageResponse,
    ItemResponse,
    ItemSummary,
    catalogue_item,
)
from recsys_serving.api.schemas.recommendations import MAX_K, SimilarResponse
from recsys_serving.api.schemas.shared import AcceptedResponse
from recsys_serving.recommending.types import CatalogueItem
from recsys_serving.store.errors import NotFound, StoreUnavailable
from recsys_serving.store.items.records import Item, ItemDraft, ItemSource
from recsys_serving.writing.write_gateway import ItemPatch

router = api_router("items")

_WAITS = {"model": AcceptedResponse, "description": "The store is away; it is safe here and will be stored."}
_CONTENT = {"title": "Brief Encounter (1945)", "properties": {"genres": "Drama|Romance"}, "available": True}
_LINKS = {
    name: {"item_id": "$response.body#/item_id"}
    for name in ("get_item", "put_item", "change_item", "delete_item", "similar_items")
}


@router.get(
    "/v1/items",
    response_model=ItemPageResponse,
    **operation("read", summary="Search the catalogue, or read it"),
)
def list_items(
    parts: Parts,
    query: Annotated[Annotated[str, StringConstraints(min_length=1, max_length=200)] | None, Query()] = None,
    limit: Limit = 20,
    cursor: Cursor = None,
    metadata: Metadata = [],  # noqa: B006, FastAPI copies it
) -> Response:
    """With ``query`` the items whose titles match, also misspelt, with the columns of ``metadata``.

    Without it all items, with all of their columns, in the order of their ids.
    """
    if query is not None:
        return _search(parts, query, limit, cursor, metadata)
    after = None if cursor is None else parts.cursors.read("items", cursor)
    items = parts.store.items.list_items(limit, after)
    following = parts.cursors.write("items", items[-1].item_id) if len(items) == limit else None
    told = [ItemSummary.of_item(item) for item in items]
    return reply(ItemPageResponse(items=told, total=None, next_cursor=following))


def _search(parts: ServiceParts, query: str, limit: int, cursor: str | None, metadata: list[str]) -> Response:
    purpose = f"search {query}"
    offset = 0 if cursor is None else int(parts.cursors.read(purpose, cursor))
    found = parts.recommendations.search(query, limit, offset, metadata)
    end = offset + len(found.items)
    following = parts.cursors.write(purpose, end) if found.items and end < found.total else None
    told = [ItemSummary.of_match(item) for item in found.items]
    return reply(ItemPageResponse(items=told, total=found.total, next_cursor=following))


@router.post(
    "/v1/items",
    status_code=201,
    response_model=ItemResponse,
    **operation(
        "write",
        409,
        summary="Add an item",
        examples={"a film": {"item_id": "film-1945", **_CONTENT}},
        others={201: created_at("/v1/items/{item_id}", **_LINKS), 202: _WAITS},
    ),
)
def add_item(body: ItemBody, parts: Parts) -> Response:
    """The next list can have it; a model that knows items by their columns places it by them."""
    draft = body.to_draft(body.item_id)
    notes = parts.recommendations.check_items([catalogue_item(draft)])
    result = parts.writes.create_item(draft)
    parts.recommendations.add_items([catalogue_item(draft)])
    if result.value is None:
        return reply(AcceptedResponse(id=draft.item_id), 202)
    return _item_reply(result.value, 201, notes, {"Location": f"/v1/items/{as_segment(draft.item_id)}"})


@router.post(
    "/v1/items/batch",
    response_model=ItemBatchResponse,
    **operation(
        "write",
        summary="Put several items",
        examples={
            "two": {"items": [{"item_id": "film-1945", **_CONTENT}, {"item_id": "film-1946", "available": False}]}
        },
        others={202: _WAITS},
    ),
)
def put_items(body: ItemBatchBody, parts: Parts) -> Response:
    """All or none; items that are there are replaced."""
    check_most("items", len(body.items), parts.settings.max_batch)
    drafts = [one.to_draft(one.item_id) for one in body.items]
    told = [catalogue_item(draft) for draft in drafts]
    notes = parts.recommendations.check_items(told)
    result = parts.writes.put_items(drafts)
    parts.recommendations.add_items(told)
    if result.value is None:
        return reply(AcceptedResponse(), 202)
    return reply(ItemBatchResponse(items=[ItemResponse.of(item) for item in result.value], notes=list(notes)))


@router.get(
    "/v1/items/{item_id}",
    response_model=ItemResponse,
    **operation("read", 404, summary="Read an item", others={304: {"description": "The client has this revision."}}),
)
def get_item(item_id: PathId, parts: Parts, if_none_match: IfNoneMatch = None) -> Response:
    """An item as it is stored; while the store is away, as it is served."""
    try:
        item = parts.store.items.get(item_id)
    except StoreUnavailable:
        return _served_item(item_id, parts)
    if item is None:
        return _served_item(item_id, parts)
    if item.deleted_at is not None:
        raise _no_item(item_id)
    if is_not_modified(if_none_match, item.revision):
        return Response(status_code=304, headers={"ETag": entity_tag(item.revision)})
    return _item_reply(item)


@router.put(
    "/v1/items/{item_id}",
    response_model=ItemResponse,
    **operation(
        "write",
        412,
        summary="Put an item",
        examples={"a film": _CONTENT},
        others={201: created_at("/v1/items/{item_id}", **_LINKS) | {"model": ItemResponse}, 202: _WAITS},
    ),
)
def put_item(item_id: PathId, body: ItemContent, parts: Parts, if_match: IfMatch = None) -> Response:
    """Make an item, or put this one in its place."""
    revision = expected_revision(if_match)
    draft = body.to_draft(item_id)
    notes = parts.recommendations.check_items([catalogue_item(draft)])
    result = parts.writes.put_item(draft, revision)
    parts.recommendations.add_items([catalogue_item(draft)])
    if result.value is None:
        return reply(AcceptedResponse(id=item_id), 202)
    item = result.value
    if item.created_at == item.updated_at:
        return _item_reply(item, 201, notes, {"Location": f"/v1/items/{as_segment(item_id)}"})
    return _item_reply(item, 200, notes)


@router.patch(
    "/v1/items/{item_id}",
    response_model=ItemResponse,
    **operation(
        "write",
        404,
        412,
        summary="Change parts of an item",
        examples={"out of stock": {"available": False}, "another price": {"properties": {"price": 9.5, "offer": None}}},
        others={202: _WAITS},
    ),
)
def change_item(item_id: PathId, body: ItemChangeBody, parts: Parts, if_match: IfMatch = None) -> Response:
    """Parts that are not named stay; a property that is null is taken away."""
    revision = expected_revision(if_match)
    set_values = {name: value for name, value in (body.properties or {}).items() if value is not None}
    parts.recommendations.check_items([CatalogueItem(item_id, body.title, set_values)])
    _store_served(item_id, parts)
    result = parts.writes.update_item(item_id, ItemPatch(body.title, body.properties, body.available), revision)
    if result.value is None:
        available = True if body.available is None else body.available
        parts.recommendations.update_items([CatalogueItem(item_id, body.title, set_values, available)])
        return reply(AcceptedResponse(id=item_id), 202)
    parts.recommendations.update_items([_as_served(result.value)])
    return _item_reply(result.value)


@router.delete(
    "/v1/items/{item_id}",
    status_code=204,
    response_model=None,
    **operation("write", 404, 412, summary="Delete an item", others={202: _WAITS, 404: problem_answer(404)}),
)
def delete_item(item_id: PathId, parts: Parts, if_match: IfMatch = None) -> Response:
    """The next list does not have it. What users did with it stays."""
    _store_served(item_id, parts)
    result = parts.writes.delete_item(item_id, expected_revision(if_match))
    parts.recommendations.remove_items([item_id])
    if result.is_spooled:
        return reply(AcceptedResponse(id=item_id), 202)
    return Response(status_code=204)


@router.get(
    "/v1/items/{item_id}/similar",
    response_model=SimilarResponse,
    **operation("read", 404, summary="Items that are most like one"),
)
def similar_items(
    item_id: PathId,
    parts: Parts,
    k: Annotated[int, Query(ge=1, le=MAX_K)] = 10,
    by: Literal["model", "content"] = "model",
    metadata: Metadata = [],  # noqa: B006, FastAPI copies it
) -> Response:
    """By what users did (model), or by the columns of the items (content)."""
    check_most("k", k, parts.settings.max_k)
    if parts.recommendations.item(item_id) is None:
        raise _no_item(item_id)
    answer = parts.recommendations.similar(item_id, k, by, metadata)
    return reply(SimilarResponse.model_validate(answer, from_attributes=True))


@router.get(
    "/v1/items/{item_id}/activity",
    response_model=ItemActivityResponse,
    **operation("read", 404, summary="How much users do with an item"),
)
def item_activity(item_id: PathId, parts: Parts, per: Literal["day", "week", "month", "year"] = "month") -> Response:
    """Numbers of interactions by their type, over time; nobody is named."""
    if parts.recommendations.item(item_id) is None:
        raise _no_item(item_id)
    counted = parts.store.interactions.count_for_item(item_id, per)
    periods = [ActivityPeriod.of(one) for one in counted]
    return reply(ItemActivityResponse(item_id=item_id, per=per, periods=periods))


def _item_reply(
    item: Item, status: int = 200, notes: tuple[str, ...] = (), headers: dict[str, str] | None = None
) -> Response:
    return reply(ItemResponse.of(item, notes), status, {"ETag": entity_tag(item.revision), **(headers or {})})


def _served_item(item_id: str, parts: ServiceParts) -> Response:
    served = parts.recommendations.item(item_id)
    if served is None:
        raise _no_item(item_id)
    return reply(
        ItemResponse(
            item_id=item_id,
            title=served["title"],
            properties=_told(served["properties"]),
            available=served["available"],
            source="bundle",
            revision=0,
            created_at=None,
            updated_at=None,
        )
    )


def _store_served(item_id: str, parts: ServiceParts) -> None:
    """Store an item that only the bundle has as it is served, so that it can be changed or deleted."""
    served = parts.recommendations.item(item_id)
    if served is None:
        return
    try:
        if parts.store.items.get(item_id) is not None:
            return
    except StoreUnavailable:
        return
    values = _told(served["properties"])
    parts.writes.put_item(ItemDraft(item_id, served["title"], values, served["available"], ItemSource.BUNDLE), None)


def _told(properties: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in properties.items() if value is not None}


def _as_served(item: Item) -> CatalogueItem:
    return catalogue_item(ItemDraft(item.item_id, item.title, item.properties, item.available))


def _no_item(item_id: str) -> NotFound:
    return NotFound(f"There is no item {item_id!r}.")
