from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from recsys_serving.store.admin.records import AuditEntry
from recsys_serving.store.events.records import AppendStatus, Exposure
from recsys_serving.store.schema import retention
from recsys_serving.store.schema.retention import RetentionPolicy, RetentionResult
from sqlalchemy import text

from tests.serving.store.moments import NOON, watched


def days_ago(number: float):
    return NOON - timedelta(days=number)


def events(store) -> set[str]:
    with store.transaction() as connection:
        rows = set(connection.execute(text("SELECT event_id FROM interactions")).scalars())
        assert rows == set(connection.execute(text("SELECT event_id FROM interaction_keys")).scalars())
    return rows


def test_without_a_policy_everything_stays(store):
    store.interactions.append([watched("e1", occurred_at=days_ago(9000))])
    assert store.apply_retention(RetentionPolicy(), NOON) == RetentionResult()
    assert events(store) == {"e1"}


def test_what_is_older_is_deleted_with_its_keys_to_the_moment(store):
    ages = {"old": 10.001, "edge": 10, "new": 9.999}
    store.interactions.append([watched(name, occurred_at=days_ago(age)) for name, age in ages.items()])
    result = store.apply_retention(RetentionPolicy(interaction_days=10), NOON)
    assert (result.interactions, result.partitions) == (1, ())
    assert events(store) == {"edge", "new"}


def test_a_partition_of_which_nothing_may_stay_is_dropped(store):
    store.interactions.append([watched("e1", occurred_at=days_ago(2000)), watched("e2", occurred_at=days_ago(1))])
    result = store.apply_retention(RetentionPolicy(interaction_days=30), NOON)
    assert (result.interactions, result.partitions) == (0, ("interactions_2018",))
    assert events(store) == {"e2"}


def test_each_type_has_its_own_period(store):
    for kind in ("view", "purchase", "rating"):
        store.interactions.append(
            [watched(f"{kind}{age}", type=kind, occurred_at=days_ago(age)) for age in (5, 50, 500)]
        )
    policy = RetentionPolicy(interaction_days=100, type_days={"view": 10, "purchase": 1000})
    assert store.apply_retention(policy, NOON).interactions == 3
    assert events(store) == {"view5", "purchase5", "purchase50", "purchase500", "rating5", "rating50"}


def test_a_type_alone_has_a_period(store):
    store.interactions.append(
        [watched("e1", occurred_at=days_ago(50)), watched("e2", type="rating", occurred_at=days_ago(50))]
    )
    store.apply_retention(RetentionPolicy(type_days={"view": 10}), NOON)
    assert events(store) == {"e2"}


def test_a_partition_stays_as_long_as_one_type_may(store):
    store.interactions.append([watched("e1", type="purchase", occurred_at=days_ago(2000))])
    assert (
        store.apply_retention(RetentionPolicy(interaction_days=10, type_days={"purchase": 3000}), NOON)
        == RetentionResult()
    )
    assert events(store) == {"e1"}


def test_rows_are_deleted_from_all_pages(store, monkeypatch):
    monkeypatch.setattr(retention, "_PAGES", 1)
    wide = {"text": "x" * 1500}  # five rows on a page
    store.interactions.append(
        [
            watched(f"e{n}", type="view" if n % 3 else "rating", properties=wide, occurred_at=days_ago(50))
            for n in range(40)
        ]
    )
    assert store.apply_retention(RetentionPolicy(type_days={"view": 10}), NOON).interactions == 26
    assert events(store) == {f"e{n}" for n in range(0, 40, 3)}


def test_an_event_that_was_deleted_may_come_again(store):
    old = watched("e1", occurred_at=days_ago(2000))
    store.interactions.append([old])
    store.apply_retention(RetentionPolicy(interaction_days=30), NOON)
    assert store.interactions.append([old]) == (AppendStatus.CREATED,)


def test_lists_and_audit_entries_have_periods(store):
    for age in (5, 50):
        store.exposures.append([Exposure(uuid4(), "ada", days_ago(age), ("1",), None, "first", "1")])
        store.audit.append(AuditEntry("key-1", str(age), at=days_ago(age)))
    result = store.apply_retention(RetentionPolicy(exposure_days=10, audit_days=10), NOON)
    assert result.exposures + len(result.partitions) == 1
    assert result.audit == 1
    assert [entry.act for entry in store.audit.list_entries()] == ["5"]
    assert [one.shown_at for one in store.exposures.iterate(days_ago(100), NOON)] == [days_ago(5)]


def test_one_process_at_a_time_deletes(store):
    store.interactions.append([watched("e1", occurred_at=days_ago(2000))])
    with store._database.leadership(retention._LOCK) as leader:
        assert leader
        assert store.apply_retention(RetentionPolicy(interaction_days=1), NOON) == RetentionResult(leader=False)
    assert events(store) == {"e1"}
    assert store.apply_retention(RetentionPolicy(interaction_days=1), NOON).leader


@pytest.mark.parametrize("days", [1, 400])
def test_a_second_run_finds_nothing(store, days):
    store.interactions.append([watched(f"e{age}", occurred_at=days_ago(age)) for age in (0, 2, 40, 4000)])
    policy = RetentionPolicy(interaction_days=days)
    store.apply_retention(policy, NOON)
    assert store.apply_retention(policy, NOON) == RetentionResult()
