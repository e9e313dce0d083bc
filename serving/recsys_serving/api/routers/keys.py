"""API keys and the audit."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import Query, Response
from pydantic import StringConstraints

from recsys_serving.api.parts import Caller, Parts
from recsys_serving.api.problems import Fault, ProblemError
from recsys_serving.api.routing import Cursor, Limit, PathName, api_router, created_at, operation, reply
from recsys_serving.api.schemas.administration import (
    AuditEntryResponse,
    AuditPageResponse,
    KeyBody,
    KeyResponse,
    KeysResponse,
    NewKeyResponse,
    RotateBody,
)
from recsys_serving.api.security.api_keys import new_key
from recsys_serving.store.admin.records import ApiKeyRecord, AuditEntry
from recsys_serving.store.errors import Conflict, NotFound

router = api_router("keys")

_LINKS = {name: {"key_id": "$response.body#/key_id"} for name in ("get_key", "rotate_key", "revoke_key")}
_NAME = Annotated[Annotated[str, StringConstraints(min_length=1, max_length=64)] | None, Query()]


@router.get("/v1/keys", response_model=KeysResponse, **operation("admin", summary="All API keys"))
def list_keys(parts: Parts) -> Response:
    """What is known of them; the keys themselves are nowhere."""
    return reply(KeysResponse(keys=[KeyResponse.of(one) for one in parts.store.api_keys.list_keys()]))


@router.post(
    "/v1/keys",
    status_code=201,
    response_model=NewKeyResponse,
    **operation(
        "admin",
        summary="Make an API key",
        examples={"a key that reads": {"name": "web shop", "scopes": ["read"]}},
        others={201: created_at("/v1/keys/{key_id}", **_LINKS)},
    ),
)
def make_key(body: KeyBody, parts: Parts, caller: Caller) -> Response:
    """The answer has the key, this once."""
    if body.expires_at is not None and body.expires_at <= datetime.now(UTC):
        raise ProblemError(
            422, "expires_at must lie in the future.", [Fault("body.expires_at", "A moment in the future is required")]
        )
    key, record = new_key(body.name, body.scopes, body.expires_at)
    with parts.store.transaction():
        parts.store.api_keys.create(record)
        parts.store.audit.append(
            AuditEntry(caller.key_id, "key.create", record.key_id, {"scopes": list(record.scopes)})
        )
    return reply(NewKeyResponse.with_key(key, record), 201, {"Location": f"/v1/keys/{record.key_id}"})


@router.get("/v1/keys/{key_id}", response_model=KeyResponse, **operation("admin", 404, summary="Read an API key"))
def get_key(key_id: PathName, parts: Parts) -> Response:
    """What is known of it."""
    return reply(KeyResponse.of(_found(parts.store.api_keys.get(key_id), key_id)))


@router.post(
    "/v1/keys/{key_id}/rotate",
    status_code=201,
    response_model=NewKeyResponse,
    **operation(
        "admin",
        404,
        409,
        summary="Replace an API key",
        examples={"both count for an hour": {"overlap_seconds": 3600}},
        others={201: created_at("/v1/keys/{key_id}", **_LINKS)},
    ),
)
def rotate_key(key_id: PathName, parts: Parts, caller: Caller, body: RotateBody | None = None) -> Response:
    """A new key with the same scopes; the old one still counts for ``overlap_seconds``."""
    overlap = RotateBody() if body is None else body
    old = _found(parts.store.api_keys.get(key_id), key_id)
    now = datetime.now(UTC)
    if any(end is not None and end <= now for end in (old.revoked_at, old.expires_at)):
        raise Conflict(f"The key {key_id} counts no more. Make a new one.")
    key, successor = new_key(old.name, old.scopes, old.expires_at)
    with parts.store.transaction():
        parts.store.api_keys.rotate(key_id, successor, now + timedelta(seconds=overlap.overlap_seconds))
        parts.store.audit.append(AuditEntry(caller.key_id, "key.rotate", key_id, {"successor": successor.key_id}))
    parts.authenticator.forget(key_id)
    return reply(NewKeyResponse.with_key(key, successor), 201, {"Location": f"/v1/keys/{successor.key_id}"})


@router.delete(
    "/v1/keys/{key_id}", response_model=KeyResponse, **operation("admin", 404, 409, summary="Revoke an API key")
)
def revoke_key(key_id: PathName, parts: Parts, caller: Caller) -> Response:
    """It counts no more: in this worker at once, in the others some seconds later."""
    _found(parts.store.api_keys.get(key_id), key_id)
    if key_id == caller.key_id:
        raise Conflict("A key cannot revoke itself. Use another one with the scope admin.")
    with parts.store.transaction():
        revoked = parts.store.api_keys.revoke(key_id)
        parts.store.audit.append(AuditEntry(caller.key_id, "key.revoke", key_id))
    parts.authenticator.forget(key_id)
    return reply(KeyResponse.of(revoked))


@router.get("/v1/audit", response_model=AuditPageResponse, **operation("admin", summary="Who did what"))
def read_audit(
    parts: Parts, limit: Limit = 100, cursor: Cursor = None, actor: _NAME = None, act: _NAME = None
) -> Response:
    """The latest first; entries are never changed and never deleted."""
    purpose = f"audit {actor!r} {act!r}"
    before = None if cursor is None else int(parts.cursors.read(purpose, cursor))
    entries = parts.store.audit.list_entries(limit, before, actor, act)
    following = parts.cursors.write(purpose, entries[-1].entry_id) if len(entries) == limit else None
    return reply(AuditPageResponse(entries=[AuditEntryResponse.of(one) for one in entries], next_cursor=following))


def _found(record: ApiKeyRecord | None, key_id: str) -> ApiKeyRecord:
    if record is None:
        raise NotFound(f"There is no key {key_id!r}.")
    return record
