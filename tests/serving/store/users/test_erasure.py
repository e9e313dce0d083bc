from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from recsys_serving.store.errors import NotFound
from recsys_serving.store.events.records import Exposure
from recsys_serving.store.schema.tables import METADATA
from sqlalchemy import text

from tests.serving.store.moments import NOON, minutes, watched


@pytest.fixture
def family(store):
    """A guest who became Ada, and Bob, each with interactions of two years and a list."""
    for user_id in ("guest", "ada", "bob"):
        store.interactions.append(
            [watched(f"{user_id}1", user_id), watched(f"{user_id}2", user_id, occurred_at=NOON.replace(year=2001))]
        )
        store.exposures.append([Exposure(uuid4(), user_id, NOON, ("1",), (0.5,), "first", "1", context={"k": 1})])
    store.users.merge("guest", "ada")


def rows_with(store, word):
    """The names of the tables that have a word in any of their rows."""
    with store.transaction() as connection:
        tables = METADATA.tables.values()
        count = "SELECT count(*) FROM {0} WHERE {0}::text LIKE :word"
        return {
            t.name for t in tables if connection.execute(text(count.format(t.name)), {"word": f"%{word}%"}).scalar()
        }


def test_nothing_of_the_user_is_left_in_any_table(store, family):
    assert rows_with(store, "ada") == {"users", "interactions", "interaction_keys", "exposures"}
    store.users.erase("ada")
    assert rows_with(store, "ada") == set()
    assert rows_with(store, "guest") == set()


def test_others_keep_everything(store, family):
    before = store.users.export("bob")
    store.users.erase("ada")
    assert store.users.export("bob") == before


def test_the_receipt_counts_and_does_not_name_the_user(store, family):
    receipt = store.users.erase("ada", minutes(5), {"bundles": ["first"]})
    assert receipt.deleted == {"interactions": 4, "exposures": 2, "users": 2}
    assert receipt.requested_at == minutes(5)
    assert abs(receipt.completed_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert receipt.receipt == {"bundles": ["first"]}
    assert receipt.user_hash == hashlib.sha256(f"{receipt.receipt_id}:ada".encode()).hexdigest()
    assert store.users.erasure(receipt.receipt_id) == receipt


def test_a_merged_user_is_erased_with_the_account(store, family):
    assert store.users.erase("guest").deleted["users"] == 2
    assert store.users.get("ada") is None


def test_one_who_is_not_there_gets_a_receipt_as_well(store):
    assert store.users.erase("nobody").deleted == {"interactions": 0, "exposures": 0, "users": 0}


def test_events_of_an_erased_user_are_free_again(store, family):
    store.users.erase("ada")
    store.interactions.append([watched("ada1", "ada", "other")])
    assert store.interactions.get("ada1").item_id == "other"


def test_an_erasure_with_a_receipt_that_is_there_does_nothing(store, family):
    receipt = store.users.erase("ada", receipt_id=uuid4())
    store.users.create("ada")
    assert store.users.erase("ada", receipt_id=receipt.receipt_id) == receipt
    assert store.users.get("ada") is not None


def test_a_receipt_gets_additions(store):
    receipt = store.users.erase("ada", receipt={"bundles": []})
    added = store.users.annotate_erasure(receipt.receipt_id, {"signature": "s"})
    assert added.receipt == {"bundles": [], "signature": "s"}
    with pytest.raises(NotFound, match="no receipt"):
        store.users.annotate_erasure(uuid4(), {})


def test_a_receipt_that_is_not_there_is_none(store):
    assert store.users.erasure(uuid4()) is None


def test_the_export_has_everything_oldest_first(store, family):
    export = store.users.export("guest")
    assert export.user == store.users.get("ada")
    assert export.merged_users == (store.users.get("guest"),)
    assert [one.event_id for one in export.interactions] == ["ada2", "guest2", "ada1", "guest1"]
    assert len(export.exposures) == 2
    assert export.exposures[0].propensities == (0.5,)


def test_the_export_of_nobody_is_not_found(store):
    with pytest.raises(NotFound, match="no user 'nobody'"):
        store.users.export("nobody")
