from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from recsys_serving.recommending.erased_mirror import ErasedMirror
from recsys_serving.spool.applying import apply_command
from recsys_serving.spool.commands import user_command
from recsys_serving.spool.spool import Spool
from recsys_serving.store.errors import StoreRefused
from recsys_serving.store.events.records import Interaction
from recsys_serving.store.store import Store
from recsys_serving.writing.erasure import Eraser
from recsys_serving.writing.receipts import ReceiptSigner, is_genuine, new_private_key

SIGNER = ReceiptSigner(new_private_key())
#: Of the installation of each spool.
MIRRORS: dict[Spool, ErasedMirror] = {}
EVENT = Interaction("e1", "anna", "a", "view", datetime(2024, 5, 1, tzinfo=UTC))


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool")
    MIRRORS[spool] = ErasedMirror(tmp_path / "erased.json")
    yield spool
    spool.close()


def eraser(store: Store, spool: Spool, forgotten: list[str] | None = None) -> Eraser:
    return Eraser(store, spool, SIGNER, list, 30, (forgotten if forgotten is not None else []).append, MIRRORS[spool])


def test_all_of_a_user_and_of_those_merged_into_it_is_gone(store, spool):
    store.interactions.append([EVENT, Interaction("e2", "visitor", "b", "view", EVENT.occurred_at)])
    store.users.merge("visitor", "anna")
    forgotten: list[str] = []
    outcome = eraser(store, spool, forgotten).erase("anna", "key-1")
    assert store.users.get("anna") is None and store.users.get("visitor") is None
    assert store.interactions.get("e2") is None
    assert sorted(forgotten) == ["anna", "visitor"]
    assert outcome.receipt["deleted"] == {"interactions": 2, "exposures": 0, "users": 2}


def test_a_receipt_is_genuine_and_stays_the_same(store, spool):
    one = eraser(store, spool)
    receipt = one.erase("anna", "key-1").receipt
    assert is_genuine(receipt, SIGNER.public_key)
    assert one.receipt(UUID(receipt["receipt_id"])) == receipt


def test_the_receipt_of_an_erasure_that_waited_is_signed_when_it_is_asked_for(store, spool):
    away = Store.connect("postgresql://nobody@127.0.0.1:1/none")
    store.interactions.append([EVENT])
    outcome = eraser(away, spool).erase("anna", "key-1")
    assert outcome.receipt is None
    spool.drain(lambda command: apply_command(store, command))
    assert store.users.get("anna") is None
    receipt = eraser(store, spool).receipt(UUID(outcome.receipt_id))
    assert is_genuine(receipt, SIGNER.public_key)
    away.close()


def test_what_waits_of_a_user_is_dropped(store, spool):
    away = Store.connect("postgresql://nobody@127.0.0.1:1/none")
    spool.append([user_command("anna", {"age": 31})])
    eraser(away, spool).erase("anna", "key-1")
    assert [command.kind for command in spool.pending_for("anna")] == ["user_erase"]
    away.close()


def test_the_receipt_says_how_long_bundles_are_kept(store, spool):
    receipt = eraser(store, spool).erase("anna", "key-1").receipt
    assert (receipt["bundles"], receipt["bundle_retention_days"]) == ([], 30)
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(receipt["completed_at"]) < timedelta(minutes=5)


def test_a_receipt_that_is_not_there(store, spool):
    assert eraser(store, spool).receipt(UUID(int=0)) is None


def test_rows_receipt_and_audit_are_one_transaction(store, spool, monkeypatch):
    store.interactions.append([EVENT])

    def refuse(entry):
        raise StoreRefused("The audit is full.")

    with monkeypatch.context() as patched:
        patched.setattr(store.audit, "append", refuse)
        with pytest.raises(StoreRefused):
            eraser(store, spool).erase("anna", "key-1")
    assert store.interactions.get("e1") is not None and store.users.erased().marks == {}
    receipt = eraser(store, spool).erase("anna", "key-1").receipt
    [entry] = store.audit.list_entries(act="user.erase")
    assert (entry.actor, entry.target) == ("key-1", receipt["receipt_id"])


def test_an_erasure_that_waited_is_in_the_audit_once(store, spool):
    away = Store.connect("postgresql://nobody@127.0.0.1:1/none")
    outcome = eraser(away, spool).erase("anna", "key-1")
    away.close()
    [command] = spool.pending_for("anna")
    for _ in range(2):
        apply_command(store, command)
    entries = store.audit.list_entries(act="user.erase")
    assert [(one.actor, one.target) for one in entries] == [("key-1", outcome.receipt_id)]


def test_only_ids_are_read(store, spool, monkeypatch):
    store.interactions.append([EVENT])
    monkeypatch.setattr(store.users, "export", lambda user_id: pytest.fail("all of a user was read"))
    assert eraser(store, spool).erase("anna", "key-1").receipt["deleted"]["interactions"] == 1


def test_the_installation_knows_who_was_erased_when_the_store_is_away_at_the_next_start(store, spool):
    store.interactions.append([EVENT, Interaction("e2", "visitor", "b", "view", EVENT.occurred_at)])
    store.users.merge("visitor", "anna")
    eraser(store, spool).erase("visitor", "key-1")
    mirror = MIRRORS[spool]
    assert "anna" in mirror and "visitor" in mirror and "ben" not in mirror
    away = Store.connect("postgresql://nobody@127.0.0.1:1/none")
    eraser(away, spool).erase("ben", "key-1")
    away.close()
    assert "ben" in mirror
