from datetime import timedelta

import pytest
from recsys_serving.store.errors import StoreRefused
from recsys_serving.store.events.records import Interaction
from recsys_serving.store.users.erased_users import ErasedUsers, erasure_hash

from tests.serving.store.moments import minutes


def seen(event_id, user_id):
    return Interaction(event_id, user_id, "a", "view", minutes(1))


@pytest.fixture
def family(store):
    """A user into whom a visitor was merged, and another one."""
    store.interactions.append([seen("1", "ada"), seen("2", "visitor"), seen("3", "ben")])
    store.users.merge("visitor", "ada")
    return store


def test_all_ids_of_a_user_are_marked_and_no_others(family):
    assert family.users.family_ids("visitor") == ("ada", "visitor")
    family.users.erase("visitor", minutes(5), {})
    erased = family.users.erased()
    assert [name in erased for name in ("ada", "visitor", "ben")] == [True, True, False]
    assert set(erased.marks.values()) == {minutes(5)}
    assert erasure_hash(erased.salt, "ada") in erased.marks


def test_who_comes_back_is_known_as_erased(family):
    family.users.erase("ada", minutes(5), {})
    family.interactions.append([seen("4", "visitor")])
    state = family.users.state("visitor")
    assert state.known and state.is_erased and state.item_ids == ("a",)
    assert not family.users.state("ben").is_erased


def test_a_user_who_was_never_there_is_marked_as_well(store):
    assert store.users.family_ids("nobody") == store.users.family_ids("nobody", locked=True) == ("nobody",)
    store.users.erase("nobody", minutes(5), {})
    assert store.users.state("nobody").is_erased


def test_a_later_erasure_counts(store):
    for moment in (5, 9, 7):
        store.users.erase("ada", minutes(moment), {})
    assert set(store.users.erased().marks.values()) == {minutes(9)}


def test_marks_expire_but_those_that_are_kept(store):
    for name, moment in (("ada", 5), ("ben", 5), ("cid", 9)):
        store.users.erase(name, minutes(moment), {})
    salt = store.users.erased().salt
    assert store.users.expire_erased(minutes(7), {erasure_hash(salt, "ben")}) == 1
    assert [name in store.users.erased() for name in ("ada", "ben", "cid")] == [False, True, True]
    assert store.users.expire_erased(minutes(7) + timedelta(days=1), set()) == 2


def test_an_erasure_that_is_rolled_back_leaves_no_mark(store):
    with pytest.raises(StoreRefused), store.transaction():
        store.users.erase("ada", minutes(5), {})
        raise StoreRefused("no")
    assert store.users.erased().marks == {}


def test_hashes_say_nothing_without_the_salt():
    assert len(erasure_hash("salt", "ada")) == 32 and erasure_hash("salt", "ada") != erasure_hash("other", "ada")
    assert "ada" not in ErasedUsers("other", {erasure_hash("salt", "ada"): minutes(1)})
