from tests.serving.api.conftest import Api


def test_the_catalogue_tells_its_columns(api: Api):
    answer = api.client.get("/v1/catalogue").json()
    assert (answer["bundle"], answer["num_items"], answer["diversity_column"]) == ("first", 3, "genres")
    assert [(one["name"], one["kind"]) for one in answer["columns"]] == [("genres", "category"), ("year", "number")]


def test_reading_it_wants_a_key(api: Api):
    assert api.client.get("/v1/catalogue", headers={"Authorization": ""}).status_code == 401
