"""The records of items: plain, frozen, without a database behind them.

Every moment is a ``datetime`` with a time zone. ``properties`` and the like are what JSON can hold.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from recsys_serving.store.json_text import Properties


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
