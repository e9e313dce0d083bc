import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from recsys_serving.recommending.item_counts import ItemCounts
from recsys_serving.recommending.options import ItemCountOptions
from recsys_serving.store.events.records import Exposure, Interaction

from tests.serving.recommending.fakes import Faulty

OPTIONS = ItemCountOptions(types=("click",), outcome_seconds=60.0, interval_seconds=1e6)


@pytest.fixture
def shown(store):
    """Lists of two hours ago and of now, whose second place explored."""
    now = datetime.now(UTC)
    for number, (item, age) in enumerate([("a", 2.0), ("a", 2.0), ("b", 2.0), ("b", 0.0), ("a", 24.0 * 40)]):
        at = now - timedelta(hours=age)
        store.exposures.append([Exposure(UUID(int=number), "ann", at, ("x", item), (1.0, 0.5), "first", "1")])
        if number in (0, 3, 4):
            then = at + timedelta(seconds=5)
            store.interactions.append([Interaction(f"e{number}", "ann", item, "click", then, None, UUID(int=number))])


def test_items_are_counted_where_their_time_is_over(store, shown):
    counts = ItemCounts(store, OPTIONS)
    assert counts.of(["a", "b"]) == ([0, 0], [0, 0])
    assert counts.refresh()
    assert counts.of(["b", "a", "x", "unheard"]) == ([0, 1, 0, 0], [1, 1, 0, 0])


def test_the_counts_of_before_stay_while_the_store_is_away(store, shown):
    faulty = Faulty(store)
    counts = ItemCounts(faulty, OPTIONS)
    counts.refresh()
    faulty.fail()
    assert not counts.refresh()
    assert counts.of(["a"]) == ([1], [1])


def test_nothing_is_read_while_nobody_asks(store, shown):
    faulty = Faulty(store)
    faulty.fail()
    counts = ItemCounts(faulty, OPTIONS)
    counts._refresh_where_asked()
    faulty.recover()
    counts.of(["a"])
    counts._refresh_where_asked()
    assert counts.of(["a"]) == ([1], [1])


def test_a_thread_reads_until_it_is_closed(store, shown):
    counts = ItemCounts(store, ItemCountOptions(outcome_seconds=60.0, interval_seconds=0.001))
    counts.start()
    for _ in range(60_000):
        if counts.of(["a"]) == ([1], [1]):
            break
        time.sleep(0.001)
    counts.close()
    assert counts.of(["a"]) == ([1], [1])
