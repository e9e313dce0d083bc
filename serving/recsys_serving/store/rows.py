"""Rows of queries as records."""

from __future__ import annotations

from typing import Any

from sqlalchemy import RowMapping

from recsys_serving.store.admin.records import ApiKeyRecord, AuditEntry, Deployment, ExperimentRecord, ExperimentStatus
from recsys_serving.store.events.records import Exposure, Interaction
from recsys_serving.store.items.records import Item, ItemSource
from recsys_serving.store.users.records import ErasureReceipt, User

INTERACTION_COLUMNS = (
    "i.event_id, i.user_id, i.item_id, i.type, i.occurred_at, i.value, i.recommendation_id, i.position, i.session_id, "
    "i.properties, i.received_at"
)


def interaction(row: RowMapping) -> Interaction:
    """An interaction from a row of :data:`INTERACTION_COLUMNS`."""
    return Interaction(**row)


def user(row: RowMapping) -> User:
    """A user from a row of the table."""
    return User(**row)


def item(row: RowMapping) -> Item:
    """An item from a row of the table."""
    return Item(**{**row, "source": ItemSource(row["source"])})


def exposure(row: RowMapping) -> Exposure:
    """A list from a row of the table."""
    return Exposure(**{**row, "item_ids": tuple(row["item_ids"]), "propensities": _tuple(row["propensities"])})


def experiment(row: RowMapping) -> ExperimentRecord:
    """An experiment from a row of the table."""
    return ExperimentRecord(**{**row, "status": ExperimentStatus(row["status"])})


def api_key(row: RowMapping) -> ApiKeyRecord:
    """A key from a row of the table."""
    return ApiKeyRecord(**{**row, "scopes": tuple(row["scopes"])})


def audit_entry(row: RowMapping) -> AuditEntry:
    """An entry from a row of the table."""
    values = dict(row)
    return AuditEntry(entry_id=values.pop("id"), **values)


def deployment(row: RowMapping) -> Deployment:
    """A deployment from a row of the table."""
    values = dict(row)
    return Deployment(deployment_id=values.pop("id"), **values)


def erasure_receipt(row: RowMapping) -> ErasureReceipt:
    """A receipt from a row of the table."""
    return ErasureReceipt(**row)


def _tuple(values: list[Any] | None) -> tuple[Any, ...] | None:
    return None if values is None else tuple(values)
