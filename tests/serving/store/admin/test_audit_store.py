from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from recsys_serving.store.admin.records import AuditEntry
from recsys_serving.store.errors import StoreRefused
from sqlalchemy import text

from tests.serving.store.moments import NOON


def test_an_entry_gets_a_number_and_the_moment(store):
    entry = store.audit.append(AuditEntry("key-1", "bundle.activate", "bundles/a", {"from": "bundles/b"}))
    assert (entry.actor, entry.act, entry.target, entry.detail) == (
        "key-1",
        "bundle.activate",
        "bundles/a",
        {"from": "bundles/b"},
    )
    assert entry.entry_id is not None
    assert abs(entry.at - datetime.now(UTC)) < timedelta(minutes=1)
    assert store.audit.list_entries() == (entry,)


def test_a_moment_that_is_given_stays(store):
    assert store.audit.append(AuditEntry("key-1", "x", at=NOON)).at == NOON


def test_entries_are_latest_first_page_by_page(store):
    entries = [store.audit.append(AuditEntry("key-1", str(n))) for n in range(4)]
    page = store.audit.list_entries(limit=2)
    assert [entry.act for entry in page] == ["3", "2"]
    assert store.audit.list_entries(limit=5, before=page[-1].entry_id) == (entries[1], entries[0])


def test_entries_of_an_actor_or_an_act(store):
    for actor, act in (("a", "x"), ("a", "y"), ("b", "x")):
        store.audit.append(AuditEntry(actor, act))
    assert [entry.act for entry in store.audit.list_entries(actor="a")] == ["y", "x"]
    assert [entry.actor for entry in store.audit.list_entries(act="x")] == ["b", "a"]
    assert len(store.audit.list_entries(actor="b", act="x")) == 1


@pytest.mark.parametrize("change", ["UPDATE audit SET actor = 'nobody'", "DELETE FROM audit", "TRUNCATE audit"])
def test_the_database_refuses_to_change_an_entry(store, change):
    store.audit.append(AuditEntry("key-1", "x"))
    with pytest.raises(StoreRefused, match="neither changed nor deleted"), store.transaction() as connection:
        connection.execute(text(change))
    assert len(store.audit.list_entries()) == 1
