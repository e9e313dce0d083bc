from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest
from recsys_serving.spool.applying import apply_command, apply_together, runs_of
from recsys_serving.spool.commands import (
    SpoolCommand,
    delete_interaction_command,
    delete_item_command,
    erase_command,
    exposures_command,
    interaction_command,
    item_command,
    merge_command,
    update_item_command,
    user_command,
)
from recsys_serving.spool.spool import Spool
from recsys_serving.store.errors import Conflict, NotFound, StoreRefused, StoreUnavailable
from recsys_serving.store.events.records import Exposure
from recsys_serving.store.items.records import ItemDraft, ItemSource
from recsys_serving.store.store import Store

from tests.serving.store.moments import NOON, minutes, watched

RATED = watched(
    "e1", type="rating", value=4.5, recommendation_id=UUID(int=7), position=3, session_id="s", properties={"a": [1]}
)
SHOWN = Exposure(UUID(int=1), "ada", NOON, ("1", "2"), (0.5, 0.25), "first", "7", "b", "x", {"k": 2})


def through_json(command: SpoolCommand) -> SpoolCommand:
    return replace(command, payload=json.loads(json.dumps(command.payload)))


def carry_out(store: Store, *commands: SpoolCommand, times: int = 2) -> None:
    """Each command as often as a crash may repeat it."""
    for command in commands:
        for _ in range(times):
            apply_command(store, through_json(command))


def test_an_interaction_is_appended_once(store):
    carry_out(store, interaction_command(RATED))
    assert replace(store.interactions.get("e1"), received_at=None) == RATED


def test_an_interaction_without_a_moment_is_a_replay_at_any(store):
    carry_out(store, interaction_command(RATED, untimed=True))
    carry_out(store, interaction_command(replace(RATED, occurred_at=minutes(1)), untimed=True))
    assert store.interactions.get("e1").occurred_at == NOON


def test_an_event_with_other_content_is_refused(store):
    carry_out(store, interaction_command(RATED))
    with pytest.raises(Conflict, match="'e1' is stored with other content"):
        carry_out(store, interaction_command(replace(RATED, value=1.0)))


def test_an_interaction_is_deleted(store):
    carry_out(store, interaction_command(RATED), delete_interaction_command("e1"))
    assert store.interactions.get("e1") is None


def test_a_user_is_made_and_changed(store):
    carry_out(store, user_command("ada", {"age": 36, "city": None}))
    assert store.users.get("ada").properties == {"age": 36}
    carry_out(store, user_command("ada", {"age": None}, profiling=False))
    user = store.users.get("ada")
    assert (user.properties, user.profiling) == ({}, False)


def test_users_are_merged(store):
    store.users.create("guest")
    store.users.create("ada")
    command = merge_command("guest", "ada")
    carry_out(store, command)
    assert store.users.get("guest").merged_into == "ada"
    assert command.user_id == "ada"


def test_a_merge_of_nobody_is_refused(store):
    with pytest.raises(NotFound):
        carry_out(store, merge_command("guest", "ada"))


def test_a_user_is_erased_with_one_receipt_that_has_the_id_of_the_command(store):
    store.users.create("ada")
    command = erase_command("ada", NOON, {"bundles": ["first"]})
    carry_out(store, command)
    receipt = store.users.erasure(UUID(command.command_id))
    assert (receipt.requested_at, receipt.deleted["users"], receipt.receipt) == (NOON, 1, {"bundles": ["first"]})


def test_an_item_is_put_changed_and_deleted(store):
    draft = ItemDraft("1", "Alien", {"year": 1979}, available=False, source=ItemSource.BUNDLE)
    carry_out(store, item_command(draft))
    item = store.items.get("1")
    assert (item.title, item.properties, item.available, item.source) == (
        "Alien",
        {"year": 1979},
        False,
        ItemSource.BUNDLE,
    )
    carry_out(store, update_item_command("1", {"available": True, "properties": {"year": 1980}}))
    assert (store.items.get("1").available, store.items.get("1").properties) == (True, {"year": 1980})
    carry_out(store, delete_item_command("1"))
    assert store.items.get("1").deleted_at is not None


def test_an_item_that_is_not_there_is_neither_changed_nor_deleted(store):
    for command in (update_item_command("1", {"title": "x"}), delete_item_command("1")):
        with pytest.raises(NotFound):
            carry_out(store, command)


def test_lists_are_stored_once(store):
    carry_out(store, exposures_command([SHOWN]))
    assert store.exposures.get(SHOWN.recommendation_id) == SHOWN


