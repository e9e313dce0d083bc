"""The records that go into the store and come out of it: plain, frozen, without a database behind them.

Every moment is a ``datetime`` with a time zone. ``properties`` and the like are what JSON can hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal
from uuid import UUID

Properties = Mapping[str, Any]

#: "latest": an item occurs once, with its latest interaction; "all": as often as it was interacted with.
Repeats = Literal["latest", "all"]


@dataclass(frozen=True, slots=True)
class Interaction:
    """What a user did with an item.

    Args:
        event_id: id of the event, chosen by whoever sends it; a repeated one is a replay.
        user_id: the user, by the external id.
        item_id: the item, by the external id; it need not be in the catalogue.
        type: kind of interaction, such as "view", "rating" or "purchase".
        occurred_at: when it happened.
        value: a rating, a quantity, seconds watched; None where the type alone says all.
        recommendation_id: the list that the item was chosen from, or None.
        position: rank of the item in that list, from 1, or None.
        session_id: id of the visit, or None.
        properties: anything else.
        received_at: when the store got it; None for one that is not stored yet.
    """

    event_id: str
    user_id: str
    item_id: str
    type: str
    occurred_at: datetime
    value: float | None = None
    recommendation_id: UUID | None = None
    position: int | None = None
    session_id: str | None = None
    properties: Properties = field(default_factory=dict)
    received_at: datetime | None = None


class AppendStatus(StrEnum):
    """What became of an interaction that was appended."""

    CREATED = "created"
    REPLAYED = "replayed"  #: it was there, with the same content
    CONFLICT = "conflict"  #: the event id stands for other content; nothing was changed


@dataclass(frozen=True, slots=True)
class InteractionPage:
    """Interactions of a user, latest first.

    Args:
        interactions: those of the page.
        next_cursor: where the next page starts (occurred_at and event_id of the last one), or None at the end.
    """

    interactions: tuple[Interaction, ...]
    next_cursor: tuple[datetime, str] | None


@dataclass(frozen=True, slots=True)
class User:
    """A user.

    Args:
        user_id: external id.
        properties: attributes, such as age or country.
        profiling: whether the user's behaviour may shape recommendations.
        revision: grows with every change of the user and every interaction.
        merged_into: id of the account that this user went into, or None.
        created_at: when the store first heard of the user.
        updated_at: when the user or the history last changed.
    """

    user_id: str
    properties: Properties
    profiling: bool
    revision: int
    merged_into: str | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class UserState:
    """All that one answer needs to know, read in one round trip.

    Args:
        user_id: the account: where the user asked for was merged, the user that it was merged into.
        known: whether the store has the user; an unknown one has revision 0 and no history.
        revision: revision of the user.
        profiling: whether the history may be used.
        properties: attributes of the user.
        item_ids: items of the history, oldest first.
        values: value of each, or None.
        types: type of each.
        timestamps: seconds since 1970 of each.
        catalogue_revision: revision of the catalogue, as :meth:`ItemStore.changes_since` counts.
        deployment_revision: revision of the deployments; another one than before: read the live bundle.
        experiment_revision: revision of the experiments; another one than before: read them again.
    """

    user_id: str
    known: bool
    revision: int
    profiling: bool
    properties: Properties
    item_ids: tuple[str, ...]
    values: tuple[float | None, ...]
    types: tuple[str, ...]
    timestamps: tuple[float, ...]
    catalogue_revision: int
    deployment_revision: int
    experiment_revision: int


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What a merge of two users did.

    Args:
        user: the account after the merge.
        num_interactions: interactions that moved to it.
    """

    user: User
    num_interactions: int


class ItemSource(StrEnum):
    """Where an item of the catalogue comes from."""

    BUNDLE = "bundle"
    API = "api"


@dataclass(frozen=True, slots=True)
class ItemDraft:
    """An item as it is to be stored.

    Args:
        item_id: external id.
        title: what people read, or None.
        properties: attributes, such as genres, price or stock.
        available: whether it may be recommended.
        source: where it comes from.
    """

    item_id: str
    title: str | None = None
    properties: Properties = field(default_factory=dict)
    available: bool = True
    source: ItemSource = ItemSource.API


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the catalogue.

    Args:
        item_id: external id.
        title: what people read, or None.
        properties: attributes.
        available: whether it may be recommended.
        source: where it comes from.
        revision: the catalogue's revision at the item's last change: unique to it, and growing.
        created_at: when it was made.
        updated_at: when it last changed.
        deleted_at: when it was deleted, or None.
    """

    item_id: str
    title: str | None
    properties: Properties
    available: bool
    source: ItemSource
    revision: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None


@dataclass(frozen=True, slots=True)
class Exposure:
    """A list that was shown.

    Args:
        recommendation_id: id of the list.
        user_id: who saw it; None for a session without a user.
        shown_at: when.
        item_ids: its items, best first.
        propensities: probability with which each item was shown at its position, or None where nothing was random.
        bundle: name of the bundle that answered.
        model_version: version of the model.
        variant: variant of the experiment, or None.
        experiment_id: the experiment, or None.
        context: what else is needed to judge it: k, scenario, degraded stages.
    """

    recommendation_id: UUID
    user_id: str | None
    shown_at: datetime
    item_ids: tuple[str, ...]
    propensities: tuple[float, ...] | None
    bundle: str
    model_version: str
    variant: str | None = None
    experiment_id: str | None = None
    context: Properties = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UserOutcome:
    """What one user did with the lists of an experiment.

    Args:
        user_id: the user.
        variant: the variant whose lists were shown first.
        first_shown_at: when that was.
        exposures: number of lists shown.
        interactions: interactions by type that name one of these lists.
        values: sum of their values by type.
        variants: number of variants the user saw; more than one is a broken assignment.
    """

    user_id: str
    variant: str
    first_shown_at: datetime
    exposures: int
    interactions: Mapping[str, int]
    values: Mapping[str, float]
    variants: int


class ExperimentStatus(StrEnum):
    """Where an experiment stands."""

    DRAFT = "draft"
    RUNNING = "running"
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


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """That all of a user was erased, without saying who it was.

    Args:
        receipt_id: id of the receipt.
        user_hash: SHA-256 of the receipt's salt and the user's id, in hexadecimal.
        requested_at: when it was asked for.
        completed_at: when it was done.
        deleted: number of rows deleted, by table.
        receipt: what the service adds: the bundles that still contain the user and until when, a signature.
    """

    receipt_id: UUID
    user_hash: str
    requested_at: datetime
    completed_at: datetime
    deleted: Mapping[str, int]
    receipt: Properties


@dataclass(frozen=True, slots=True)
class UserExport:
    """All that the store knows of a user.

    Args:
        user: the account.
        merged_users: users that were merged into it.
        interactions: all, oldest first.
        exposures: all lists that were shown, oldest first.
    """

    user: User
    merged_users: tuple[User, ...]
    interactions: tuple[Interaction, ...]
    exposures: tuple[Exposure, ...]
