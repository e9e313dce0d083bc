import json

import pytest
from recsys_serving.api.problems import KINDS, MAX_FAULTS, Fault, _told, problem_response
from recsys_serving.store.errors import Conflict, NotFound, PreconditionFailed, StoreRefused, StoreUnavailable

from recsys.errors import BundleError, RecsysError, RequestError, ServingError
from tests.serving.api.conftest import Api


def test_a_problem_has_the_fields_of_rfc_9457(api: Api):
    answer = api.client.get("/v1/items/none", headers={"X-Request-ID": "mine"})
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json() == {
        "type": "/docs#not-found",
        "title": "It does not exist",
        "status": 404,
        "detail": "There is no item 'none'.",
        "instance": "/v1/items/none",
        "request_id": "mine",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/nowhere", 404), ("PUT", "/healthz", 405), ("GET", "/v1/items/", 404)]
)
def test_what_no_route_takes_is_a_problem_too(api: Api, method, path, status):
    answer = api.client.request(method, path)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_each_fault_is_told_with_its_place_and_without_the_value(api: Api):
    body = {"user_id": "anna", "k": "private-value", "wrong": 1}
    answer = api.client.post("/v1/recommendations", json=body)
    assert answer.status_code == 422
    assert {fault["field"] for fault in answer.json()["errors"]} == {"body.k", "body.wrong"}
    assert "private-value" not in answer.text


def test_a_bug_is_told_without_what_it_says(api: Api):
    answer = api.client.post("/v1/recommendations", json={"scenario": "bug"})
    assert answer.status_code == 500
    assert answer.json()["detail"].endswith(answer.headers["X-Request-ID"] + ".")
    assert "secret-value" not in answer.text and "Traceback" not in answer.text


def test_a_wrong_query_is_told_in_the_words_of_the_library(api: Api):
    answer = api.client.post("/v1/recommendations", json={"filters": {"colour": {"any_of": ["red"]}}})
    assert (answer.status_code, answer.json()["detail"]) == (422, "The items have no column 'colour'.")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RequestError, 422),
        (BundleError, 409),
        (ServingError, 503),
        (StoreUnavailable, 503),
        (NotFound, 404),
        (Conflict, 409),
        (PreconditionFailed, 412),
        (StoreRefused, 422),
        (RecsysError, 422),
    ],
)
def test_the_status_of_an_error_of_the_library(error, status):
    assert _told(error("text")).status == status


def test_who_may_try_again_is_told_when():
    assert _told(StoreUnavailable("away")).headers["Retry-After"] == "2"


def test_further_faults_are_only_counted():
    faults = [Fault(f"body.{number}", "wrong") for number in range(MAX_FAULTS + 5)]
    body = json.loads(problem_response(422, "Wrong.", "/", faults).body)
    assert (len(body["errors"]), body["detail"]) == (MAX_FAULTS, "Wrong. 5 further faults are not listed.")


def test_a_status_of_no_kind_is_told_by_its_phrase():
    assert json.loads(problem_response(418, "No coffee.", "/").body)["type"] == "about:blank"
    assert 418 not in KINDS


def test_all_methods_of_a_path_are_told(api: Api):
    answer = api.client.request("OPTIONS", "/v1/items/a")
    assert (answer.status_code, answer.headers["Allow"]) == (405, "DELETE, GET, PATCH, PUT")


def test_the_address_of_the_store_is_told_to_nobody(api: Api, make_api):
    api.client.get("/v1/elicitation")
    away = make_api(database_url="postgresql://nobody@127.0.0.1:1/nothing")
    away.parts.authenticator._known.update(api.parts.authenticator._known)
    answer = away.client.get("/v1/keys")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "127.0.0.1" not in answer.text and "nobody" not in answer.text