@pytest.mark.parametrize(
    "command",
    [
        SpoolCommand("1", "unheard of", {}),
        SpoolCommand("1", "interaction", {"event_id": "e1"}),
        SpoolCommand("1", "user_put", {"properties": {}, "profiling": None}, None),
        SpoolCommand("1", "item_put", {"item_id": "1", "colour": "red"}),
        SpoolCommand("1", "user_erase", {"requested_at": "yesterday", "receipt": {}}, "ada"),
    ],
    ids=["kind", "missing", "nobody", "unknown key", "no date"],
)
def test_a_command_that_cannot_be_read_is_refused_for_good(store, command):
    with pytest.raises(StoreRefused):
        apply_command(store, command)


def test_while_the_store_is_away_everything_waits_and_then_arrives_in_order(store, tmp_path):
    away = Store.connect(f"postgresql://postgres@/x?host={tmp_path}")
    spool = Spool(tmp_path / "spool.sqlite")
    spool.append(
        [
            user_command("ada", {"age": 36}),
            interaction_command(RATED),
            interaction_command(replace(RATED, value=1.0)),
            merge_command("nobody", "ada"),
            interaction_command(watched("e2", item_id="2", occurred_at=minutes(1))),
        ]
    )
    assert spool.drain(lambda command: apply_command(away, command)).remaining == 5
    with pytest.raises(StoreUnavailable):
        away.ping()
    result = spool.drain(lambda command: apply_command(store, command), transaction=store.transaction)
    assert (result.applied, result.refused, result.remaining) == (3, 2, 0)
    assert store.users.state("ada").item_ids == ("1", "2")
    assert store.users.get("ada").properties == {"age": 36}
    assert [letter.command.kind for letter in spool.dead_letters()] == ["user_merge", "interaction"]
    spool.close()


def seen(number: int, **others) -> SpoolCommand:
    return interaction_command(watched(f"e{number}", f"u{number % 3}", occurred_at=minutes(number), **others))


def drain_together(store: Store, spool: Spool):
    return spool.drain(
        lambda command: apply_command(store, command),
        transaction=store.transaction,
        together=lambda commands: apply_together(store, commands),
    )


def test_neighbours_of_one_kind_make_a_run_and_each_other_command_one_of_its_own():
    events, items = [seen(n) for n in range(3)], [item_command(ItemDraft(str(n))) for n in range(2)]
    user, other = user_command("ada"), user_command("bob")
    assert list(runs_of([*events, user, other, *items, events[0]])) == [events, [user], [other], items, [events[0]]]
    assert list(runs_of([])) == []


def test_what_is_about_the_same_ends_a_run():
    first, again = seen(1), seen(1, type="rating")
    assert list(runs_of([first, seen(2), again, seen(3)])) == [[first, seen(2)], [again, seen(3)]]
    put, other = item_command(ItemDraft("1", "old")), item_command(ItemDraft("1", "new"))
    assert list(runs_of([put, other])) == [[put], [other]]


def test_interactions_are_appended_together_and_told_apart(store):
    store.interactions.append([watched("e1", "someone", "else")])
    run = [through_json(seen(number)) for number in range(3)]
    for _ in range(2):  # as after a crash between the commit and the deletion
        outcomes = apply_together(store, run)
        assert [outcomes[0], outcomes[2]] == [None, None]
        assert isinstance(outcomes[1], Conflict)
    assert len(store.users.export("u0").interactions) == 1


def test_items_are_put_together(store):
    run = [through_json(item_command(ItemDraft(str(number), f"film {number}"))) for number in range(3)]
    for _ in range(2):
        assert apply_together(store, run) == [None, None, None]
    assert [item.title for item in store.items.list_items()] == ["film 0", "film 1", "film 2"]


def test_one_that_the_store_cannot_hold_is_set_aside_and_its_neighbours_are_stored(store, tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    poison = seen(5, session_id="a\0b")
    unreadable = SpoolCommand("torn", "interaction", {"event_id": "torn"})
    spool.append([seen(0), seen(1), seen(2), unreadable, seen(3), seen(4), poison, seen(6)])
    result = drain_together(store, spool)
    assert (result.applied, result.refused, result.remaining) == (6, 2, 0)
    assert {letter.command.command_id for letter in spool.dead_letters()} == {"torn", poison.command_id}
    assert all("cannot" in letter.error for letter in spool.dead_letters())
    stored = [one.event_id for n in range(3) for one in store.users.export(f"u{n}").interactions]
    assert sorted(stored) == ["e0", "e1", "e2", "e3", "e4", "e6"]
    spool.close()


def test_the_order_of_kinds_is_kept(store, tmp_path):
    spool = Spool(tmp_path / "spool.sqlite")
    spool.append(
        [
            *(item_command(ItemDraft("1", title)) for title in ("one", "two")),
            update_item_command("1", {"available": False}),
            item_command(ItemDraft("2")),
            seen(1),
            seen(4),
            erase_command("u1", NOON),
            seen(7),
        ]
    )
    assert drain_together(store, spool).applied == 8
    assert (store.items.get("1").title, store.items.get("1").available) == ("two", False)
    assert [one.event_id for one in store.users.export("u1").interactions] == ["e7"]
    spool.close()
