import pytest
from recsys_serving.api.problems import ProblemError
from recsys_serving.api.routing import check_most, created_at, operation

from tests.serving.api.conftest import Api, MakeApi


def test_an_operation_documents_its_problems():
    told = operation("read", 404, summary="Read")
    assert set(told["responses"]) == {400, 401, 403, 404, 413, 422, 429, 503}
    assert told["openapi_extra"]["security"] == [{"key": []}]


def test_an_open_operation_asks_for_no_key():
    told = operation(None, summary="Open")
    assert told["openapi_extra"] == {}
    assert 401 not in told["responses"]


def test_links_name_operation_and_parameters():
    link = created_at("/x/{id}", get_x={"id": "$response.body#/id"})["links"]["get_x"]
    assert link == {"operationId": "get_x", "parameters": {"id": "$response.body#/id"}}


def test_more_than_the_settings_allow_is_refused():
    check_most("k", 5, 5)
    with pytest.raises(ProblemError, match="k may be 5 at most here, but 6 came"):
        check_most("k", 6, 5)


def test_a_limit_of_the_settings_counts(make_api: MakeApi):
    api = make_api(max_k=5, max_requests=1, max_history=1, max_batch=1)
    session = {"session": {"history": [{"item_id": "a"}, {"item_id": "b"}]}}
    event = {"user_id": "anna", "item_id": "a"}
    for path, body in (
        ("/v1/recommendations", {"k": 6}),
        ("/v1/recommendations", {"requests": [{}, {}]}),
        ("/v1/recommendations", session),
        ("/v1/interactions/batch", {"interactions": [event, event]}),
        ("/v1/items/batch", {"items": [{"item_id": "x"}, {"item_id": "y"}]}),
    ):
        answer = api.client.post(path, json=body)
        assert (answer.status_code, "at most here" in answer.json()["detail"]) == (422, True), path


def test_the_name_of_a_bundle_is_no_path(api: Api):
    assert api.client.post("/v1/bundles/..%2Fsecret/activate").status_code == 422
