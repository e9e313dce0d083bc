"""The hot queries use indexes, on so many rows that reading all of them would be slower."""

from __future__ import annotations

from uuid import UUID

import psycopg
import pytest
from recsys_serving.store.connection.database import Database
from recsys_serving.store.events import exposure_store as exposures
from recsys_serving.store.events import interaction_store as interactions
from recsys_serving.store.events import outcome_store
from recsys_serving.store.events.records import OutcomeWindows
from recsys_serving.store.items import item_store as items
from recsys_serving.store.users import accounts, seen_items, user_state
from sqlalchemy import text

from tests.serving.conftest import new_database

NUM_USERS, NUM_ITEMS, NUM_ROWS = 2000, 3000, 30_000
USER, EVENT, LIST = "u7", "e70", UUID(int=7)

_FILL = f"""
INSERT INTO users (user_id, merged_into) SELECT 'u' || n, CASE WHEN n % 100 = 0 THEN 'u1' END
FROM generate_series(0, {NUM_USERS - 1}) n;
INSERT INTO items (item_id, source, revision) SELECT 'i' || n, 'api', n FROM generate_series(1, {NUM_ITEMS}) n;
CREATE TABLE interactions_2022 PARTITION OF interactions FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
CREATE TABLE interactions_2023 PARTITION OF interactions FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
INSERT INTO interactions (event_id, user_id, item_id, type, occurred_at, recommendation_id)
SELECT 'e' || n, 'u' || n % {NUM_USERS}, 'i' || n % {NUM_ITEMS}, 'view',
    timestamptz '2022-01-01 00:00Z' + n * interval '30 minutes', lpad(to_hex(n), 32, '0')::uuid
FROM generate_series(0, {NUM_ROWS - 1}) n;
INSERT INTO interaction_keys SELECT event_id, user_id, occurred_at FROM interactions;
CREATE TABLE exposures_2022 PARTITION OF exposures FOR VALUES FROM ('2022-01-01') TO ('2023-01-01');
CREATE TABLE exposures_2023 PARTITION OF exposures FOR VALUES FROM ('2023-01-01') TO ('2024-01-01');
INSERT INTO exposures (recommendation_id, user_id, shown_at, item_ids, bundle, model_version, variant, experiment_id,
    propensities, context)
SELECT lpad(to_hex(n), 32, '0')::uuid, 'u' || n % {NUM_USERS},
    timestamptz '2022-01-01 00:00Z' + n * interval '30 minutes', ARRAY['i1'], 'b', '1', 'a', 'x' || n % 2000,
    CASE WHEN n % 50 = 0 THEN ARRAY[0.5] END,
    CASE WHEN n % 50 = 1 THEN jsonb_build_object('variants', jsonb_build_object('x' || n % 2000, 'a', 'y', 'a'))
        ELSE '{{}}' END
FROM generate_series(0, {NUM_ROWS - 1}) n;
INSERT INTO api_keys (key_id, name, hash, scopes) SELECT 'k' || n, 'key', 'h' || n, ARRAY['read']
FROM generate_series(1, 3000) n;
INSERT INTO erased_users SELECT erasure_hash('gone' || n), now() FROM generate_series(1, 3000) n;
INSERT INTO audit (actor, act) SELECT 'a' || n % 300, 'act' FROM generate_series(1, 6000) n;
ANALYZE;
"""

_STATE = {"user_id": USER, "types": None, "known_revision": None, "read": 2500}
_PAGE = {"user_id": USER, "types": None, "limit": 101}

_MONTH = {"since": "2022-03-01T00:00:00Z", "until": "2022-04-01T00:00:00Z"}

