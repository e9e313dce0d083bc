from tests.serving.api.conftest import Api

RATING = {"event_id": "e/1", "user_id": "anna", "item_id": "a", "type": "rating", "value": 5.0}


def test_an_interaction_is_made_once_and_found_at_its_location(api: Api):
    made = api.client.post("/v1/interactions", json=RATING)
    assert made.status_code == 201
    assert made.headers["Location"] == "/v1/interactions/e%2F1"
    found = api.client.get(made.headers["Location"])
    assert found.json() == made.json()
    again = api.client.post("/v1/interactions", json=RATING)
    assert (again.status_code, again.json()) == (200, made.json())
    page = api.client.get("/v1/users/anna/interactions").json()
    assert [one["event_id"] for one in page["interactions"]] == ["e/1"]


def test_an_event_id_that_stands_for_another_interaction_is_a_conflict(api: Api):
    api.client.post("/v1/interactions", json=RATING)
    other = api.client.post("/v1/interactions", json=RATING | {"value": 1.0})
    assert other.status_code == 409
    assert "stands for another interaction" in other.json()["detail"]


def test_large_numbers_in_properties_come_back_as_they_went(api: Api):
    large = RATING | {"properties": {"energy": 1e30, "count": 2**53}}
    assert api.client.post("/v1/interactions", json=large).status_code == 201
    [found] = api.client.get("/v1/users/anna/interactions").json()["interactions"]
    assert found["properties"] == large["properties"]
    assert api.client.post("/v1/interactions", json=large).status_code == 200  # sent again, it is the same


def test_an_interaction_can_be_taken_back(api: Api):
    api.client.post("/v1/interactions", json=RATING)
    assert api.client.delete("/v1/interactions/e%2F1").status_code == 204
    assert api.client.get("/v1/interactions/e%2F1").status_code == 404
    assert api.client.delete("/v1/interactions/e%2F1").status_code == 404


def test_a_batch_says_what_became_of_each(api: Api):
    api.client.post("/v1/interactions", json=RATING)
    batch = [RATING, RATING | {"value": 2.0}, {"user_id": "ben", "item_id": "b", "event_id": "new"}]
    answer = api.client.post("/v1/interactions/batch", json={"interactions": batch})
    assert [one["status"] for one in answer.json()["interactions"]] == ["replayed", "conflict", "created"]


def test_pages_follow_each_other(api: Api):
    batch = [
        {"user_id": "anna", "item_id": "a", "event_id": f"e{day}", "occurred_at": f"2024-05-0{day}T00:00:00Z"}
        for day in range(1, 6)
    ]
    api.client.post("/v1/interactions/batch", json={"interactions": batch})
    found, place = [], {}
    for _ in range(3):
        page = api.client.get("/v1/users/anna/interactions", params={"limit": 2, **place}).json()
        found += [one["event_id"] for one in page["interactions"]]
        place = {"cursor": page["next_cursor"]}
    assert (found, place) == (["e5", "e4", "e3", "e2", "e1"], {"cursor": None})


def test_the_cursor_of_another_user_is_refused(api: Api):
    batch = [{"user_id": "anna", "item_id": "a"}, {"user_id": "anna", "item_id": "b"}]
    api.client.post("/v1/interactions/batch", json={"interactions": batch})
    cursor = api.client.get("/v1/users/anna/interactions", params={"limit": 1}).json()["next_cursor"]
    refused = api.client.get("/v1/users/ben/interactions", params={"limit": 1, "cursor": cursor})
    assert refused.status_code == 422
    assert "none of this list" in refused.json()["detail"]


def test_an_interaction_waits_in_the_spool_while_the_store_is_away(make_api):
    api = make_api()
    api.client.get("/v1/elicitation")  # the key is known from here on
    api.parts.store._database._engine.dispose()
    away = make_api(database_url="postgresql://nobody@127.0.0.1:1/nothing", database_connect_timeout_seconds=0.5)
    away.parts.authenticator._known.update(api.parts.authenticator._known)
    answer = away.client.post("/v1/interactions", json=RATING)
    assert (answer.status_code, answer.json()["durable"]) == (202, "spool")
    assert away.parts.writes.num_waiting() == 1


def test_titles_of_the_items_come_where_they_are_asked_for(api: Api):
    for item_id in ("a", "x"):
        api.client.post("/v1/interactions", json={"user_id": "ben", "item_id": item_id})
    pages = [api.client.get("/v1/users/ben/interactions", params=params).json() for params in ({}, {"titles": "true"})]
    assert pages[0].get("titles") is None and pages[1]["titles"] == {"a": "Alien", "x": "x"}
