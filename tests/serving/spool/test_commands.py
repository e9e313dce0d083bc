from __future__ import annotations

import json
from dataclasses import replace
from uuid import UUID

import pytest
from recsys_serving.spool.commands import (
    SpoolCommand,
    apply_command,
    delete_interaction_command,
    delete_item_command,
    erase_command,
    exposures_command,
    exposures_of,
    interaction_command,
    interaction_of,
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


def test_an_interaction_comes_out_as_it_went_in():
    assert interaction_of(through_json(interaction_command(RATED))) == RATED
    assert interaction_command(RATED).user_id == "ada"


def test_lists_come_out_as_they_went_in():
    lists = (SHOWN, replace(SHOWN, user_id=None, propensities=None))
    assert exposures_of(through_json(exposures_command(lists))) == lists


def test_a_replay_has_the_same_id_and_other_content_another():
    same = interaction_command(replace(RATED, received_at=NOON))
    assert same.command_id == interaction_command(RATED).command_id
    assert interaction_command(replace(RATED, value=1.0)).command_id != same.command_id


def test_the_moment_of_an_event_without_one_does_not_count():
    later = replace(RATED, occurred_at=minutes(1))
    assert interaction_command(later, untimed=True).command_id == interaction_command(RATED, untimed=True).command_id
    assert interaction_command(later).command_id != interaction_command(RATED).command_id


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
