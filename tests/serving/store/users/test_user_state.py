from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recsys_serving.store.items.records import ItemDraft

from tests.serving.store.moments import NOON, minutes, watched


def test_the_history_is_oldest_first_with_values_types_and_seconds(store):
    store.interactions.append(
        [
            watched("e1", item_id="b", occurred_at=minutes(2), value=4.0, type="rating"),
            watched("e2", item_id="a", occurred_at=minutes(1)),
        ]
    )
    state = store.users.state("ada")
    assert state.item_ids == ("a", "b")
    assert state.values == (None, 4.0)
    assert state.types == ("view", "rating")
    assert state.timestamps == (NOON.timestamp() + 60, NOON.timestamp() + 120)


def test_the_user_is_in_the_state(store):
    store.users.create("ada", {"age": 36}, profiling=False)
    user, state = store.users.get("ada"), store.users.state("ada")
    assert (state.user_id, state.known, state.revision) == ("ada", True, user.revision)
    assert (state.profiling, state.properties) == (False, {"age": 36})


def test_one_who_is_not_known_has_an_empty_state(store):
    state = store.users.state("nobody")
    assert (state.user_id, state.known, state.revision, state.profiling) == ("nobody", False, 0, True)
    assert (state.properties, state.item_ids, state.values, state.types, state.timestamps) == ({}, (), (), (), ())


def test_an_item_counts_once_with_its_latest_interaction(store):
    store.interactions.append(
        [
            watched("e1", item_id="a", value=1.0, occurred_at=minutes(1)),
            watched("e2", item_id="b", value=2.0, occurred_at=minutes(2)),
            watched("e3", item_id="a", value=3.0, occurred_at=minutes(3)),
        ]
    )
    state = store.users.state("ada")
    assert (state.item_ids, state.values) == (("b", "a"), (2.0, 3.0))


def test_repeats_are_kept_where_asked_for(store):
    store.interactions.append([watched(f"e{n}", item_id="a", occurred_at=minutes(n)) for n in range(3)])
    assert store.users.state("ada", repeats="all").item_ids == ("a", "a", "a")


@pytest.mark.parametrize("repeats", ["latest", "all"])
def test_the_latest_are_kept_where_there_are_more(store, repeats):
    store.interactions.append([watched(f"e{n}", item_id=str(n), occurred_at=minutes(n)) for n in range(9)])
    assert store.users.state("ada", history_limit=3, repeats=repeats).item_ids == ("6", "7", "8")


@pytest.mark.parametrize("repeats", ["latest", "all"])
def test_only_types_that_count_are_in_the_history(store, repeats):
    kinds = ["view", "purchase", "hide", "purchase"]
    store.interactions.append(
        [watched(f"e{n}", item_id=str(n), type=kind, occurred_at=minutes(n)) for n, kind in enumerate(kinds)]
    )
    assert store.users.state("ada", types=["purchase"], repeats=repeats).item_ids == ("1", "3")
    assert store.users.state("ada", types=["like"], repeats=repeats).item_ids == ()


def test_a_type_that_does_not_count_does_not_hide_an_older_one_that_does(store):
    store.interactions.append(
        [watched("e1", type="rating", value=4.0), watched("e2", type="view", occurred_at=minutes(1))]
    )
    assert store.users.state("ada", types=["rating"]).values == (4.0,)


def test_interactions_at_the_same_moment_are_in_the_order_of_their_event_ids(store):
    store.interactions.append([watched("e2", item_id="b"), watched("e1", item_id="a"), watched("e3", item_id="c")])
    assert store.users.state("ada").item_ids == ("a", "b", "c")


def test_a_merged_user_has_the_state_of_the_account(store):
    store.interactions.append([watched("e1", "guest", "a"), watched("e2", "ada", "b", occurred_at=minutes(1))])
    store.users.merge("guest", "ada")
    store.interactions.append([watched("e3", "guest", "c", occurred_at=minutes(2))])
    assert store.users.state("guest") == store.users.state("ada")
    assert store.users.state("guest").user_id == "ada"
    assert store.users.state("guest").item_ids == ("a", "b", "c")


def test_the_revisions_of_what_workers_keep_are_in_the_state(store):
    before = store.users.state("ada")
    assert (before.catalogue_revision, before.deployment_revision, before.experiment_revision) == (0, 0, 0)
    store.items.put(ItemDraft("1"))
    store.deployments.activate("first", "f1", "me")
    store.experiments.create("x", "x", {}, "me")
    after = store.users.state("ada")
    assert (after.catalogue_revision, after.deployment_revision, after.experiment_revision) == (1, 1, 1)


def test_a_history_that_is_known_is_not_read_again_as_long_as_the_user_has_the_revision(store):
    store.interactions.append([watched("e1", item_id="a")])
    before = store.users.state("ada")
    marked = replace(before, item_ids=("known",))
    assert store.users.state("ada", known=marked) == marked
    store.items.put(ItemDraft("1"))
    assert store.users.state("ada", known=marked) == replace(marked, catalogue_revision=1)


@pytest.mark.parametrize("change", ["append", "delete", "merge", "update", "erase"])
def test_a_known_history_is_read_again_after_every_change(store, change):
    store.interactions.append([watched("e1", item_id="a"), watched("e2", "guest", "b")])
    marked = replace(store.users.state("ada"), item_ids=("known",))
    if change == "append":
        store.interactions.append([watched("e3", item_id="c", occurred_at=minutes(1))])
    elif change == "delete":
        store.interactions.delete("e1")
    elif change == "merge":
        store.users.merge("guest", "ada")
    elif change == "update":
        store.users.update("ada", {"age": 36})
    else:
        store.users.erase("ada")
    assert store.users.state("ada", known=marked) == store.users.state("ada")
    assert "known" not in store.users.state("ada", known=marked).item_ids


def test_what_is_known_of_somebody_who_is_not_in_the_store_is_no_history(store):
    nobody = store.users.state("ada")
    store.interactions.append([watched("e1", item_id="a")])
    assert store.users.state("ada", known=nobody).item_ids == ("a",)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    events=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 6), st.sampled_from(["view", "rating"])), max_size=15),
    limit=st.integers(3, 8),
    types=st.sampled_from([None, ["rating"]]),
)
def test_the_history_is_what_a_plain_count_gives(store, events, limit, types):
    store.users.erase("ada")
    interactions = [
        watched(f"e{number:02d}", item_id=str(item), type=kind, occurred_at=NOON + timedelta(days=40 * moment))
        for number, (item, moment, kind) in enumerate(events)
    ]
    store.interactions.append(interactions)
    latest: OrderedDict[str, str] = OrderedDict()
    for one in sorted(interactions, key=lambda one: (one.occurred_at, one.event_id)):
        if types is None or one.type in types:
            latest[one.item_id] = one.event_id
            latest.move_to_end(one.item_id)
    assert store.users.state("ada", limit, types).item_ids == tuple(list(latest)[-limit:])
