"""The service's database, with users who came after the bundle of the board was trained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from recsys_serving.store.events.records import Interaction

from recsys.data.readers.store.database import StoreDatabase
from tests.serving.conftest import database_url, postgres_server, store

__all__ = ["database_url", "postgres_server", "store"]

#: When the first of them came.
BEGIN = datetime(2026, 1, 31, 12, tzinfo=UTC)
LIST = UUID("00000000-0000-0000-0000-000000000001")
NEW_USERS = [f"n{number:02}" for number in range(20)]
#: What each of them did, in this order, an hour apart: white squares, and the last one by themselves.
ITEMS = ("i00", "i02", "i06", "i10", "i04")


@pytest.fixture
def visited(store: Any) -> Any:
    """New users, each with five interactions, four of which a list has prompted."""
    events = [
        Interaction(
            event_id=f"{user}-{item}",
            user_id=user,
            item_id=item,
            type="click",
            occurred_at=BEGIN + timedelta(hours=hour),
            recommendation_id=None if item == ITEMS[-1] else LIST,
        )
        for user in NEW_USERS
        for hour, item in enumerate(ITEMS)
    ]
    store.interactions.append(events)
    return store


@pytest.fixture
def database(database_url: str) -> StoreDatabase:
    return StoreDatabase.locate(database_url)
