from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from recsys_serving.recommending.counterfactual_lists import PastQuery
from recsys_serving.recommending.types import HistoryItem, RecommendationQuery
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.store.events.records import Interaction

from recsys.errors import BundleError, RequestError

NOW = datetime.now(UTC)
SEEN = ["i02", "i04", "i06"]


@pytest.fixture
def service(store, new_service):
    """A service whose store knows what a new user saw two hours ago, and one thing more of an hour ago."""
    for number, item in enumerate([*SEEN, "i08"]):
        hours = 2 if item in SEEN else 1
        at = NOW - timedelta(hours=hours) + timedelta(seconds=number)
        store.interactions.append([Interaction(f"e{number}", "ann", item, "view", at, 5.0)])
    return new_service(store=store)


def now_for(service, items, k=6):
    """What the service says of a session of these items now."""
    session = [HistoryItem(item, 5.0) for item in items]
    query = RecommendationQuery(user_id="ann", session=session, k=k, log_exposure=False)
    return [item.item_id for item in service.recommend([query])[0].items]


def test_a_list_of_the_past_knows_what_was_known_then(service):
    then = [PastQuery("ann", NOW - timedelta(hours=hours), 6) for hours in (1.5, 0)]
    before, now = service.past_lists(then, None, {}, Deadline(1e6))
    assert before == now_for(service, SEEN)
    assert now == now_for(service, [*SEEN, "i08"])
    assert "i08" not in now


def test_options_and_the_pool_behind_the_page_come_along(service):
    query = [PastQuery("ann", NOW, 3)]
    (filtered,) = service.past_lists(query, None, {"filters": {"colours": {"any_of": ["white"]}}}, Deadline(1e6))
    (page,) = service.past_lists(query, None, {}, Deadline(1e6))
    (with_pool,) = service.past_lists(query, None, {}, Deadline(1e6), with_pool=True)
    assert filtered != page and len(page) == 3
    assert with_pool[:3] == page and len(with_pool) > 10


def test_no_list_is_made_when_the_time_is_over(service):
    assert service.past_lists([PastQuery("ann", NOW, 3)], None, {}, Deadline(0.0)) == []


def test_a_bundle_that_is_not_open_is_told(service):
    with pytest.raises(BundleError, match="open is required, ease, but 'two_tower' came"):
        service.past_lists([PastQuery("ann", NOW, 3)], "two_tower", {}, Deadline(1e6))


def test_without_a_store_there_is_no_past(new_service):
    with pytest.raises(RequestError, match="Without a store"):
        new_service().past_lists([PastQuery("ann", NOW, 3)], None, {}, Deadline(1e6))
