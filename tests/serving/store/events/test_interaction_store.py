from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import uuid4

import pytest
from recsys_serving.store.errors import StoreRefused
from recsys_serving.store.events.records import AppendStatus
from recsys_serving.store.schema.retention import RetentionPolicy
from sqlalchemy import text

from tests.serving.store.moments import NOON, minutes, watched

CREATED, REPLAYED, CONFLICT = AppendStatus.CREATED, AppendStatus.REPLAYED, AppendStatus.CONFLICT


def test_what_was_appended_is_read_as_it_was(store):
    interaction = watched(
        "e1",
        type="rating",
        value=3.5,
        recommendation_id=uuid4(),
        position=2,
        session_id="s",
        properties={"device": {"kind": "phone"}, "tags": ["a", None]},
    )
    assert store.interactions.append([interaction]) == (CREATED,)
    stored = store.interactions.get("e1")
    assert replace(stored, received_at=None) == interaction
    assert abs(stored.received_at - datetime.now(UTC)) < timedelta(minutes=1)


def test_an_event_that_is_not_there_is_none(store):
    assert store.interactions.get("e1") is None


def test_nothing_appended_is_nothing_stored(store):
    assert store.interactions.append([]) == ()


def test_a_replay_changes_nothing(store):
    store.interactions.append([watched("e1")])
    before = store.users.get("ada")
    assert store.interactions.append([watched("e1")]) == (REPLAYED,)
    assert store.users.get("ada") == before
    assert len(store.interactions.list_for_user("ada").interactions) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"user_id": "bob"},
        {"item_id": "2"},
        {"type": "rating"},
        {"value": 1.0},
        {"occurred_at": minutes(1)},
        {"occurred_at": NOON.replace(month=7)},
        {"position": 1},
        {"session_id": "s"},
        {"properties": {"a": 1}},
    ],
    ids=lambda other: "-".join(f"{name}={value}" for name, value in other.items()),
)
def test_an_event_id_with_other_content_is_a_conflict_and_changes_nothing(store, other):
    store.interactions.append([watched("e1")])
    assert store.interactions.append([replace(watched("e1"), **other)]) == (CONFLICT,)
    assert replace(store.interactions.get("e1"), received_at=None) == watched("e1")


def test_a_replay_of_an_event_without_a_moment_of_its_own_may_have_any(store):
    store.interactions.append([watched("e1")], untimed=["e1"])
    later = watched("e1", occurred_at=minutes(3))
    assert store.interactions.append([later], untimed=["e1"]) == (REPLAYED,)
    assert store.interactions.append([later]) == (CONFLICT,)
    assert store.interactions.append([replace(later, value=1.0)], untimed=["e1"]) == (CONFLICT,)


def test_a_batch_has_a_status_for_each_in_order(store):
    store.interactions.append([watched("old")])
    batch = [watched("new"), watched("old"), watched("new"), watched("new", item_id="2"), watched("old", item_id="2")]
    assert store.interactions.append(batch) == (CREATED, REPLAYED, REPLAYED, CONFLICT, CONFLICT)


def test_a_value_that_cannot_be_stored_stores_nothing_of_the_batch(store):
    with pytest.raises(StoreRefused, match="NUL"):
        store.interactions.append([watched("e1"), watched("e2", item_id="a\0b")])
    assert store.interactions.get("e1") is None
    assert store.users.get("ada") is None


@pytest.mark.parametrize("properties", [{"a": float("nan")}, {"a": {1, 2}}, {"a": "\0"}], ids=["nan", "set", "null"])
def test_properties_that_json_cannot_hold_are_refused(store, properties):
    with pytest.raises(StoreRefused):
        store.interactions.append([watched("e1", properties=properties)])


def test_a_lone_surrogate_is_refused(store):
    with pytest.raises(StoreRefused, match="surrogate"):
        store.interactions.append([watched("e1", item_id="\ud800")])


@pytest.mark.parametrize("year", [1, 1969, 2100, 9999])
def test_a_moment_out_of_range_is_refused(store, year):
    with pytest.raises(StoreRefused, match="from 1970 to 2099"):
        store.interactions.append([watched("e1", occurred_at=NOON.replace(year=year))])


def test_a_moment_without_a_time_zone_is_refused(store):
    with pytest.raises(StoreRefused, match="time zone"):
        store.interactions.append([watched("e1", occurred_at=datetime(2024, 1, 1))])


def test_a_moment_of_another_time_zone_is_the_same_moment(store):
    store.interactions.append([watched("e1")])
    elsewhere = NOON.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert store.interactions.append([watched("e1", occurred_at=elsewhere)]) == (REPLAYED,)


def test_an_unknown_user_is_made(store):
    store.interactions.append([watched("e1", "ada"), watched("e2", "bob")])
    assert [user.user_id for user in store.users.list_users()] == ["ada", "bob"]


