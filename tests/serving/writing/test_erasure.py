from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from recsys_serving.spool.commands import apply_command, user_command
from recsys_serving.spool.spool import Spool
from recsys_serving.store.events.records import Interaction
from recsys_serving.store.store import Store
from recsys_serving.writing.erasure import Eraser
from recsys_serving.writing.receipts import ReceiptSigner, is_genuine, new_private_key

SIGNER = ReceiptSigner(new_private_key())
EVENT = Interaction("e1", "anna", "a", "view", datetime(2024, 5, 1, tzinfo=UTC))


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool")
    yield spool
    spool.close()


def eraser(store: Store, spool: Spool, forgotten: list[str] | None = None) -> Eraser:
    return Eraser(store, spool, SIGNER, list, 30, (forgotten if forgotten is not None else []).append)


def test_all_of_a_user_and_of_those_merged_into_it_is_gone(store, spool):
    store.interactions.append([EVENT, Interaction("e2", "visitor", "b", "view", EVENT.occurred_at)])
    store.users.merge("visitor", "anna")
    forgotten: list[str] = []
    outcome = eraser(store, spool, forgotten).erase("anna")
    assert store.users.get("anna") is None and store.users.get("visitor") is None
    assert store.interactions.get("e2") is None
    assert sorted(forgotten) == ["anna", "visitor"]
    assert outcome.receipt["deleted"] == {"interactions": 2, "exposures": 0, "users": 2}


def test_a_receipt_is_genuine_and_stays_the_same(store, spool):
    one = eraser(store, spool)
    receipt = one.erase("anna").receipt
    assert is_genuine(receipt, SIGNER.public_key)
    assert one.receipt(UUID(receipt["receipt_id"])) == receipt


def test_the_receipt_of_an_erasure_that_waited_is_signed_when_it_is_asked_for(store, spool):
    away = Store.connect("postgresql://nobody@127.0.0.1:1/none")
    store.interactions.append([EVENT])
    outcome = eraser(away, spool).erase("anna")
    assert outcome.receipt is None
    spool.drain(lambda command: apply_command(store, command))
    assert store.users.get("anna") is None
    receipt = eraser(store, spool).receipt(UUID(outcome.receipt_id))
    assert is_genuine(receipt, SIGNER.public_key)
    away.close()


def test_what_waits_of_a_user_is_dropped(store, spool):
    away = Store.connect("postgresql://nobody@127.0.0.1:1/none")
    spool.append([user_command("anna", {"age": 31})])
    eraser(away, spool).erase("anna")
    assert [command.kind for command in spool.pending_for("anna")] == ["user_erase"]
    away.close()


def test_the_receipt_says_how_long_bundles_are_kept(store, spool):
    receipt = eraser(store, spool).erase("anna").receipt
    assert (receipt["bundles"], receipt["bundle_retention_days"]) == ([], 30)
    assert timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(receipt["completed_at"]) < timedelta(minutes=5)


def test_a_receipt_that_is_not_there(store, spool):
    assert eraser(store, spool).receipt(UUID(int=0)) is None
