from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from recsys_serving.store.errors import Conflict, NotFound, PreconditionFailed, StoreRefused
from recsys_serving.store.items.records import ItemDraft, ItemSource

ALIEN = ItemDraft("1", "Alien", {"genres": ["Horror"], "year": 1979})


def test_an_item_is_read_as_it_was_made(store):
    item = store.items.create(ALIEN)
    assert (item.item_id, item.title, item.properties) == ("1", "Alien", {"genres": ["Horror"], "year": 1979})
    assert (item.available, item.source, item.deleted_at) == (True, ItemSource.API, None)
    assert store.items.get("1") == item


def test_an_item_that_is_not_there_is_none(store):
    assert store.items.get("1") is None


def test_an_item_is_made_once(store):
    store.items.create(ALIEN)
    with pytest.raises(Conflict, match="item '1' already"):
        store.items.create(ALIEN)


def test_each_change_raises_the_revision_of_the_catalogue_which_the_item_has(store):
    revisions = [store.items.create(ALIEN).revision]
    revisions.append(store.items.put(ItemDraft("2")).revision)
    revisions.append(store.items.update("1", available=False).revision)
    revisions.append(store.items.delete("2").revision)
    assert revisions == [1, 2, 3, 4]
    assert store.items.revision() == 4


def test_a_refused_change_leaves_the_revision(store):
    store.items.create(ALIEN)
    with pytest.raises(Conflict):
        store.items.create(ALIEN)
    with pytest.raises(NotFound):
        store.items.update("2", title="x")
    assert store.items.revision() == 1


def test_put_replaces_everything(store):
    first = store.items.put(ALIEN)
    second = store.items.put(ItemDraft("1", None, {"year": 1986}, available=False))
    assert (second.title, second.properties, second.available) == (None, {"year": 1986}, False)
    assert second.created_at == first.created_at


def test_update_changes_what_is_named(store):
    store.items.create(ALIEN)
    item = store.items.update("1", properties={"year": None, "price": 3.5}, available=False)
    assert (item.title, item.properties, item.available) == ("Alien", {"genres": ["Horror"], "price": 3.5}, False)
    assert store.items.update("1", title="Aliens").title == "Aliens"


@pytest.mark.parametrize("change", ["put", "update", "delete"])
def test_a_change_of_another_revision_is_refused(store, change):
    store.items.create(ALIEN)
    given = ItemDraft("1", "x") if change == "put" else "1"
    with pytest.raises(PreconditionFailed, match="Revision 7 of item '1' .* has 1 by now"):
        getattr(store.items, change)(given, expected_revision=7)
    assert getattr(store.items, change)(given, expected_revision=1).revision == 2


def test_putting_a_revision_of_what_is_not_there_is_refused(store):
    with pytest.raises(PreconditionFailed, match="is not there"):
        store.items.put(ALIEN, expected_revision=1)


def test_a_deleted_item_stays_as_deleted_and_is_not_available(store):
    store.items.create(ALIEN)
    item = store.items.delete("1")
    assert item.deleted_at is not None
    assert not item.available
    assert store.items.get("1") == item
    for change in (store.items.delete, store.items.update):
        with pytest.raises(NotFound, match="no item '1'"):
            change("1")


@pytest.mark.parametrize("make", ["create", "put"])
def test_a_deleted_item_is_made_anew(store, make):
    store.items.create(ALIEN)
    deleted = store.items.delete("1")
    item = getattr(store.items, make)(ALIEN)
    assert (item.deleted_at, item.available) == (None, True)
    assert item.created_at > deleted.created_at


def test_changes_since_a_revision_are_all_later_ones_with_deleted_ones(store):
    store.items.put_many([ItemDraft(str(n)) for n in range(4)])
    store.items.update("1", available=False)
    store.items.delete("2")
    assert [item.item_id for item in store.items.changes_since(2)] == ["3", "1", "2"]
    assert [item.item_id for item in store.items.changes_since(2, limit=1)] == ["3"]
    assert store.items.changes_since(6) == ()


def test_many_items_are_put_at_once_and_unchanged_ones_keep_their_revision(store):
    store.items.put_many([ALIEN, ItemDraft("2", "Big")])
    again = store.items.put_many([ItemDraft("3"), ALIEN, ItemDraft("2", "Bigger"), ItemDraft("3", "Heat")])
    assert [(item.item_id, item.title, item.revision) for item in again] == [
        ("3", "Heat", 3),
        ("1", "Alien", 1),
        ("2", "Bigger", 4),
    ]
    assert store.items.revision() == 4
    assert store.items.put_many([]) == ()


def test_of_many_items_all_are_put_or_none(store):
    with pytest.raises(StoreRefused):
        store.items.put_many([ALIEN, ItemDraft("2", "\0")])
    assert store.items.get("1") is None
    assert store.items.revision() == 0


def test_items_are_listed_page_by_page(store):
    store.items.put_many([ItemDraft(item_id) for item_id in ("c", "a", "b")])
    store.items.delete("b")
    assert [item.item_id for item in store.items.list_items()] == ["a", "c"]
    assert [item.item_id for item in store.items.list_items(limit=1, after="a", deleted=True)] == ["b"]


def test_items_are_found_by_their_ids(store):
    store.items.put_many([ALIEN, ItemDraft("2")])
    assert set(store.items.get_many(["2", "9", "1"])) == {"1", "2"}
    assert store.items.get_many([]) == {}


def test_changes_at_once_get_revisions_of_their_own(store):
    with ThreadPoolExecutor(4) as pool:
        items = list(pool.map(lambda n: store.items.put(ItemDraft(str(n % 3), str(n))), range(24)))
    assert sorted(item.revision for item in items) == list(range(1, 25))
