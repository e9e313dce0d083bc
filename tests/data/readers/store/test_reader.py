from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from recsys_serving.store.items.records import ItemDraft

from recsys.data.preparing import Preparation
from recsys.data.readers.store.reader import StoreReader
from recsys.errors import DataError, SettingsError, SourceError
from tests.serving.conftest import new_database
from tests.serving.store.moments import NOON, minutes, watched

SECONDS = int(NOON.timestamp())


@pytest.fixture
def filled(store):
    """Ada and Bob, who rated and looked at two films."""
    store.users.create("ada", {"age": 36})
    store.users.create("bob", {"age": 40})
    store.items.put_many([ItemDraft("1", "Alien", {"genres": ["Horror", "SF"], "year": 1979}), ItemDraft("2", "Big")])
    store.interactions.append(
        [
            watched("e2", "bob", "2", type="rating", value=3.0, occurred_at=minutes(1)),
            watched("e1", "ada", "1", type="rating", value=5.0),
            watched("e3", "ada", "2", occurred_at=minutes(2) + timedelta(microseconds=250)),
        ]
    )
    return store


def rows(url, **arguments):
    reader = StoreReader(url, **arguments)
    whole = reader.read()
    stream = reader.stream()
    found = [row for batch in stream.batches() for row in batch.to_pylist()]
    assert found == [row for batch in stream.batches() for row in batch.to_pylist()] == whole.interactions.to_pylist()
    empty = whole.interactions.schema.empty_table()
    assert replace(stream.rest, interactions=empty) == replace(whole, interactions=empty)
    assert stream.is_local and reader.num_bytes() > 0
    return found


def test_interactions_are_in_the_order_of_time(database_url, filled):
    assert rows(database_url) == [
        {"user_id": "ada", "item_id": "1", "timestamp": SECONDS, "subsecond_ns": 0},
        {"user_id": "bob", "item_id": "2", "timestamp": SECONDS + 60, "subsecond_ns": 0},
        {"user_id": "ada", "item_id": "2", "timestamp": SECONDS + 120, "subsecond_ns": 250_000},
    ]


def test_values_are_ratings_where_all_that_are_read_have_one(database_url, filled):
    assert [row["rating"] for row in rows(database_url, types=["rating"])] == [5.0, 3.0]
    assert all("rating" not in row for row in rows(database_url))
    notes = StoreReader(database_url).read().notes
    assert any("1 of 3 interactions have none" in note for note in notes)


def test_values_are_what_is_asked_for(database_url, filled):
    assert [row["weight"] for row in rows(database_url, types=["rating"], values="weight")] == [5.0, 3.0]
    assert all("rating" not in row for row in rows(database_url, types=["rating"], values="ignore"))
    assert [row["rating"] for row in rows(database_url, values="rating")] == [5.0, 3.0, None]


def test_whole_seconds_have_no_further_column(database_url, filled):
    assert set(rows(database_url, types=["rating"])[0]) == {"user_id", "item_id", "timestamp", "rating"}


def test_a_period_begins_with_since_and_ends_before_until(database_url, filled):
    users = [row["user_id"] for row in rows(database_url, since="2024-03-01T12:01:00Z")]
    assert users == ["bob", "ada"]
    assert [row["user_id"] for row in rows(database_url, until="2024-03-01T13:01:00+01:00")] == ["ada"]
    assert len(rows(database_url, since=SECONDS)) == 3


def test_properties_are_columns_and_features(database_url, filled):
    raw = StoreReader(database_url).read()
    assert raw.users.to_pylist() == [{"user_id": "ada", "age": 36}, {"user_id": "bob", "age": 40}]
    assert raw.items.to_pylist() == [
        {"item_id": "1", "title": "Alien", "genres": ["Horror", "SF"], "year": 1979},
        {"item_id": "2", "title": "Big", "genres": None, "year": None},
    ]
    assert {(one.name, str(one.kind)) for one in raw.item_features} == {
        ("title", "text"),
        ("genres", "multi_valued"),
        ("year", "number"),
    }


def test_features_are_declared_where_wanted(database_url, filled):
    raw = StoreReader(database_url, user_features={}, item_features={"year": "categorical"}).read()
    assert raw.user_features == ()
    assert [(one.name, str(one.kind)) for one in raw.item_features] == [("year", "categorical")]
    with pytest.raises(DataError, match=r"data\.item_features declares the column 'colour'"):
        StoreReader(database_url, item_features={"colour": "categorical"}).read()


