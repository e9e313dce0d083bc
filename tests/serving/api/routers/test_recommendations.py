import pytest

from tests.serving.api.conftest import Api


def test_a_list_has_all_its_fields(api: Api):
    answer = api.client.post("/v1/recommendations", json={"user_id": "anna", "k": 2}).json()
    assert [(item["item_id"], item["rank"]) for item in answer["items"]] == [("a", 1), ("b", 2)]
    assert {"recommendation_id", "variant", "personalized", "degraded", "notes", "next_cursor"} <= set(answer)


def test_several_requests_are_answered_in_their_order(api: Api):
    body = {"requests": [{"user_id": "anna", "k": 1}, {"user_id": "ben", "k": 2}]}
    lists = api.client.post("/v1/recommendations", json=body).json()["recommendations"]
    assert [(one["user_id"], len(one["items"])) for one in lists] == [("anna", 1), ("ben", 2)]


def test_the_path_of_a_user_asks_the_same(api: Api):
    answer = api.client.get("/v1/users/an%2Fna/recommendations", params={"k": 3, "explain": "true"})
    assert answer.json()["user_id"] == "an/na"
    assert (api.canned.queries[-1].k, api.canned.queries[-1].explain) == (3, True)


@pytest.mark.parametrize(
    "query", ["", "k=3", "k=1000", "k=0", "k=03", "k=1001", "k=", "k=x", "k=2&k=3", "K=3", "l=3", "k=3&"]
)
def test_a_plain_request_is_answered_as_any_other(api: Api, query):
    """What is read without FastAPI, where it is plain, and what is read by it, for one more parameter."""
    answers = [api.client.get(f"/v1/users/an%2Fna/recommendations?{query}{more}") for more in ("", "&explain=false")]
    assert answers[0].status_code == answers[1].status_code
    bodies = [answer.json() for answer in answers]
    for body in bodies:
        for name in ("request_id", "recommendation_id"):
            body.pop(name, None)
    assert bodies[0] == bodies[1]


def test_a_plain_request_is_not_read_by_fastapi(api: Api, monkeypatch):
    monkeypatch.setattr("fastapi.routing.solve_dependencies", None)
    assert api.client.get("/v1/users/anna/recommendations?k=3").json()["user_id"] == "anna"
    assert api.canned.queries[-1].k == 3
    assert api.client.get(f"/v1/users/{'a' * 257}/recommendations?k=3").status_code == 500
    assert api.client.get("/v1/users/anna/recommendations?k=3", headers={"Authorization": ""}).status_code == 401


def test_the_whole_query_arrives(api: Api):
    body = {
        "session": {"history": [{"item_id": "a", "value": 4, "timestamp": 10}]},
        "filters": {"year": {"gte": 1990}},
        "exclude_items": ["b"],
        "boosts": [{"filters": {"genres": {"any_of": ["Drama"]}}, "factor": 2}],
        "promotions": [{"item_id": "c", "position": 1}],
        "diversity": {"kind": "mmr"},
        "user_features": {"age": 31, "likes": ["a", "b"]},
        "exclude_seen": {"after_days": 30},
        "metadata": ["genres"],
    }
    assert api.client.post("/v1/recommendations", json=body).status_code == 200
    query = api.canned.queries[-1]
    assert query.session[0].item_id == "a" and query.session[0].value == 4
    assert query.boosts[0].factor == 2 and query.promotions[0].position == 1
    assert query.diversity.kind == "mmr" and query.exclude_seen == {"after_days": 30}
    assert query.user_features == {"age": 31, "likes": ["a", "b"]} and query.metadata == ("genres",)


@pytest.mark.parametrize(
    "body",
    [
        {"k": 0},
        {"k": "3"},
        {"k": 2.5},
        {"k": True},
        {"user_id": 196},
        {"user_id": ""},
        {"unknown": 1},
        {"requests": []},
        {"requests": [{"k": 1}], "k": 3},
        {"session": {"history": [{"item_id": "a", "timestamp": 1}, {"item_id": "b"}]}},
        {"diversity": {"kind": "mmr", "weight": 2}},
        {"boosts": [{"filters": {}, "factor": -1}]},
        [],
        "text",
        None,
    ],
    ids=str,
)
def test_a_wrong_body_is_refused(api: Api, body):
    assert api.client.post("/v1/recommendations", json=body).status_code == 422


def test_items_to_ask_a_new_user_about(api: Api):
    assert len(api.client.get("/v1/elicitation", params={"k": 2}).json()["items"]) == 2


def test_what_was_asked_about_is_not_asked_about_again(api: Api):
    answer = api.client.get("/v1/elicitation", params={"exclude_items": ["a", "c"], "metadata": "genres"}).json()
    assert [(item["item_id"], item["metadata"]) for item in answer["items"]] == [("b", {"genres": "Drama"})]


def test_a_list_that_nobody_is_shown_says_so(api: Api):
    api.client.post("/v1/recommendations", json={"user_id": "anna"})
    api.client.post("/v1/recommendations", json={"user_id": "anna", "log_exposure": False})
    assert [query.log_exposure for query in api.canned.queries[-2:]] == [True, False]


def test_a_trace_comes_where_it_is_asked_for(api: Api):
    body = {"user_id": "anna", "k": 2}
    plain, traced = (api.client.post("/v1/recommendations", json=one).json() for one in (body, body | {"trace": True}))
    assert "trace" not in plain and traced["items"] == plain["items"]
    assert [one["stage"] for one in traced["trace"]["stages"]] == ["model", "retrieve"]
    assert [one["item_id"] for one in traced["trace"]["candidates"]] == ["a", "b"]
    several = {"requests": [body, body | {"trace": True}, body]}
    lists = api.client.post("/v1/recommendations", json=several).json()["recommendations"]
    assert ["trace" in one for one in lists] == [False, True, False]


def test_a_list_as_another_bundle_or_a_variant_has_it(api: Api):
    definition = {"variants": [{"name": "a", "share": 0.5}, {"name": "b", "share": 0.5, "bundle": "second"}]}
    made = {"experiment_id": "one", "name": "One", "definition": definition}
    assert api.client.post("/v1/experiments", json=made).status_code == 201
    of_bundle = {"user_id": "anna", "preview": {"bundle": "second"}}
    of_variant = {"user_id": "anna", "preview": {"experiment_id": "one", "variant": "b"}}
    answers = [api.client.post("/v1/recommendations", json=body).json() for body in (of_bundle, of_variant)]
    assert [(one["bundle"], one["variant"]) for one in answers] == [("second", None), ("second", "b")]
    reader = api.with_scopes("read", "write")
    refused = api.client.post("/v1/recommendations", json=of_bundle, headers=reader)
    assert refused.status_code == 403 and "scope admin" in refused.json()["detail"]
    assert api.client.post("/v1/recommendations", json={"trace": True}, headers=reader).status_code == 200


@pytest.mark.parametrize(
    ("preview", "status"),
    [
        ({"bundle": "third"}, 404),
        ({"experiment_id": "none", "variant": "a"}, 404),
        ({}, 422),
        ({"variant": "a"}, 422),
        ({"bundle": "second", "experiment_id": "one", "variant": "a"}, 422),
    ],
    ids=str,
)
def test_a_preview_of_what_is_not_there_is_refused(api: Api, preview, status):
    assert api.client.post("/v1/recommendations", json={"preview": preview}).status_code == status
