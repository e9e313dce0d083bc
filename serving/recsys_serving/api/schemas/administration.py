"""Bodies of bundles, experiments, API keys, the audit and health."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from recsys_serving.api.schemas.base import Moment, Name, RequestBody, ResponseBody, Title
from recsys_serving.api.security.api_keys import Scope
from recsys_serving.recommending.types import LoadedBundle
from recsys_serving.store.admin.records import ApiKeyRecord, AuditEntry, Deployment, ExperimentRecord, ExperimentStep

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


class ExperimentBody(RequestBody):
    """An experiment; its definition is checked by the rules of recsys.experiments."""

    experiment_id: Name
    name: Title
    definition: Annotated[
        dict[str, Any], Field(description="variants, layer, buckets, metrics, guardrails, overrides ...")
    ]


class ExperimentChangeBody(RequestBody):
    """What changes of an experiment; what is not named stays."""

    name: Title | None = None
    definition: dict[str, Any] | None = None


class RampBody(RequestBody):
    """How much of a layer's traffic an experiment gets."""

    traffic: Annotated[float, Field(ge=0.0001, le=1)]


class ExperimentResponse(ResponseBody):
    """An experiment as it is stored."""

    experiment_id: str
    name: str
    status: str
    definition: dict[str, Any]
    revision: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None

    @classmethod
    def of(cls, one: ExperimentRecord) -> ExperimentResponse:
        """That of a record."""
        values = {name: getattr(one, name) for name in cls.model_fields}
        return cls(**values | {"definition": dict(one.definition), "status": str(one.status)})


class ExperimentStepResponse(ResponseBody):
    """One thing that was done to an experiment."""

    at: datetime
    act: str
    actor: str
    detail: dict[str, Any]

    @classmethod
    def of(cls, one: ExperimentStep) -> ExperimentStepResponse:
        """That of a record."""
        return cls(at=one.at, act=one.act, actor=one.actor, detail=dict(one.detail))


class ExperimentsResponse(ResponseBody):
    """All experiments."""

    experiments: list[ExperimentResponse]


class ExperimentDetailResponse(ExperimentResponse):
    """An experiment and what was done to it."""

    steps: list[ExperimentStepResponse]


class ExperimentResultsResponse(ResponseBody):
    """What an experiment has shown so far."""

    experiment_id: str
    num_units: dict[str, int] = Field(description="Users that are analysed, by variant.")
    num_unfinished: int = Field(description="Users whose windows are not over.")
    num_crossed: int = Field(description="Users that saw several variants, and are left out.")
    sample_ratio: dict[str, Any] = Field(description="Whether the variants have as many users as their shares say.")
    comparisons: dict[str, list[dict[str, Any]]] = Field(description="With control, by variant; valid at every look.")
    guardrails: dict[str, list[dict[str, Any]]] = Field(description="What must not get worse, by variant.")


class KeyBody(RequestBody):
    """An API key to make."""

    name: Title
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)]
    expires_at: Moment | None = None


class RotateBody(RequestBody):
    """How long the old key still counts."""

    overlap_seconds: Annotated[int, Field(ge=0, le=30 * 86_400)] = 3_600


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
