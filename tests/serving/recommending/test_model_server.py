from __future__ import annotations

import pytest
from recsys_serving.recommending.catalogue.open_bundle import OpenBundle
from recsys_serving.recommending.model_server import ModelServer, allowed_items
from recsys_serving.recommending.types import CatalogueItem
from recsys_serving.resilience.deadline import Deadline
from recsys_serving.resilience.dependency import DependencyUnavailable
from recsys_serving.resilience.health import HealthRegistry
from recsys_serving.triton.served_bundle import version_of

from recsys.errors import RequestError, ServingError
from recsys.runtime.request import RecommendationRequest
from tests.serving.recommending.fakes import FakeServer

EVEN = RecommendationRequest(history=["i02", "i08"], k=5)
WHITE = RecommendationRequest(history=["i02"], filters={"colours": {"any_of": ["white"]}})
LONG = Deadline(1e6)


class Clock:
    """A clock that stands still until it is told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def server_of(fake, health=None, monotonic=None, **policy):
    values = {"timeout_seconds": 1e6, "threshold": 2, "open_seconds": 1e6, **policy}
    return ModelServer(fake, health or HealthRegistry(), **values, monotonic=monotonic or Clock())


def test_a_bundle_is_asked_for_by_its_version(by_content):
    fake = FakeServer(by_content)
    server = server_of(fake)
    assert server.recommend(by_content, [EVEN], LONG) == by_content.recommender.recommend([EVEN])
    assert fake.versions == [version_of(by_content.bundle)]
    server.close()


def test_a_version_that_is_not_there_is_no_failure_and_is_asked_for_again_later(by_content, classic):
    fake, health, clock = FakeServer(by_content), HealthRegistry(), Clock()
    server = server_of(fake, health, clock, threshold=1, open_seconds=10)
    for _ in range(3):
        with pytest.raises(DependencyUnavailable, match="does not have version|no version"):
            server.recommend(classic, [EVEN], LONG)
    assert len(fake.versions) == 1 and health.of("runtime").state == "failing"
    server.recommend(by_content, [EVEN], LONG)  # the other one is there all the same
    assert health.of("runtime").state == "up"
    fake.opened, clock.now = classic, 11.0
    assert server.recommend(classic, [EVEN], LONG) == classic.recommender.recommend([EVEN])
    server.close()


def test_a_server_that_fails_is_left_alone_after_a_while(by_content):
    fake = FakeServer(by_content)
    fake.error = ServingError("refused")
    server = server_of(fake)
    for _ in range(4):
        with pytest.raises(DependencyUnavailable):
            server.recommend(by_content, [EVEN], LONG)
    assert len(fake.versions) == 2
    server.close()


def test_a_wrong_request_goes_to_whoever_made_it(by_content):
    fake = FakeServer(by_content)
    fake.error = RequestError("k is wrong")
    server = server_of(fake)
    with pytest.raises(RequestError, match="k is wrong"):
        server.recommend(by_content, [EVEN], LONG)
    server.close()


def test_items_that_are_gone_here_are_not_shown_though_a_server_has_them(by_content, bundles):
    server = server_of(FakeServer(OpenBundle(bundles / by_content.name)))
    first = server.recommend(by_content, [EVEN], LONG)[0].item_ids[0]
    by_content.lay_over([CatalogueItem(first, available=False)])
    assert server.can_answer(by_content, EVEN)
    (answer,) = server.recommend(by_content, [EVEN], LONG)
    assert first not in answer.item_ids and len(answer.item_ids) == 5
    assert answer == by_content.recommender.recommend([EVEN])[0]
    server.close()


def test_a_list_that_had_all_there_is_only_loses_what_is_gone(by_content, bundles):
    server = server_of(FakeServer(OpenBundle(bundles / by_content.name)))
    everything = RecommendationRequest(history=["i02", "i08"], k=500, explain=True)
    first = server.recommend(by_content, [everything], LONG)[0].item_ids[0]
    by_content.lay_over([CatalogueItem(first, available=False)])
    (answer,) = server.recommend(by_content, [everything], LONG)
    assert first not in answer.item_ids and len(answer.explanations) == len(answer.item_ids) == len(answer.scores)
    server.close()


def test_a_server_cannot_answer_where_an_item_came(by_content):
    server = server_of(FakeServer(by_content))
    assert server.can_answer(by_content, EVEN)
    by_content.lay_over([CatalogueItem("new", properties={"colours": ["white"]})])
    assert not server.can_answer(by_content, EVEN)
    by_content.lay_over([CatalogueItem("new", deleted=True)])
    assert server.can_answer(by_content, EVEN)
    # It is in no list any more, but it is known as a part of a history.
    assert not server.can_answer(by_content, RecommendationRequest(history=["new"]))
    server.close()


def test_a_server_cannot_answer_what_reads_values_that_have_changed(by_content):
    server = server_of(FakeServer(by_content))
    assert server.can_answer(by_content, WHITE)
    by_content.lay_over([CatalogueItem("i03", properties={"colours": ["black"]})])
    assert not server.can_answer(by_content, WHITE) and server.can_answer(by_content, EVEN)
    server.close()


def test_items_are_allowed_by_what_they_are_now(by_content):
    by_content.lay_over([CatalogueItem("i03", properties={"colours": ["black"]})])
    assert not allowed_items(by_content, WHITE)[3] and allowed_items(by_content, EVEN)[3]
