"""Moments and interactions that tests of the store are about."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from recsys_serving.store.events.records import Interaction

#: 1 March 2024, noon.
NOON = datetime(2024, 3, 1, 12, tzinfo=UTC)


def minutes(number: float) -> datetime:
    """Some minutes after noon."""
    return NOON + timedelta(minutes=number)


def watched(event_id: str, user_id: str = "ada", item_id: str = "1", **others: Any) -> Interaction:
    """An interaction at noon, or as told."""
    given = {"type": "view", "occurred_at": NOON} | others
    return Interaction(event_id=event_id, user_id=user_id, item_id=item_id, **given)
