"""The records of interactions and exposures: plain, frozen, without a database behind them.

Every moment is a ``datetime`` with a time zone. ``properties`` and the like are what JSON can hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Literal
from uuid import UUID

from recsys_serving.store.json_text import Properties

#: "latest": an item occurs once, with its latest interaction; "all": as often as it was interacted with.
Repeats = Literal["latest", "all"]
#: Lengths of time by which interactions are counted.
Period = Literal["day", "week", "month", "year"]


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
class OutcomeWindows:
    """How long what users see and do counts for an experiment.

    Args:
        exposure_seconds: a list counts that a unit saw so long after its first one, at most.
        attribution_seconds: an interaction counts that came so long after its list, at most.
    """

    exposure_seconds: float
    attribution_seconds: float


@dataclass(frozen=True, slots=True)
class UnitOutcome:
    """What one unit of an experiment, a user or a session, did with its lists.

    Args:
        unit_id: the user, or the session.
        variant: the variant whose lists were shown first.
        first_shown_at: when that was.
        exposures: number of lists shown within the window.
        interactions: by type, those that name one of these lists, and an item in it, within their window.
        values: sum of their values by type.
        variants: number of variants the unit saw; more than one is a broken assignment.
    """

    unit_id: str
    variant: str
    first_shown_at: datetime
    exposures: int
    interactions: Mapping[str, int]
    values: Mapping[str, float]
    variants: int


@dataclass(frozen=True, slots=True)
class PeriodCount:
    """Interactions of one type with an item in one period.

    Args:
        start: its first day, in UTC.
        type: of the interactions.
        num_interactions: how many.
        mean_value: of those that have a value; None where none has.
    """

    start: date
    type: str
    num_interactions: int
    mean_value: float | None


@dataclass(frozen=True, slots=True)
class ItemTrials:
    """What became of an item where it was shown by chance.

    Args:
        item_id: the item.
        trials: how often it stood in a slot that explores.
        successes: how often somebody did with it what counts.
    """

    item_id: str
    trials: int
    successes: int
