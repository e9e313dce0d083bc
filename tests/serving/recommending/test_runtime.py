import pytest
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.recommending.model_server import ModelServer
from recsys_serving.recommending.runtime import NOT_SCORED, Runtime, recommend_popular
from recsys_serving.recommending.types import CatalogueItem
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.resilience.health import HealthRegistry

from recsys.errors import RequestError, ServingError
from recsys.runtime.request import RecommendationRequest
from tests.serving.recommending.fakes import FakeServer

EVEN = RecommendationRequest(history=["i02", "i08"], k=5)
#: Longer than any session of tests: its time runs from here on.
LONG = Deadline(1e6)


def server_of(fake, health, **policy):
    return ModelServer(fake, health, **{"timeout_seconds": 1e6, "threshold": 2, "open_seconds": 1e6, **policy})


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


def test_a_server_answers_in_place_of_this_process(by_content, monkeypatch):
    fake, health = FakeServer(OpenBundle(by_content.bundle.directory)), HealthRegistry()
    expected = by_content.recommender.recommend([EVEN])
    monkeypatch.setattr(by_content.recommender, "recommend_one", None)
    runtime = Runtime(health, server_of(fake, health))
    assert runtime.recommend(by_content, [EVEN], LONG) == (expected, False)
    assert len(fake.versions) == 1 and health.of("runtime").state == "up"
    runtime.close()


def test_a_bundle_that_a_server_does_not_have_answers_here_and_says_so(by_content, classic):
    health = HealthRegistry()
    runtime = Runtime(health, server_of(FakeServer(by_content), health))
    assert runtime.recommend(classic, [EVEN], LONG) == (classic.recommender.recommend([EVEN]), True)
    runtime.close()


def test_a_server_that_is_away_is_left_alone_and_the_bundle_here_answers(by_content):
    fake, health = FakeServer(by_content), HealthRegistry()
    fake.error = ServingError("refused")
    runtime = Runtime(health, server_of(fake, health))
    expected = by_content.recommender.recommend([EVEN])
    for _ in range(4):
        assert runtime.recommend(by_content, [EVEN], LONG) == (expected, True)
    assert len(fake.versions) == 2 and health.of("runtime").state == "down"
    runtime.close()


def test_a_list_that_a_server_cannot_make_is_made_here_beside_its_own(by_content):
    fake, health = FakeServer(OpenBundle(by_content.bundle.directory)), HealthRegistry()
    runtime = Runtime(health, server_of(fake, health))
    by_content.lay_over([CatalogueItem("i03", properties={"colours": ["black"]})])
    white = RecommendationRequest(history=["i02"], filters={"colours": {"any_of": ["white"]}}, k=30)
    lists, is_degraded = runtime.recommend(by_content, [EVEN, white, EVEN], LONG)
    assert lists == by_content.recommender.recommend([EVEN, white, EVEN]) and not is_degraded
    assert len(fake.versions) == 1 and "i03" not in lists[1].item_ids
    runtime.recommend(by_content, [white], LONG)
    assert len(fake.versions) == 1
    runtime.close()
