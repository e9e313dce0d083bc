from __future__ import annotations

import threading

import pytest
from recsys_serving.store.errors import StoreUnavailable
from recsys_serving.store.users.accounts import ACCOUNT, lock_accounts
from sqlalchemy import text


def test_unknown_users_are_made_and_are_their_own_accounts(store):
    with store.transaction() as connection:
        assert lock_accounts(connection, ["b", "a", "b"]) == {"a": "a", "b": "b"}
    assert [user.user_id for user in store.users.list_users()] == ["a", "b"]


def test_a_merged_user_stands_for_the_account(store):
    for user_id in ("guest", "ada"):
        store.users.create(user_id)
    store.users.merge("guest", "ada")
    with store.transaction() as connection:
        assert lock_accounts(connection, ["guest"]) == {"guest": "ada"}
        assert connection.execute(text(f"SELECT {ACCOUNT}"), {"user_id": "guest"}).scalar() == "ada"
        assert connection.execute(text(f"SELECT {ACCOUNT}"), {"user_id": "nobody"}).scalar() == "nobody"


def test_accounts_stay_locked_until_the_end_of_the_transaction(store):
    for user_id in ("guest", "ada"):
        store.users.create(user_id)
    store.users.merge("guest", "ada")
    outcome = []

    def lock_too():
        try:
            with store._database.transaction(timeout_seconds=0.05) as other:
                lock_accounts(other, ["ada"])
        except StoreUnavailable as error:
            outcome.append(str(error))

    with store.transaction() as connection:
        lock_accounts(connection, ["guest"])
        thread = threading.Thread(target=lock_too)
        thread.start()
        thread.join()
    assert len(outcome) == 1
    assert "timeout" in outcome[0]


def test_a_reader_does_not_wait_for_a_locked_account(store):
    store.users.create("ada")
    with store.transaction() as connection:
        lock_accounts(connection, ["ada"])
        read = []
        thread = threading.Thread(target=lambda: read.append(store.users.state("ada").known))
        thread.start()
        thread.join()
    assert read == [True]


@pytest.mark.parametrize("number", [0, 1, 500])
def test_any_number_of_accounts_is_locked(store, number):
    with store.transaction() as connection:
        assert len(lock_accounts(connection, [str(n) for n in range(number)])) == number
