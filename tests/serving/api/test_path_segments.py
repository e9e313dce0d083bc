import pytest
from recsys_serving.api.path_segments import as_segment, segment_text

from tests.serving.api.conftest import Api

IDS = ["a/b", "...", "%2F", "a b", "ä", "a?b#c", "a%00b"[:3], "\U0001f3ac", "//"]


@pytest.mark.parametrize("item_id", IDS, ids=[as_segment(one) for one in IDS])
def test_an_id_of_any_kind_is_found_at_its_location(api: Api, item_id: str):
    made = api.client.post("/v1/items", json={"item_id": item_id, "title": "Odd"})
    assert made.status_code == 201
    assert api.client.get(made.headers["Location"]).json()["item_id"] == item_id


def test_a_segment_is_the_text_that_it_was_made_of():
    assert segment_text("a\0b") == "a/b"


@pytest.mark.parametrize("path", ["/v1/items/%00", "/v1/items/%FF"], ids=["nul", "no-utf8"])
def test_a_path_that_no_id_has_is_refused(api: Api, path: str):
    answer = api.client.get(path)
    assert answer.status_code == 400
    assert "percent-encoded UTF-8" in answer.json()["detail"]
