from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from recsys_serving.store.errors import Conflict, NotFound, PreconditionFailed, StoreRefused

from tests.serving.store.moments import minutes, watched


def test_a_user_is_made_once(store):
    user = store.users.create("ada", {"age": 36}, profiling=False)
    assert (user.user_id, user.properties, user.profiling, user.merged_into) == ("ada", {"age": 36}, False, None)
    assert store.users.get("ada") == user
    with pytest.raises(Conflict, match="user 'ada' already"):
        store.users.create("ada")


def test_a_user_that_is_not_there_is_none(store):
    assert store.users.get("ada") is None


def test_attributes_are_set_taken_away_and_left(store):
    store.users.create("ada", {"age": 36, "city": "London", "job": "poet"})
    user = store.users.update("ada", {"age": 37, "city": None})
    assert user.properties == {"age": 37, "job": "poet"}
    assert user.profiling


def test_profiling_is_switched_off_and_attributes_stay(store):
    store.users.create("ada", {"age": 36})
    user = store.users.update("ada", profiling=False)
    assert (user.properties, user.profiling) == ({"age": 36}, False)


def test_each_change_raises_the_revision(store):
    before = store.users.create("ada")
    after = store.users.update("ada", {"age": 36})
    assert after.revision > before.revision
    assert after.updated_at > before.updated_at
    assert after.created_at == before.created_at


def test_a_change_of_another_revision_is_refused(store):
    user = store.users.create("ada")
    changed = store.users.update("ada", {"age": 36}, expected_revision=user.revision)
    with pytest.raises(PreconditionFailed, match=rf"Revision {user.revision} .* has {changed.revision} by now"):
        store.users.update("ada", {"age": 40}, expected_revision=user.revision)
    assert store.users.get("ada").properties == {"age": 36}


def test_a_change_of_nobody_is_not_found(store):
    with pytest.raises(NotFound, match="no user 'ada'"):
        store.users.update("ada", {"age": 36})


def test_properties_that_json_cannot_hold_are_refused(store):
    with pytest.raises(StoreRefused, match="JSON"):
        store.users.create("ada", {"age": float("inf")})


def test_users_are_listed_page_by_page(store):
    for user_id in ("c", "a", "d", "b"):
        store.users.create(user_id)
    first = store.users.list_users(limit=3)
    assert [user.user_id for user in first] == ["a", "b", "c"]
    assert [user.user_id for user in store.users.list_users(limit=3, after="c")] == ["d"]


def test_users_are_listed_by_how_their_ids_begin(store):
    for name in ("b", "an%", "ann", "anna", "a"):
        store.users.create(name)
    assert [user.user_id for user in store.users.list_users(10, prefix="ann")] == ["ann", "anna"]
    assert [user.user_id for user in store.users.list_users(1, "ann", "ann")] == ["anna"]
    assert [user.user_id for user in store.users.list_users(10, prefix="an%")] == ["an%"]


def test_receipts_are_listed_the_latest_first(store):
    receipts = [store.users.erase(name) for name in ("a", "b", "c")]
    assert store.users.list_erasures(2) == (receipts[2], receipts[1])


def test_a_user_that_was_erased_and_comes_again_has_a_new_revision(store):
    old = store.users.create("ada")
    store.users.erase("ada")
    assert store.users.create("ada").revision > old.revision


def test_a_merged_user_is_changed_as_the_account(store):
    store.users.create("guest")
    store.users.create("ada")
    store.users.merge("guest", "ada")
    assert store.users.update("guest", {"age": 36}).user_id == "ada"
    assert store.users.get("ada").properties == {"age": 36}
    assert store.users.get("guest").properties == {}


def test_interactions_that_come_while_users_are_merged_are_all_in_the_account(store):
    store.users.create("ada")
    store.users.create("guest")
    barrier = threading.Barrier(4)

    def append(number):
        barrier.wait()
        for n in range(15):
            store.interactions.append([watched(f"{number}-{n}", "guest", occurred_at=minutes(n))])

    def merge():
        barrier.wait()
        store.users.merge("guest", "ada")

    with ThreadPoolExecutor(4) as pool:
        for future in [*(pool.submit(append, number) for number in range(3)), pool.submit(merge)]:
            future.result()
    events = {one.event_id for one in store.users.export("ada").interactions}
    assert events == {f"{number}-{n}" for number in range(3) for n in range(15)}


def test_interactions_that_come_while_a_user_is_erased_leave_nothing_half(store):
    barrier = threading.Barrier(3)

    def append(number):
        barrier.wait()
        for n in range(15):
            store.interactions.append([watched(f"{number}-{n}", "ada", occurred_at=minutes(n))])

    def erase():
        barrier.wait()
        for _ in range(8):
            store.users.erase("ada")

    with ThreadPoolExecutor(3) as pool:
        for future in [pool.submit(append, 0), pool.submit(append, 1), pool.submit(erase)]:
            future.result()
    kept = [one.event_id for one in store.interactions.list_for_user("ada", limit=100).interactions]
    stored = [event for event in (f"{m}-{n}" for m in range(2) for n in range(15)) if store.interactions.get(event)]
    assert sorted(kept) == sorted(stored)
    assert (store.users.get("ada") is not None) >= bool(kept)
