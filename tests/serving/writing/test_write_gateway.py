from datetime import UTC, datetime
from pathlib import Path

import pytest
from recsys_serving.spool.applying import apply_command
from recsys_serving.spool.spool import Spool
from recsys_serving.store.errors import Conflict, StoreUnavailable
from recsys_serving.store.events.records import AppendStatus, Interaction
from recsys_serving.store.items.records import ItemDraft
from recsys_serving.store.store import Store
from recsys_serving.writing.write_gateway import ItemPatch, RevisionUnknown, WriteGateway

EVENT = Interaction("e1", "anna", "a", "view", datetime(2024, 5, 1, tzinfo=UTC))


@pytest.fixture
def spool(tmp_path: Path):
    spool = Spool(tmp_path / "spool.sqlite3")
    yield spool
    spool.close()


@pytest.fixture
def away():
    store = Store.connect("postgresql://nobody@127.0.0.1:1/none")
    yield store
    store.close()


def test_a_change_goes_to_the_store(store, spool):
    result = WriteGateway(store, spool).append([EVENT])
    assert (result.value, result.is_spooled) == ((AppendStatus.CREATED,), False)
    assert spool.is_empty()


def test_a_change_waits_in_the_spool_while_the_store_is_away(store, away, spool):
    told: list[str] = []
    result = WriteGateway(away, spool, lambda: told.append("spooled")).append([EVENT])
    assert (result.value, result.is_spooled, told) == (None, True, ["spooled"])
    spool.drain(lambda command: apply_command(store, command))
    assert store.interactions.get("e1").item_id == "a"


def test_what_comes_later_waits_behind_what_waits(store, away, spool):
    WriteGateway(away, spool).create_item(ItemDraft("a", "First"))
    result = WriteGateway(store, spool).update_item("a", ItemPatch(title="Second"), None)
    assert result.is_spooled
    spool.drain(lambda command: apply_command(store, command))
    assert store.items.get("a").title == "Second"
    assert not WriteGateway(store, spool).update_item("a", ItemPatch(title="Third"), None).is_spooled


def test_every_kind_of_change_reaches_the_store_through_the_spool(store, away, spool):
    gateway = WriteGateway(away, spool)
    gateway.create_user("anna", {"age": 31}, True)
    gateway.update_user("anna", {"age": 32}, False, None)
    gateway.append([EVENT, Interaction("e2", "visitor", "b", "view", EVENT.occurred_at)])
    gateway.delete_interaction("e1")
    gateway.merge("visitor", "anna")
    gateway.put_item(ItemDraft("a", "Film"), None)
    gateway.put_items([ItemDraft("b"), ItemDraft("c")])
    gateway.delete_item("c", None)
    assert gateway.num_waiting() == 10
    result = spool.drain(lambda command: apply_command(store, command))
    assert (result.applied, result.refused) == (10, 0)
    user = store.users.get("anna")
    assert (user.properties, user.profiling) == ({"age": 32}, False)
    assert [one.event_id for one in store.interactions.list_for_user("anna").interactions] == ["e2"]
    assert store.items.get("c").deleted_at is not None


def test_a_change_of_one_revision_does_not_wait(store, away, spool):
    with pytest.raises(StoreUnavailable):
        WriteGateway(away, spool).put_item(ItemDraft("a"), 7)
    WriteGateway(away, spool).put_item(ItemDraft("a"), None)
    with pytest.raises(RevisionUnknown, match="leave If-Match out"):
        WriteGateway(store, spool).put_item(ItemDraft("a"), 7)
    assert len(spool) == 1


def test_what_the_store_refuses_does_not_wait(store, spool):
    WriteGateway(store, spool).create_user("anna", {}, True)
    with pytest.raises(Conflict):
        WriteGateway(store, spool).create_user("anna", {}, True)
    assert spool.is_empty()
