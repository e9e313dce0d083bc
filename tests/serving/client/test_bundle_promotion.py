"""Bundles that were trained with what the store has."""

from __future__ import annotations

import httpx
import pytest
from recsys_serving.client.bundle_promotion import BundlePromotion
from recsys_serving.client.service_client import ServiceClient
from recsys_serving.local.first_start import imported_contents
from recsys_serving.store.store import Store

from recsys.errors import ServingError


def service(*answers: httpx.Response) -> ServiceClient:
    waiting = list(answers)
    return ServiceClient(
        httpx.Client(base_url="http://service", transport=httpx.MockTransport(lambda request: waiting.pop(0)))
    )


def test_a_promoted_bundle_has_data_that_no_start_imports_again(store: Store) -> None:
    BundlePromotion(service(httpx.Response(200, json={})), store).promote("second", "abc", "not worse")
    assert "abc" in imported_contents(store)


def test_a_refusal_is_an_error(store: Store) -> None:
    with pytest.raises(ServingError, match="404"):
        BundlePromotion(service(httpx.Response(404, json={})), store).promote("second", "abc", "not worse")


def test_live_and_recent_bundles_are_those_of_the_service(store: Store) -> None:
    body = {"loaded": [{"name": "b", "live": True}], "deployments": [{"bundle": "b"}, {"bundle": "a"}]}
    answers = [httpx.Response(200, json=body), httpx.Response(200, json=body)]
    promotion = BundlePromotion(service(*answers), store)
    assert (promotion.live_bundle(), promotion.recent_bundles()) == ("b", ["b", "a"])