def test_who_is_not_profiled_is_not_in_the_data(database_url, filled):
    filled.users.update("ada", profiling=False)
    raw = StoreReader(database_url).read()
    assert raw.interactions.column("user_id").to_pylist() == ["bob"]
    assert raw.users.column("user_id").to_pylist() == ["bob"]


def test_who_was_erased_is_not_in_the_data(database_url, filled):
    filled.users.erase("ada")
    assert {row["user_id"] for row in rows(database_url)} == {"bob"}


def test_who_was_merged_is_under_the_account(database_url, filled):
    filled.users.merge("bob", "ada")
    raw = StoreReader(database_url).read()
    assert raw.interactions.column("user_id").to_pylist() == ["ada"] * 3
    assert raw.users.column("user_id").to_pylist() == ["ada"]


def test_items_that_are_deleted_or_not_available_are_not_in_the_items(database_url, filled):
    filled.items.update("2", available=False)
    assert StoreReader(database_url).read().items.num_rows == 2
    raw = StoreReader(database_url, available_only=True).read()
    assert raw.items.column("item_id").to_pylist() == ["1"]
    assert raw.interactions.column("item_id").to_pylist() == ["1"]
    filled.items.delete("2")
    assert StoreReader(database_url).read().items.column("item_id").to_pylist() == ["1"]


def test_users_and_items_may_be_unknown(database_url, store):
    store.interactions.append([watched("e1")])
    raw = StoreReader(database_url).read()
    assert raw.items is None
    assert raw.users.to_pylist() == [{"user_id": "ada"}]


def test_a_database_without_the_views_is_told(postgres_server):
    with new_database(postgres_server) as url:
        reader = StoreReader(url)
        for ask in (reader.read, reader.fingerprint):
            with pytest.raises(SourceError, match="is no database of the service"):
                ask()


def test_no_interactions_are_an_error_that_says_what_was_asked(database_url, filled):
    with pytest.raises(DataError, match="has no interactions .* of the types like since 2024-01-01T00:00:00"):
        StoreReader(database_url, types=["like"], since="2024-01-01").read()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"values": "ratings"}, "data.values must be one of auto, rating, weight, ignore"),
        ({"since": "yesterday"}, "data.since must be a date"),
        ({"until": "2024-13-01"}, "data.until must be a date"),
    ],
    ids=["values", "since", "until"],
)
def test_a_setting_that_cannot_be_read_is_an_error(arguments, message):
    with pytest.raises(SettingsError, match=message):
        StoreReader("postgresql://h/x", **arguments)


def test_the_fingerprint_has_no_password_and_changes_with_the_data(database_url, filled):
    url = database_url.replace("postgres@", "postgres:secret@")
    reader = StoreReader(url)
    first = json.dumps(reader.fingerprint())
    assert "secret" not in first
    assert json.dumps(reader.fingerprint()) == first
    seen = {first}
    changes = [
        lambda: filled.interactions.append([watched("e9", "ada", "1", occurred_at=minutes(9))]),
        lambda: filled.interactions.delete("e9"),
        lambda: filled.users.update("ada", profiling=False),
        lambda: filled.items.update("1", available=False),
        lambda: filled.users.erase("ada"),
    ]
    for number, change in enumerate(changes, start=2):
        change()
        seen.add(json.dumps(reader.fingerprint()))
        assert len(seen) == number
    assert json.dumps(StoreReader(url, types=["rating"]).fingerprint()) not in seen


def test_the_data_are_prepared_as_any_others(database_url, filled, tmp_path):
    later = [
        replace(watched(f"x{n}", "ada", str(n % 2 + 1), type="rating", value=4.0), occurred_at=minutes(10 + n))
        for n in range(4)
    ]
    filled.interactions.append(later)
    prepared = Preparation().prepare(StoreReader(database_url, types=["rating"]), tmp_path / "prepared")
    assert (prepared.schema.num_users, prepared.schema.num_items) == (2, 2)
    assert prepared.titles([prepared.item_vocabulary.index_of(["2"])[0]]) == ["Big"]
    assert datetime.fromtimestamp(int(prepared.interactions.timestamp.max()), UTC) == minutes(13)
