import pytest
from recsys_serving.api.entity_tags import TAG_PATTERN

from tests.serving.api.conftest import Api, MakeApi


@pytest.fixture
def described(api: Api):
    return api.client.get("/openapi.json").json()


def operations(schema):
    return [one for methods in schema["paths"].values() for one in methods.values()]


def test_every_operation_of_v1_names_the_scope_that_it_needs(described):
    for path, methods in described["paths"].items():
        for one in methods.values():
            assert (one.get("x-required-scope") in ("read", "write", "admin")) == path.startswith("/v1/")
            assert ("security" in one) == path.startswith("/v1/")


def test_every_body_has_an_example(described):
    for one in operations(described):
        if "requestBody" in one:
            assert one["requestBody"]["content"]["application/json"]["examples"], one["operationId"]


def test_every_problem_has_one_form(described):
    for one in operations(described):
        for status, answer in one["responses"].items():
            if status.startswith(("4", "5")) and one["operationId"] != "is_ready":
                assert list(answer["content"]) == ["application/problem+json"]


def test_what_is_made_has_a_location_and_links_to_operations_that_exist(described):
    ids = {one["operationId"] for one in operations(described)}
    made = [one["responses"]["201"] for one in operations(described) if "201" in one["responses"]]
    assert len(made) >= 6
    for answer in made:
        assert "Location" in answer["headers"]
        assert {link["operationId"] for link in answer["links"].values()} <= ids


def test_limits_are_those_of_the_installation(make_api: MakeApi):
    api = make_api(max_k=50, max_batch=7)
    schemas = api.client.get("/openapi.json").json()["components"]["schemas"]
    assert schemas["RecommendationBody"]["properties"]["k"]["maximum"] == 50
    assert schemas["InteractionBatchBody"]["properties"]["interactions"]["maxItems"] == 7


def test_a_parameter_is_left_out_and_never_null(described):
    parameters = [one for operation in operations(described) for one in operation.get("parameters", ())]
    assert {one["name"] for one in parameters} >= {"cursor", "if-match", "limit"}
    assert not [one for one in parameters if {"type": "null"} in one["schema"].get("anyOf", ())]


def test_a_tag_is_described_as_it_is_read(described):
    tags = [
        one["schema"]["pattern"]
        for operation in operations(described)
        for one in operation.get("parameters", ())
        if one["name"] == "if-match"
    ]
    assert tags and set(tags) == {TAG_PATTERN}