#: Statements with their values.
HOT = {
    "state of a user": (user_state.STATE, _STATE),
    "state of a user by types": (user_state.STATE, _STATE | {"types": ["view"]}),
    "items that a user has seen": (seen_items.SEEN, {"user_id": USER, "types": None, "limit": 50_000}),
    "first page": (interactions.LIST_FOR_USER + interactions._LATEST_FIRST, _PAGE),
    "next page": (
        interactions.LIST_FOR_USER + interactions._AFTER_CURSOR + interactions._LATEST_FIRST,
        _PAGE | {"moment": "2022-06-01T00:00:00Z", "event_id": EVENT},
    ),
    "interaction by event": (interactions._BY_EVENT, {"event_ids": [EVENT]}),
    "interactions of a batch": (interactions._BY_EVENT, {"event_ids": [f"e{n}" for n in range(0, 200, 10)]}),
    "activity of an item": (interactions._COUNT_FOR_ITEM.text, {"item_id": "i7", "per": "month"}),
    "deletion of an interaction": (interactions._DELETE.text, {"event_id": EVENT}),
    "lock of an account": (accounts._LOCK.text, {"ids": [USER]}),
    "lock of many accounts": (accounts._LOCK.text, {"ids": [f"u{n}" for n in range(0, 100)]}),
    "items by ids": ("SELECT * FROM items WHERE item_id = ANY(CAST(:ids AS text[]))", {"ids": ["i1", "i2"]}),
    "changes of the catalogue": (
        "SELECT * FROM items WHERE revision > :revision ORDER BY revision LIMIT :limit",
        {"revision": NUM_ITEMS - 10, "limit": 1000},
    ),
    "change of an item": (
        items._UPDATE.text,
        dict.fromkeys(("title", "available")) | {"given": "{}", "removed": [], "revision": 9999, "item_id": "i1"},
    ),
    "list by id": (exposures.GET, {"id": LIST}),
    "lists of a user": ("SELECT * FROM exposures WHERE user_id = :user_id ORDER BY shown_at", {"user_id": USER}),
    "outcomes of an experiment": outcome_store.outcomes_query("x7", OutcomeWindows(604_800.0, 86_400.0)),
    "outcomes of sessions": outcome_store.outcomes_query("x7", OutcomeWindows(604_800.0, 86_400.0), "session"),
    "lists that explored": (outcome_store.EXPLORED.format(experiment=""), _MONTH | {"limit": 1000}),
    "rewards of lists": (
        outcome_store.REWARDED,
        {"ids": [LIST], "moments": ["2022-01-01T03:30:00Z"], "type": "view", "attribution_seconds": 3600.0},
    ),
    "trials of items": (
        outcome_store.TRIALS,
        _MONTH | {"types": ["view"], "attribution_seconds": 3600.0, "max_lists": 100, "max_items": 100},
    ),
    "interactions of a user to delete": (
        "DELETE FROM interactions WHERE user_id = ANY(CAST(:ids AS text[]))",
        {"ids": [USER, "u9"]},
    ),
    "users of an account": ("SELECT * FROM users WHERE user_id = :u OR merged_into = :u", {"u": USER}),
    "key by hash": ("SELECT * FROM api_keys WHERE hash = :value", {"value": "h7"}),
    "audit of an actor": ("SELECT * FROM audit WHERE actor = :a ORDER BY id DESC LIMIT 100", {"a": "a7"}),
}


@pytest.fixture(scope="module")
def database(postgres_server):
    from recsys_serving.store.schema.migration import migrate

    with new_database(postgres_server) as url:
        migrate(url)
        with psycopg.connect(url) as connection:
            connection.execute(_FILL)
        database = Database(url)
        yield database
        database.close()


def scans(plan):
    """Each node of a plan that reads a table: kind, table."""
    if "Relation Name" in plan and plan["Node Type"] not in ("ModifyTable",):
        yield plan["Node Type"], plan["Relation Name"]
    for part in plan.get("Plans", ()):
        yield from scans(part)


def plan_of(database, statement, values):
    """The plan of a statement with these values."""
    with database.transaction() as connection:
        answer = connection.execute(text(f"EXPLAIN (FORMAT json) {statement}"), values).scalar_one()
    return answer[0]["Plan"]


@pytest.mark.parametrize("name", HOT)
def test_a_hot_query_reads_no_large_table_from_end_to_end(database, name):
    statement, values = HOT[name]
    found = set(scans(plan_of(database, statement, values)))
    assert found, "the plan reads no table"
    whole = {table for kind, table in found if kind == "Seq Scan"} - {"service_state"}
    assert whole == set()


def test_a_query_without_an_index_would_be_noticed(database):
    plan = plan_of(database, "SELECT * FROM interactions WHERE session_id = :s", {"s": "x"})
    assert ("Seq Scan", "interactions_2022") in set(scans(plan))