def test_each_append_raises_the_revision_of_its_users_alone(store):
    store.interactions.append([watched("e1", "ada"), watched("e2", "bob")])
    ada, bob = store.users.get("ada").revision, store.users.get("bob").revision
    store.interactions.append([watched("e3", "ada")])
    assert store.users.get("ada").revision > ada
    assert store.users.get("bob").revision == bob


def test_pages_of_a_user_are_latest_first_and_complete(store):
    # Three at the same moment: their event ids decide.
    moments = [minutes(0), minutes(5), minutes(5), minutes(5), minutes(9)]
    store.interactions.append([watched(f"e{n}", occurred_at=moment) for n, moment in enumerate(moments)])
    store.interactions.append([watched("other", "bob")])
    found, cursor = [], None
    while True:
        page = store.interactions.list_for_user("ada", limit=2, cursor=cursor)
        found += [one.event_id for one in page.interactions]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == ["e4", "e3", "e2", "e1", "e0"]


def test_a_full_last_page_has_no_next_one(store):
    store.interactions.append([watched("e1"), watched("e2")])
    assert store.interactions.list_for_user("ada", limit=2).next_cursor is None


def test_a_page_has_only_the_types_that_were_asked_for(store):
    store.interactions.append([watched("e1"), watched("e2", type="purchase"), watched("e3", type="hide")])
    page = store.interactions.list_for_user("ada", types=["purchase", "hide"])
    assert [one.event_id for one in page.interactions] == ["e3", "e2"]


def test_pages_span_years(store):
    years = [1995, 2003, 2024]
    store.interactions.append([watched(f"e{year}", occurred_at=NOON.replace(year=year)) for year in years])
    page = store.interactions.list_for_user("ada")
    assert [one.event_id for one in page.interactions] == ["e2024", "e2003", "e1995"]


def test_a_deleted_interaction_is_gone_and_raises_the_revision(store):
    store.interactions.append([watched("e1"), watched("e2")])
    before = store.users.get("ada").revision
    assert store.interactions.delete("e1")
    assert store.interactions.get("e1") is None
    assert store.users.get("ada").revision > before
    assert not store.interactions.delete("e1")


def test_the_id_of_a_deleted_interaction_is_free_again(store):
    store.interactions.append([watched("e1")])
    store.interactions.delete("e1")
    assert store.interactions.append([watched("e1", item_id="2")]) == (CREATED,)


def test_events_that_come_at_once_are_stored_once(store):
    events = [watched(f"e{number}", f"u{number % 3}") for number in range(20)]
    barrier = threading.Barrier(6)

    def append(number):
        barrier.wait()
        return store.interactions.append(events if number % 2 else events[::-1])

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(append, range(6)))
    assert sum(status is CREATED for answer in statuses for status in answer) == 20
    assert all(status is not CONFLICT for answer in statuses for status in answer)


def test_an_append_goes_on_where_retention_dropped_its_partition(store):
    old = watched("e1", occurred_at=NOON.replace(year=2001))
    store.interactions.append([old])
    assert store.apply_retention(RetentionPolicy(interaction_days=365)).partitions == ("interactions_2001",)
    assert store.interactions.append([old]) == (CREATED,)
    assert store.interactions.get("e1") is not None


def test_an_append_within_a_transaction_that_fails_is_not_there(store):
    with pytest.raises(RuntimeError), store.transaction():
        store.interactions.append([watched("e1")])
        raise RuntimeError
    assert store.interactions.get("e1") is None
    assert store.interactions.append([watched("e1")]) == (CREATED,)  # also its partition is made again


def test_the_key_of_an_event_whose_row_is_gone_is_no_conflict(store):
    store.interactions.append([watched("e1")])
    with store.transaction() as connection:
        connection.execute(text("DELETE FROM interactions"))
    assert store.interactions.append([watched("e1")]) == (REPLAYED,)


def test_interactions_with_an_item_are_counted_by_week_and_type(store):
    monday = datetime(2026, 1, 5, tzinfo=UTC)
    store.interactions.append(
        [
            watched("e1", item_id="a", type="rating", value=4.0, occurred_at=monday),
            watched("e2", item_id="a", type="rating", value=5.0, occurred_at=monday + timedelta(days=6, hours=23)),
            watched("e3", item_id="a", type="click", value=None, occurred_at=monday),
            watched("e4", item_id="a", type="click", value=None, occurred_at=monday + timedelta(days=7)),
            watched("e5", item_id="b", occurred_at=monday),
        ]
    )
    counted = [
        (one.start.isoformat(), one.type, one.num_interactions, one.mean_value)
        for one in store.interactions.count_for_item("a", "week")
    ]
    assert counted == [
        ("2026-01-05", "click", 1, None),
        ("2026-01-05", "rating", 2, 4.5),
        ("2026-01-12", "click", 1, None),
    ]
