"""Bodies of bundles, API keys, the audit and health."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from recsys_serving.api.schemas.base import WHOLE, Moment, RequestBody, ResponseBody, Title
from recsys_serving.api.security.api_keys import Scope
from recsys_serving.recommending.types import LoadedBundle
from recsys_serving.store.admin.records import ApiKeyRecord, AuditEntry, Deployment

Note = Annotated[str, StringConstraints(min_length=1, max_length=500)]


class NoteBody(RequestBody):
    """Why something is done."""

    note: Note | None = None


class LoadedBundleResponse(ResponseBody):
    """A bundle that this worker has open."""

    name: str
    fingerprint: str
    model: str
    live: bool
    memory_bytes: int
    num_items: int
    num_users: int
    created_at: str | None
    data: str

    @classmethod
    def of(cls, one: LoadedBundle) -> LoadedBundleResponse:
        """That of a bundle."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class DeploymentResponse(ResponseBody):
    """A bundle that was made the live one."""

    deployment_id: int
    bundle: str
    fingerprint: str
    activated_at: datetime
    actor: str
    note: str | None

    @classmethod
    def of(cls, one: Deployment) -> DeploymentResponse:
        """That of a record."""
        return cls(**{name: getattr(one, name) for name in cls.model_fields})


class BundlesResponse(ResponseBody):
    """The bundles that there are."""

    loaded: list[LoadedBundleResponse] = Field(description="Those that this worker has open, the live one first.")
    available: list[str] = Field(description="Names of those that may be activated.")
    deployments: list[DeploymentResponse] = Field(description="The latest first.")


class KeyBody(RequestBody):
    """An API key to make."""

    name: Title
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]
    expires_at: Moment | None = None


class RotateBody(RequestBody):
    """How long the old key still counts."""

    overlap_seconds: Annotated[int, Field(ge=0, le=30 * 86_400), WHOLE] = 3_600


class KeyResponse(ResponseBody):
    """What is known of an API key; the key itself is nowhere."""

    key_id: str
    name: str
    scopes: list[str]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    @classmethod
    def of(cls, one: ApiKeyRecord) -> KeyResponse:
        """That of a record."""
        values = {name: getattr(one, name) for name in KeyResponse.model_fields}
        return cls(**values | {"scopes": list(one.scopes)})


class NewKeyResponse(KeyResponse):
    """A key that was made; it is shown this once."""

    key: str

    @classmethod
    def with_key(cls, key: str, record: ApiKeyRecord) -> NewKeyResponse:
        """That of a key and its record."""
        return cls(key=key, **KeyResponse.of(record).model_dump())


class KeysResponse(ResponseBody):
    """All API keys."""

    keys: list[KeyResponse]


class AuditEntryResponse(ResponseBody):
    """Who did what, when."""

    entry_id: int
    at: datetime
    actor: str
    act: str
    target: str | None
    detail: dict[str, Any]

    @classmethod
    def of(cls, one: AuditEntry) -> AuditEntryResponse:
        """That of a record."""
        return cls(
            entry_id=one.entry_id or 0,
            at=one.at or datetime.fromtimestamp(0),
            actor=one.actor,
            act=one.act,
            target=one.target,
            detail=dict(one.detail),
        )


class AuditPageResponse(ResponseBody):
    """A page of the audit, latest first."""

    entries: list[AuditEntryResponse]
    next_cursor: str | None


class DependencyResponse(ResponseBody):
    """How a dependency is."""

    status: Literal["up", "down"]
    required: bool
    effect: str = Field(description="What is missing while it is down.")
    detail: str | None


class ReadinessResponse(ResponseBody):
    """Whether the service can answer."""

    status: Literal["ready", "degraded", "unavailable"]
    dependencies: dict[str, DependencyResponse]


class LivenessResponse(ResponseBody):
    """That the process is alive."""

    status: Literal["alive"] = "alive"
