from tests.serving.api.conftest import Api

FILM = {"item_id": "f1", "title": "Film", "properties": {"year": 1945, "genres": ["Drama"]}}


def test_an_item_is_added_read_changed_and_deleted(api: Api):
    made = api.client.post("/v1/items", json=FILM)
    assert (made.status_code, made.headers["Location"]) == (201, "/v1/items/f1")
    read = api.client.get("/v1/items/f1")
    assert read.json()["properties"] == FILM["properties"]
    assert read.headers["ETag"] == f'"{read.json()["revision"]}"'
    changed = api.client.patch("/v1/items/f1", json={"properties": {"year": 1946, "genres": None}, "available": False})
    assert changed.json()["properties"] == {"year": 1946}
    assert changed.json()["available"] is False
    assert api.client.delete("/v1/items/f1").status_code == 204
    assert api.client.get("/v1/items/f1").status_code == 404
    assert api.canned.changed == ["add f1", "update f1", "remove f1"]


def test_an_item_is_added_once(api: Api):
    api.client.post("/v1/items", json=FILM)
    assert api.client.post("/v1/items", json=FILM).status_code == 409


def test_putting_an_item_makes_it_and_then_replaces_it(api: Api):
    content = {"title": "Film"}
    assert api.client.put("/v1/items/f1", json=content).status_code == 201
    again = api.client.put("/v1/items/f1", json={"title": "Other"})
    assert (again.status_code, again.json()["title"], again.json()["properties"]) == (200, "Other", {})


def test_a_change_of_another_ones_revision_is_refused(api: Api):
    tag = api.client.post("/v1/items", json=FILM).headers["ETag"]
    assert api.client.patch("/v1/items/f1", json={"title": "A"}, headers={"If-Match": tag}).status_code == 200
    for request in (
        api.client.patch("/v1/items/f1", json={"title": "B"}, headers={"If-Match": tag}),
        api.client.put("/v1/items/f1", json={"title": "B"}, headers={"If-Match": tag}),
        api.client.delete("/v1/items/f1", headers={"If-Match": tag}),
    ):
        assert request.status_code == 412


def test_who_has_the_revision_does_not_get_it_again(api: Api):
    tag = api.client.post("/v1/items", json=FILM).headers["ETag"]
    answer = api.client.get("/v1/items/f1", headers={"If-None-Match": tag})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", tag)


def test_a_value_that_does_not_fit_its_column_stores_nothing(api: Api):
    wrong = FILM | {"properties": {"year": "long ago"}}
    assert api.client.post("/v1/items", json=wrong).status_code == 422
    assert api.client.post("/v1/items/batch", json={"items": [FILM, wrong | {"item_id": "f2"}]}).status_code == 422
    assert api.store.items.get("f1") is None


def test_a_batch_puts_all(api: Api):
    answer = api.client.post("/v1/items/batch", json={"items": [FILM, {"item_id": "f2"}]})
    assert [item["item_id"] for item in answer.json()["items"]] == ["f1", "f2"]


def test_the_catalogue_is_read_page_by_page(api: Api):
    api.client.post("/v1/items/batch", json={"items": [{"item_id": f"i{number}"} for number in range(5)]})
    found, place = [], {}
    while True:
        page = api.client.get("/v1/items", params={"limit": 2, **place}).json()
        found += [item["item_id"] for item in page["items"]]
        if page["next_cursor"] is None:
            break
        place = {"cursor": page["next_cursor"]}
    assert found == ["i0", "i1", "i2", "i3", "i4"]


def test_items_are_searched_by_title_and_pages_belong_to_their_search(api: Api):
    page = api.client.get("/v1/items", params={"query": "a", "limit": 2}).json()
    assert ([item["title"] for item in page["items"]], page["total"]) == (["Alien", "Brazil"], 3)
    following = api.client.get("/v1/items", params={"query": "a", "limit": 2, "cursor": page["next_cursor"]}).json()
    assert ([item["title"] for item in following["items"]], following["next_cursor"]) == (["Casablanca"], None)
    other = api.client.get("/v1/items", params={"query": "b", "cursor": page["next_cursor"]})
    assert other.status_code == 422


def test_an_item_of_the_bundle_alone_is_told_as_it_is_served(api: Api):
    answer = api.client.get("/v1/items/a").json()
    assert (answer["title"], answer["properties"], answer["source"]) == ("Alien", {"genres": "Drama"}, "bundle")


def test_an_item_of_the_bundle_alone_may_be_changed_and_deleted(api: Api):
    changed = api.client.patch("/v1/items/a", json={"available": False}).json()
    assert (changed["title"], changed["properties"], changed["available"]) == ("Alien", {"genres": "Drama"}, False)
    assert api.client.delete("/v1/items/b").status_code == 204
    assert api.store.items.get("b").deleted_at is not None
    assert api.client.get("/v1/items/b").status_code == 404
    assert api.client.delete("/v1/items/none").status_code == 404


def test_similar_items(api: Api):
    answer = api.client.get("/v1/items/a/similar", params={"k": 2, "by": "content"}).json()
    assert (answer["by"], len(answer["items"])) == ("content", 2)
    assert api.client.get("/v1/items/none/similar").status_code == 404


def test_what_users_did_with_an_item_is_counted_over_time(api: Api):
    for user, day, value in (("anna", "2026-01-05", 4), ("ben", "2026-01-31", 5), ("ben", "2026-02-01", None)):
        body = {"user_id": user, "item_id": "a", "type": "rating", "value": value, "occurred_at": f"{day}T23:30:00Z"}
        assert api.client.post("/v1/interactions", json=body).status_code == 201
    answer = api.client.get("/v1/items/a/activity", params={"per": "month"}).json()
    assert answer == {
        "item_id": "a",
        "per": "month",
        "periods": [
            {"start": "2026-01-01", "type": "rating", "num_interactions": 2, "mean_value": 4.5},
            {"start": "2026-02-01", "type": "rating", "num_interactions": 1, "mean_value": None},
        ],
    }
    assert api.client.get("/v1/items/b/activity").json()["periods"] == []
    assert api.client.get("/v1/items/none/activity").status_code == 404


def test_columns_come_with_what_is_found_and_what_is_similar(api: Api):
    place = {"metadata": ["genres", "year"]}
    found = api.client.get("/v1/items", params={"query": "alien", **place}).json()["items"][0]
    similar = api.client.get("/v1/items/a/similar", params=place).json()["items"][0]
    assert found["metadata"] == similar["metadata"] == {"genres": "Drama", "year": "Drama"}
