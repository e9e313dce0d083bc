from tests.serving.api.conftest import Api


def test_a_user_is_added_read_and_changed(api: Api):
    made = api.client.post("/v1/users", json={"user_id": "anna", "properties": {"age": 31, "town": "Ulm"}})
    assert (made.status_code, made.headers["Location"]) == (201, "/v1/users/anna")
    assert api.client.post("/v1/users", json={"user_id": "anna"}).status_code == 409
    changed = api.client.patch("/v1/users/anna", json={"properties": {"age": 32, "town": None}, "profiling": False})
    assert (changed.json()["properties"], changed.json()["profiling"]) == ({"age": 32}, False)
    assert api.client.get("/v1/users/anna").json() == changed.json()


def test_a_change_of_another_ones_revision_is_refused(api: Api):
    tag = api.client.post("/v1/users", json={"user_id": "anna"}).headers["ETag"]
    assert api.client.patch("/v1/users/anna", json={"profiling": False}, headers={"If-Match": tag}).status_code == 200
    assert api.client.patch("/v1/users/anna", json={"profiling": True}, headers={"If-Match": tag}).status_code == 412


def test_who_has_the_revision_does_not_get_it_again(api: Api):
    tag = api.client.post("/v1/users", json={"user_id": "anna"}).headers["ETag"]
    assert api.client.get("/v1/users/anna", headers={"If-None-Match": tag}).status_code == 304


def test_a_user_who_is_not_known(api: Api):
    assert api.client.get("/v1/users/nobody").status_code == 404
    assert api.client.patch("/v1/users/nobody", json={"profiling": False}).status_code == 404
    assert api.client.get("/v1/users/nobody/export").status_code == 404


def test_a_visitor_who_logs_in_is_merged(api: Api):
    api.client.post("/v1/interactions", json={"user_id": "visitor", "item_id": "a", "event_id": "e1"})
    api.client.post("/v1/users", json={"user_id": "anna"})
    merged = api.client.post("/v1/users/anna/merge", json={"from_user_id": "visitor"})
    assert merged.json()["num_interactions"] == 1
    assert api.client.get("/v1/users/visitor").json()["merged_into"] == "anna"
    assert api.client.post("/v1/users/anna/merge", json={"from_user_id": "anna"}).status_code == 409


def test_an_export_has_all_that_is_known(api: Api):
    api.client.post("/v1/interactions", json={"user_id": "anna", "item_id": "a", "event_id": "e1"})
    export = api.client.get("/v1/users/anna/export").json()
    assert export["user"]["user_id"] == "anna"
    assert [one["event_id"] for one in export["interactions"]] == ["e1"]


def test_users_are_found_by_how_their_ids_begin_page_by_page(api: Api):
    for name in ("ann", "anna", "anton", "ben"):
        api.client.post("/v1/users", json={"user_id": name})
    page = api.client.get("/v1/users", params={"prefix": "an", "limit": 2}).json()
    assert [one["user_id"] for one in page["users"]] == ["ann", "anna"]
    following = api.client.get("/v1/users", params={"prefix": "an", "limit": 2, "cursor": page["next_cursor"]}).json()
    assert ([one["user_id"] for one in following["users"]], following["next_cursor"]) == (["anton"], None)
    other = api.client.get("/v1/users", params={"prefix": "b", "cursor": page["next_cursor"]})
    assert other.status_code == 422
    assert len(api.client.get("/v1/users").json()["users"]) == 4


def test_only_an_administrator_lists_users(api: Api):
    assert api.client.get("/v1/users", headers=api.with_scopes("read", "write")).status_code == 403
