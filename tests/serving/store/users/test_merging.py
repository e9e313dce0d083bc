from __future__ import annotations

from uuid import uuid4

import pytest
from recsys_serving.store.errors import Conflict, NotFound
from recsys_serving.store.events.records import AppendStatus, Exposure

from tests.serving.store.moments import NOON, minutes, watched


@pytest.fixture
def merged(store):
    """A guest with two interactions and a list, who became Ada."""
    store.interactions.append([watched("e1", "guest", "a"), watched("e2", "guest", "b", occurred_at=minutes(1))])
    store.users.create("ada", {"age": 36})
    store.exposures.append([Exposure(uuid4(), "guest", NOON, ("a",), None, "first", "1")])
    return store.users.merge("guest", "ada")


def test_interactions_and_lists_move_to_the_account(store, merged):
    assert (merged.user.user_id, merged.num_interactions) == ("ada", 2)
    export = store.users.export("ada")
    assert [one.event_id for one in export.interactions] == ["e1", "e2"]
    assert {one.user_id for one in export.interactions} == {"ada"}
    assert [one.user_id for one in export.exposures] == ["ada"]
    assert [user.user_id for user in export.merged_users] == ["guest"]


def test_the_merged_user_names_the_account(store, merged):
    assert store.users.get("guest").merged_into == "ada"


def test_later_interactions_under_the_old_id_go_to_the_account(store, merged):
    before = store.users.get("ada").revision
    store.interactions.append([watched("e3", "guest", "c", occurred_at=minutes(2))])
    assert store.interactions.get("e3").user_id == "ada"
    assert store.users.get("ada").revision > before
    assert len(store.interactions.list_for_user("guest").interactions) == 3


def test_a_replay_under_either_id_is_a_replay(store, merged):
    for user_id in ("guest", "ada"):
        assert store.interactions.append([watched("e1", user_id, "a")]) == (AppendStatus.REPLAYED,)


def test_later_lists_under_the_old_id_go_to_the_account(store, merged):
    store.exposures.append([Exposure(uuid4(), "guest", minutes(3), ("c",), None, "first", "1")])
    assert [one.user_id for one in store.users.export("ada").exposures] == ["ada", "ada"]


def test_attributes_of_the_account_win(store):
    store.users.create("guest", {"age": 20, "city": "London"})
    store.users.create("ada", {"age": 36})
    assert store.users.merge("guest", "ada").user.properties == {"age": 36, "city": "London"}


@pytest.mark.parametrize(("guest", "account"), [(True, True), (True, False), (False, True), (False, False)])
def test_profiling_stays_on_only_where_it_was_on_for_both(store, guest, account):
    store.users.create("guest", profiling=guest)
    store.users.create("ada", profiling=account)
    assert store.users.merge("guest", "ada").user.profiling is (guest and account)


def test_a_repeated_merge_changes_nothing(store, merged):
    again = store.users.merge("guest", "ada")
    assert (again.user, again.num_interactions) == (merged.user, 0)


def test_who_was_merged_into_a_merged_user_goes_on_to_the_account(store, merged):
    store.users.create("lovelace")
    store.users.merge("ada", "lovelace")
    assert store.users.get("guest").merged_into == "lovelace"
    store.interactions.append([watched("e3", "guest", "c", occurred_at=minutes(2))])
    assert len(store.interactions.list_for_user("lovelace").interactions) == 3


def test_a_user_is_not_merged_into_itself(store, merged):
    with pytest.raises(Conflict, match="into itself"):
        store.users.merge("ada", "ada")


def test_a_merged_user_is_merged_nowhere_else(store, merged):
    store.users.create("bob")
    with pytest.raises(Conflict, match="'guest' was merged into 'ada'"):
        store.users.merge("guest", "bob")
    with pytest.raises(Conflict, match="'guest' was merged into 'ada'"):
        store.users.merge("bob", "guest")


@pytest.mark.parametrize(("old", "new", "missing"), [("ada", "bob", "bob"), ("bob", "ada", "bob")])
def test_both_users_must_be_there(store, old, new, missing):
    store.users.create("ada")
    with pytest.raises(NotFound, match=f"no user '{missing}'"):
        store.users.merge(old, new)
