"""A client of the service, against the application itself."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from recsys_serving.client.service_client import ServiceClient

from recsys.errors import ServingError
from tests.serving.api.conftest import Api, api, make_api

__all__ = ["api", "make_api"]


def answering(handler: Callable[[httpx.Request], httpx.Response]) -> ServiceClient:
    return ServiceClient(httpx.Client(base_url="http://service", transport=httpx.MockTransport(handler)))


def test_interactions_come_to_the_store(api: Api) -> None:
    ServiceClient(api.client).append_interactions([{"user_id": "ann", "item_id": "a", "event_id": "e1"}])
    assert api.store.interactions.get("e1") is not None


def test_a_list_for_each_request(api: Api) -> None:
    lists = ServiceClient(api.client).recommend([{"user_id": "ann", "k": 2}, {"user_id": "ben", "k": 1}])
    assert [one["user_id"] for one in lists] == ["ann", "ben"]


def test_items_are_read_page_by_page(api: Api) -> None:
    for number in range(5):
        assert api.client.put(f"/v1/items/i{number}", json={"title": f"I {number}"}).is_success
    assert [one["item_id"] for one in ServiceClient(api.client).items(page=2)] == [f"i{n}" for n in range(5)]


def test_a_refusal_is_told_with_its_reason(api: Api) -> None:
    with pytest.raises(ServingError, match=r"/v1/bundles/gone/activate was answered with 404: There is no bundle"):
        ServiceClient(api.client).activate("gone", "a test")


def test_a_request_that_comes_too_often_is_sent_again() -> None:
    answers = [httpx.Response(429, headers={"Retry-After": "0"}), httpx.Response(200, json={"recommendations": []})]
    client = answering(lambda request: answers.pop(0))
    assert client.recommend([]) == []
    assert not answers


def test_a_service_that_is_away_is_told() -> None:
    def away(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(ServingError, match="does not answer"):
        answering(away).live_bundle()


def test_the_live_bundle_and_those_before() -> None:
    body = {
        "loaded": [{"name": "a", "live": False}, {"name": "b", "live": True}],
        "deployments": [{"bundle": "b"}, {"bundle": "a"}],
    }
    client = answering(lambda request: httpx.Response(200, json=body))
    assert client.live_bundle() == "b"
    assert client.recent_bundles() == ["b", "a"]


def test_it_is_closed() -> None:
    client = ServiceClient.connect("http://service", "key")
    client.close()
    with pytest.raises(RuntimeError, match="closed"):
        client.live_bundle()
