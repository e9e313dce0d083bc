from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import UUID, uuid4

import psycopg
import pytest
from recsys_serving.store.errors import StoreRefused
from recsys_serving.store.events.records import Exposure
from recsys_serving.store.schema.retention import RetentionPolicy
from recsys_serving.store.store import Store

from tests.serving.store.moments import NOON, minutes


def shown(number: int, user_id: str | None = "ada", **others) -> Exposure:
    """A list of two items at noon, or as told."""
    given = {"shown_at": NOON, "item_ids": ("1", "2"), "propensities": (0.5, 1 / 3), "context": {"k": 2}} | others
    return Exposure(UUID(int=number), user_id, bundle="first", model_version="7", **given)


def test_a_list_is_read_as_it_was_shown(store):
    exposure = shown(1, variant="b", experiment_id="x")
    assert store.exposures.append([exposure]) == 1
    assert store.exposures.get(exposure.recommendation_id) == exposure


def test_a_list_may_be_of_nobody_without_propensities_and_empty(store):
    exposure = shown(1, None, propensities=None, item_ids=())
    store.exposures.append([exposure])
    assert store.exposures.get(exposure.recommendation_id) == exposure


def test_a_list_that_is_not_there_is_none(store):
    assert store.exposures.get(uuid4()) is None


def test_a_list_is_stored_once(store):
    store.exposures.append([shown(1)])
    assert store.exposures.append([shown(1), shown(2, shown_at=NOON.replace(month=8))]) == 1
    assert store.exposures.append([]) == 0


def test_a_list_with_a_value_that_cannot_be_stored_is_refused_with_the_batch(store):
    with pytest.raises(StoreRefused):
        store.exposures.append([shown(1), shown(2, context={"a": object()})])
    assert store.exposures.get(UUID(int=1)) is None


def test_a_list_that_waited_while_its_user_was_erased_is_left_out(store):
    store.users.create("ada", {}, True)
    store.users.erase("ada", minutes(5), {})
    late = [shown(1, shown_at=minutes(4)), shown(2, "ben", shown_at=minutes(4)), shown(3, None, shown_at=minutes(4))]
    assert store.exposures.append(late) == 2
    assert store.exposures.get(UUID(int=1)) is None


def test_a_list_of_a_user_who_came_back_after_an_erasure_is_stored(store):
    store.users.erase("ada", minutes(5), {})
    assert store.exposures.append([shown(1, shown_at=minutes(6))]) == 1


def test_a_list_of_a_merged_user_that_waited_goes_to_the_account_and_is_gone_with_it(store):
    for name in ("ada", "visitor"):
        store.users.create(name, {}, True)
    store.users.merge("visitor", "ada")
    assert store.exposures.append([shown(1, "visitor", shown_at=minutes(3))]) == 1
    assert store.exposures.get(UUID(int=1)).user_id == "ada"
    store.users.erase("ada", minutes(5), {})  # the receipt names ada alone
    assert store.exposures.append([shown(2, "visitor", shown_at=minutes(4))]) == 0
    assert store.exposures.get(UUID(int=1)) is None and store.exposures.get(UUID(int=2)) is None


def test_a_list_that_is_stored_while_its_user_is_erased_is_left_out(store, database_url):
    store.users.create("ada", {}, True)
    other = Store.connect(database_url)
    with ThreadPoolExecutor(1) as pool:
        with store.transaction():
            store.users.erase("ada", minutes(5), {})
            appended = pool.submit(other.exposures.append, [shown(1)])
            wait_for_a_lock(database_url)
        assert appended.result(timeout=600) == 0
    other.close()


def wait_for_a_lock(url: str) -> None:
    """Until somebody waits for somebody else."""
    waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(1000):
            if connection.execute(waiting).fetchone() != (0,):
                return
            connection.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("nobody waits")


def test_lists_are_iterated_oldest_first_in_batches(store):
    # Two at the same moment, at the border of a batch.
    moments = [minutes(3), minutes(1), minutes(1), minutes(2), minutes(0)]
    store.exposures.append([shown(n, shown_at=moment) for n, moment in enumerate(moments)])
    found = store.exposures.iterate(minutes(0), minutes(3), batch=2)
    assert [one.recommendation_id.int for one in found] == [4, 1, 2, 3]


def test_lists_of_one_experiment_are_iterated(store):
    store.exposures.append([shown(1, experiment_id="x"), shown(2, experiment_id="y"), shown(3)])
    found = store.exposures.iterate(minutes(-1), minutes(1), experiment_id="x")
    assert [one.recommendation_id.int for one in found] == [1]


def test_lists_are_stored_where_retention_dropped_their_partition(store):
    old = shown(1, shown_at=NOON.replace(year=2001))
    store.exposures.append([old])
    assert store.apply_retention(RetentionPolicy(exposure_days=30)).partitions == ("exposures_2001",)
    assert store.exposures.append([old]) == 1


def test_the_moment_of_a_list_must_have_a_time_zone(store):
    with pytest.raises(StoreRefused, match="time zone"):
        store.exposures.append([replace(shown(1), shown_at=NOON.replace(tzinfo=None))])
