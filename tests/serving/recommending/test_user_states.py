from datetime import UTC, datetime

import pytest
from recsys_serving.recommending.history import StoredHistory
from recsys_serving.recommending.user_states import Revisions, UserStates
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.resilience.dependency import Dependency, DependencyPolicy
from recsys_serving.resilience.health import HealthRegistry
from recsys_serving.spool.commands import erase_command, interaction_command, user_command
from recsys_serving.spool.spool import Spool
from recsys_serving.store.errors import StoreUnavailable
from recsys_serving.store.events.records import Interaction

from tests.serving.recommending.fakes import Faulty

#: Longer than any session of tests: its time runs from here on.
LONG = Deadline(1e6)
DEPENDENCY = DependencyPolicy(threshold=100, failures=(StoreUnavailable,))


def event(number, item_id, type_="rating", value=5.0):
    return Interaction(f"e{number}", "ann", item_id, type_, datetime.fromtimestamp(1e9 + number, UTC), value)


@pytest.fixture
def spool(tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    yield spool
    spool.close()


def states(store, spool=None, **values):
    return UserStates(store, spool, Dependency("store", DEPENDENCY, HealthRegistry()), **values)


def test_a_users_history_properties_and_consent_come_from_the_store(store):
    store.users.create("ann", {"age": 30}, profiling=False)
    store.interactions.append([event(1, "a"), event(2, "b", value=None)])
    user, is_degraded = states(store).of("ann", LONG)
    assert not is_degraded and user.properties == {"age": 30} and not user.profiling
    assert user.history == StoredHistory(("a", "b"), (5.0, None), (1e9 + 1, 1e9 + 2))
    assert isinstance(user.revisions, Revisions)


def test_the_version_changes_with_each_interaction(store):
    users = states(store)
    versions = [users.of("ann", LONG)[0].version]
    for number in range(3):
        store.interactions.append([event(number, "a")])
        versions.append(users.of("ann", LONG)[0].version)
    assert len(set(versions)) == 4


def test_types_that_make_no_history_are_left_out(store, spool):
    store.interactions.append([event(1, "a"), event(2, "b", "view")])
    spool.append([interaction_command(event(3, "c", "view")), interaction_command(event(4, "d"))])
    assert states(store, spool, types=("rating",)).of("ann", LONG)[0].history.item_ids == ("a", "d")


def test_an_item_stands_once_or_each_time(store):
    store.interactions.append([event(1, "a"), event(2, "b"), event(3, "a")])
    assert states(store).of("ann", LONG)[0].history.item_ids == ("b", "a")
    assert states(store, repeats=lambda: "all").of("ann", LONG)[0].history.item_ids == ("a", "b", "a")


def test_without_the_store_what_was_known_last_counts_with_the_spool(store, spool):
    faulty = Faulty(store)
    users = states(faulty, spool)
    store.interactions.append([event(1, "a")])
    before, _ = users.of("ann", LONG)
    faulty.fail()
    user, is_degraded = users.of("ann", LONG)
    assert is_degraded and user.history == before.history and user.revisions is None
    spool.append([interaction_command(event(2, "b")), user_command("ann", {"age": 9, "city": None}, False)])
    user, _ = users.of("ann", LONG)
    assert user.history.item_ids == ("a", "b") and user.properties == {"age": 9} and not user.profiling
    assert user.version != before.version
    spool.append([erase_command("ann", datetime.now(UTC))])
    user, _ = users.of("ann", LONG)
    assert user.is_erased and user.history == StoredHistory() and user.properties == {}


def test_a_user_that_was_forgotten_is_not_known_without_the_store(store):
    faulty = Faulty(store)
    users = states(faulty)
    store.interactions.append([event(1, "a")])
    users.of("ann", LONG)
    users.forget("ann")
    faulty.fail()
    assert users.of("ann", LONG)[0].history == StoredHistory()


def test_so_many_users_are_remembered_and_no_more(store):
    faulty = Faulty(store)
    users = states(faulty, max_known=1)
    for name in ("ann", "bob"):
        store.users.create(name, {"name": name})
        users.of(name, LONG)
    faulty.fail()
    assert [users.of(name, LONG)[0].properties for name in ("ann", "bob")] == [{}, {"name": "bob"}]


def test_nobody_in_particular_has_revisions_alone(store):
    user, is_degraded = states(store).of(None, LONG)
    assert user.user_id is None and user.history == StoredHistory() and user.revisions is not None and not is_degraded


def test_without_any_store_bundles_alone_know_users():
    user, is_degraded = states(None).of("ann", LONG)
    assert user.version == "bundle" and not is_degraded and user.revisions is None


class Counting:
    """Passes on to the store, and keeps what was known when a state was read."""

    def __init__(self, store):
        self.users, self._store, self.known = self, store, []

    def state(self, user_id, limit, types, repeats, known):
        self.known.append(None if known is None else known.item_ids)
        return self._store.users.state(user_id, limit, types, repeats, known)


def test_a_history_that_has_not_changed_is_not_read_again_for_a_while(store):
    now, counting = [0.0], Counting(store)
    users = states(counting, history_seconds=10, clock=lambda: now[0])
    store.interactions.append([event(1, "a")])
    first = users.of("ann", LONG)[0]
    now[0] = 9.0
    assert users.of("ann", LONG)[0] == first
    now[0] = 11.0  # ten seconds after it was read, not after it was used
    assert users.of("ann", LONG)[0] == first
    store.interactions.append([event(2, "b")])
    assert users.of("ann", LONG)[0].history.item_ids == ("a", "b")
    assert counting.known == [None, ("a",), None, ("a",)]


def test_a_history_of_another_kind_is_read_anew(store):
    store.interactions.append([event(1, "a"), event(2, "b"), event(3, "a")])
    kinds = iter(["latest", "all"])
    users = states(Counting(store), repeats=lambda: next(kinds))
    assert users.of("ann", LONG)[0].history.item_ids == ("b", "a")
    assert users.of("ann", LONG)[0].history.item_ids == ("a", "b", "a")


def test_who_was_erased_and_comes_back_is_known_by_what_is_stored_since(store, spool):
    users = states(store, spool)
    store.users.erase("ann")
    before = users.of("ann", LONG)[0]
    assert before.is_erased and before.history == StoredHistory() and before.version == "unknown, erased"
    spool.append([interaction_command(event(1, "a"))])
    user, _ = users.of("ann", LONG)
    assert user.is_erased and user.history.item_ids == ("a",)


def test_who_was_erased_is_known_to_be_while_the_store_is_away(store):
    faulty = Faulty(store)
    users = states(faulty, erased={"ann"})
    store.interactions.append([event(1, "a")])
    assert not users.of("ann", LONG)[0].is_erased  # the store says so
    faulty.fail()
    user, is_degraded = users.of("ann", LONG)
    assert is_degraded and user.is_erased and user.history == StoredHistory()


def test_items_beyond_the_history_are_seen(store):
    faulty = Faulty(store)
    users = states(faulty, history_limit=2)
    store.interactions.append([event(number, item) for number, item in enumerate("abcd")])
    user, _ = users.of("ann", LONG)
    assert user.history.item_ids == ("c", "d") and user.older == {"b": 1e9 + 1, "a": 1e9}
    faulty.fail()
    user, is_degraded = users.of("ann", LONG)
    assert is_degraded and set(user.older) == {"a", "b"}


def test_a_short_history_needs_no_second_question(store, monkeypatch):
    users = states(store, history_limit=4)
    monkeypatch.setattr(store.users, "seen", lambda *values: pytest.fail("it was asked"))
    store.interactions.append([event(number, item) for number, item in enumerate("abc")])
    assert users.of("ann", LONG)[0].older == {}
