"""Bodies of items."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from recsys_serving.api.schemas.base import MAX_BATCH, Id, PropertiesField, RequestBody, ResponseBody, Title
from recsys_serving.recommending.types import AnsweredItem, CatalogueItem
from recsys_serving.store.events.records import PeriodCount
from recsys_serving.store.items.records import Item, ItemDraft


class ItemContent(RequestBody):
    """All of an item but its id."""

    title: Title | None = None
    properties: PropertiesField = Field(default={}, description="Values of the item's columns, by column.")
    available: bool = Field(default=True, description="Whether it may be recommended.")

    def to_draft(self, item_id: str) -> ItemDraft:
        """What is stored."""
        return ItemDraft(item_id, self.title, self.properties, self.available)


class ItemBody(ItemContent):
    """An item."""

    item_id: Id


class ItemBatchBody(RequestBody):
    """Several items, which are stored together or not at all."""

    items: Annotated[list[ItemBody], Field(min_length=1, max_length=MAX_BATCH)]


class ItemChangeBody(RequestBody):
    """What changes of an item; what is not named stays."""

    title: Title | None = None
    properties: PropertiesField | None = Field(default=None, description="Values to set; null takes one away.")
    available: bool | None = None


class ItemResponse(ResponseBody):
    """An item as it is stored."""

    item_id: str
    title: str | None
    properties: dict[str, Any]
    available: bool
    source: str = Field(description="Where it comes from: bundle or api.")
    revision: int
    created_at: datetime | None
    updated_at: datetime | None
    notes: list[str] = Field(default=[], description="What the client should know, such as how a model sees it.")

    @classmethod
    def of(cls, item: Item, notes: tuple[str, ...] = ()) -> ItemResponse:
        """That of a record."""
        return cls(
            item_id=item.item_id,
            title=item.title,
            properties=dict(item.properties),
            available=item.available,
            source=item.source.value,
            revision=item.revision,
            created_at=item.created_at,
            updated_at=item.updated_at,
            notes=list(notes),
        )


class ItemBatchResponse(ResponseBody):
    """The items as they are stored."""

    items: list[ItemResponse]
    notes: list[str]


class ItemSummary(ResponseBody):
    """An item of a page."""

    item_id: str
    title: str | None
    score: float | None = Field(default=None, description="How well the title matches, from 0 to 100.")
    metadata: dict[str, Any]

    @classmethod
    def of_match(cls, item: AnsweredItem) -> ItemSummary:
        """That of a match of a search."""
        return cls(item_id=item.item_id, title=item.title, score=item.score, metadata=dict(item.metadata))

    @classmethod
    def of_item(cls, item: Item) -> ItemSummary:
        """That of a stored item."""
        return cls(item_id=item.item_id, title=item.title, metadata=dict(item.properties))


class ItemPageResponse(ResponseBody):
    """A page of items."""

    items: list[ItemSummary]
    total: int | None = Field(description="Matches of a search; null without one.")
    next_cursor: str | None


class ActivityPeriod(ResponseBody):
    """What users did with an item in a day, a week, a month or a year."""

    start: date = Field(description="Its first day, in UTC; weeks begin on Monday.")
    type: str
    num_interactions: int
    mean_value: float | None = Field(description="Of those that have a value, such as ratings; null where none has.")

    @classmethod
    def of(cls, one: PeriodCount) -> ActivityPeriod:
        """That of a record."""
        return cls(start=one.start, type=one.type, num_interactions=one.num_interactions, mean_value=one.mean_value)


class ItemActivityResponse(ResponseBody):
    """What users did with an item over time."""

    item_id: str
    per: Literal["day", "week", "month", "year"]
    periods: list[ActivityPeriod] = Field(description="The earliest first; those without interactions are left out.")


def catalogue_item(draft: ItemDraft) -> CatalogueItem:
    """What the recommender is told of an item."""
    return CatalogueItem(draft.item_id, draft.title, draft.properties, draft.available)
