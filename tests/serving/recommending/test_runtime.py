import pytest
from recsys_serving.recommending.runtime import NOT_SCORED, Runtime, recommend_popular
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.resilience.health import HealthRegistry

from recsys.errors import RequestError, ServingError
from recsys.runtime.request import RecommendationRequest

EVEN = RecommendationRequest(history=["i02", "i08"], k=5)
#: Longer than any session of tests: its time runs from here on.
LONG = Deadline(1e6)


class Server:
    """Stands for a model server that has the same bundle."""

    def __init__(self, opened):
        self._opened, self.error, self.calls = opened, None, 0

    def recommend(self, requests):
        self.calls += 1
        if self.error is not None:
            raise self.error
        return self._opened.recommender.recommend(requests)


def test_a_bundle_answers_in_this_process(classic):
    health = HealthRegistry()
    runtime = Runtime(health)
    one, is_degraded = runtime.recommend(classic, [EVEN], LONG)
    several, _ = runtime.recommend(classic, [EVEN, EVEN], LONG)
    assert not is_degraded and one == several[:1] == several[1:] and health.of("runtime").state == "up"


def test_what_fails_for_no_good_reason_becomes_what_is_popular(classic, monkeypatch):
    health = HealthRegistry()

    def broken(request):
        raise MemoryError("no room")

    monkeypatch.setattr(classic.recommender, "recommend_one", broken)
    (answer,), is_degraded = Runtime(health).recommend(classic, [EVEN], LONG)
    assert is_degraded and answer.notes == (NOT_SCORED,) and not answer.personalized
    assert health.of("runtime").state == "failing" and "no room" in health.of("runtime").last_error


def test_a_wrong_request_is_the_callers_fault(classic):
    with pytest.raises(RequestError, match="Ratings of board"):
        Runtime(HealthRegistry()).recommend(classic, [RecommendationRequest(history=["i02"], ratings=[9])], LONG)


def test_popular_items_obey_filters_exclusions_and_what_was_seen(classic):
    white = {"colours": {"any_of": ["white"]}}
    request = RecommendationRequest(history=["i03"], exclude_items=["i05", "none"], filters=white, k=30)
    found = recommend_popular(classic, request).item_ids
    assert set(found) == {f"i{item:02}" for item in range(1, 30, 2)} - {"i03", "i05"}
    again = recommend_popular(classic, RecommendationRequest(history=["i03"], exclude_seen=False, k=30)).item_ids
    assert len(again) == 30


def test_a_server_answers_for_its_bundle_alone(by_content, classic):
    server = Server(by_content)
    runtime = Runtime(HealthRegistry(), server, by_content.name, timeout_seconds=100)
    lists, is_degraded = runtime.recommend(by_content, [EVEN], LONG)
    assert (server.calls, is_degraded) == (1, False)
    assert lists == by_content.recommender.recommend([EVEN])
    runtime.recommend(classic, [EVEN], LONG)
    assert server.calls == 1
    runtime.close()


def test_a_server_that_is_away_is_left_alone_and_the_bundle_here_answers(by_content):
    server, health = Server(by_content), HealthRegistry()
    server.error = ServingError("refused")
    runtime = Runtime(health, server, by_content.name, timeout_seconds=100, threshold=2, open_seconds=100)
    expected = by_content.recommender.recommend([EVEN])
    for _ in range(4):
        assert runtime.recommend(by_content, [EVEN], LONG) == (expected, True)
    assert server.calls == 2 and health.of("runtime").state == "down"
    runtime.close()


def test_a_request_that_a_server_refuses_is_the_callers_fault(by_content):
    server = Server(by_content)
    server.error = RequestError("k is wrong")
    runtime = Runtime(HealthRegistry(), server, by_content.name, timeout_seconds=100)
    with pytest.raises(RequestError, match="k is wrong"):
        runtime.recommend(by_content, [EVEN], LONG)
    runtime.close()


def test_items_that_are_gone_here_are_not_shown_though_a_server_has_them(by_content, bundles):
    from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
    from recsys_serving.recommending.types import CatalogueItem

    server = Server(OpenBundle(bundles / by_content.name))
    runtime = Runtime(HealthRegistry(), server, by_content.name, timeout_seconds=100)
    first = runtime.recommend(by_content, [EVEN], LONG)[0][0].item_ids[0]
    by_content.lay_over([CatalogueItem(first, available=False)])
    (answer,), _ = runtime.recommend(by_content, [EVEN], LONG)
    assert first not in answer.item_ids and len(answer.item_ids) == 5
    runtime.close()
