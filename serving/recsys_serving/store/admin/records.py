"""The records of experiments, API keys, deployments and the audit log: plain, frozen, without a database behind them.

Every moment is a ``datetime`` with a time zone. ``properties`` and the like are what JSON can hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from recsys_serving.store.json_text import Properties


class ExperimentStatus(StrEnum):
    """Where an experiment stands."""

    DRAFT = "draft"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class ExperimentRecord:
    """An experiment as the store keeps it; what is in the definition is the business of the experiments' own code.

    Args:
        experiment_id: id.
        name: what people call it.
        status: where it stands.
        definition: variants, shares, metrics, salt: JSON.
        revision: grows with every change.
        created_at: when it was made.
        updated_at: when it last changed.
        started_at: when it was first started, or None.
        stopped_at: when it was stopped, or None.
        rollout: where its rollout is, JSON; None: it has none.
    """

    experiment_id: str
    name: str
    status: ExperimentStatus
    definition: Properties
    revision: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None
    stopped_at: datetime | None
    rollout: Properties | None = None


@dataclass(frozen=True, slots=True)
class ExperimentStep:
    """One thing that was done to an experiment: started, ramped, stopped.

    Args:
        experiment_id: the experiment.
        at: when.
        act: what was done.
        actor: who did it.
        detail: with which numbers.
    """

    experiment_id: str
    at: datetime
    act: str
    actor: str
    detail: Properties


@dataclass(frozen=True, slots=True)
class ApiKeyRecord:
    """An API key; the key itself is nowhere, only its hash.

    Args:
        key_id: public id of the key.
        name: what it is for.
        hash: SHA-256 of the key, in hexadecimal.
        scopes: what it may do: read, write, admin.
        created_at: when it was made.
        expires_at: when it ends, or None.
        revoked_at: when it was revoked, or None.
        last_used_at: when it was last used, to some minutes, or None.
    """

    key_id: str
    name: str
    hash: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who did what, when. Entries are never changed and never deleted.

    Args:
        actor: who: id of an API key, or the name of a part of the service.
        act: what was done, such as "bundle.activate".
        target: to what, or None.
        detail: further facts; no personal data.
        at: when; None before the store has set it.
        entry_id: number of the entry; None before it is stored.
    """

    actor: str
    act: str
    target: str | None = None
    detail: Properties = field(default_factory=dict)
    at: datetime | None = None
    entry_id: int | None = None


@dataclass(frozen=True, slots=True)
class Deployment:
    """A bundle that was made the live one.

    Args:
        deployment_id: number, growing.
        bundle: name of the bundle.
        fingerprint: hash of its manifest.
        activated_at: when.
        actor: who did it.
        note: why, or None.
    """

    deployment_id: int
    bundle: str
    fingerprint: str
    activated_at: datetime
    actor: str
    note: str | None
