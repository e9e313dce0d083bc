"""Bodies of interactions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import uuid4

from pydantic import Field

from recsys_serving.api.schemas.base import (
    MAX_BATCH,
    WHOLE,
    Id,
    Moment,
    Name,
    PropertiesField,
    RequestBody,
    ResponseBody,
    Uuid,
)
from recsys_serving.store.events.records import Interaction


class InteractionBody(RequestBody):
    """What a user did with an item."""

    event_id: Id | None = Field(
        default=None,
        description="Chosen by the client, so that sending it again changes nothing; made where it is missing.",
    )
    user_id: Id
    item_id: Id
    type: Name = Field(default="view", description="Such as view, click, rating, purchase.")
    value: Annotated[float, Field(ge=-1e9, le=1e9)] | None = Field(
        default=None, description="A rating, a quantity, seconds watched."
    )
    occurred_at: Moment | None = Field(default=None, description="When it happened; now, where it is missing.")
    recommendation_id: Uuid | None = Field(default=None, description="The list that the item was chosen from.")
    position: Annotated[int, Field(ge=1, le=10_000), WHOLE] | None = Field(
        default=None, description="Its rank in that list."
    )
    session_id: Id | None = None
    properties: PropertiesField = {}

    def to_interaction(self) -> Interaction:
        """What is stored."""
        return Interaction(
            event_id=uuid4().hex if self.event_id is None else self.event_id,
            user_id=self.user_id,
            item_id=self.item_id,
            type=self.type,
            occurred_at=datetime.now(UTC) if self.occurred_at is None else self.occurred_at,
            value=self.value,
            recommendation_id=self.recommendation_id,
            position=self.position,
            session_id=self.session_id,
            properties=self.properties,
        )


class InteractionBatchBody(RequestBody):
    """Several interactions, which are stored together."""

    interactions: Annotated[list[InteractionBody], Field(min_length=1, max_length=MAX_BATCH)]


class InteractionResponse(ResponseBody):
    """An interaction as it is stored."""

    event_id: str
    user_id: str
    item_id: str
    type: str
    value: float | None
    occurred_at: datetime
    recommendation_id: str | None
    position: int | None
    session_id: str | None
    properties: PropertiesField

    @classmethod
    def of(cls, one: Interaction) -> InteractionResponse:
        """That of a record."""
        return cls(
            event_id=one.event_id,
            user_id=one.user_id,
            item_id=one.item_id,
            type=one.type,
            value=one.value,
            occurred_at=one.occurred_at,
            recommendation_id=None if one.recommendation_id is None else str(one.recommendation_id),
            position=one.position,
            session_id=one.session_id,
            properties=dict(one.properties),
        )


#: What became of an interaction of a batch.
AppendedStatus = Literal["created", "replayed", "conflict", "accepted"]


class AppendedInteraction(ResponseBody):
    """What became of an interaction of a batch."""

    event_id: str
    status: AppendedStatus = Field(
        description="created; replayed: it was there; conflict: its event_id stands for another one, and nothing was "
        "changed; accepted: it is safe here and waits for the store."
    )


class InteractionBatchResponse(ResponseBody):
    """What became of each interaction, in their order."""

    interactions: list[AppendedInteraction]


class InteractionPageResponse(ResponseBody):
    """A page of a user's interactions, latest first."""

    interactions: list[InteractionResponse]
    next_cursor: str | None
    titles: dict[str, str] | None = Field(
        default=None, description="Of the items, by id, where they were asked for; the id where an item has none."
    )
