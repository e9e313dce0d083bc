"""The records of users: plain, frozen, without a database behind them.

Every moment is a ``datetime`` with a time zone. ``properties`` and the like are what JSON can hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recsys_serving.store.events.records import Exposure, Interaction
from recsys_serving.store.json_text import Properties


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
        is_erased: whether the id is that of a user who was erased while a bundle had them: it may have come again, and
            what a bundle knows under it counts no more.
        is_cut: whether there may be more items than those of the history.
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
    is_erased: bool = False
    is_cut: bool = False


@dataclass(frozen=True, slots=True)
class MergeResult:
    """What a merge of two users did.

    Args:
        user: the account after the merge.
        num_interactions: interactions that moved to it.
    """

    user: User
    num_interactions: int


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
