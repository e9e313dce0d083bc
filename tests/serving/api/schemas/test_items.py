from recsys_serving.api.schemas.items import ItemBody, catalogue_item


def test_the_store_and_the_recommender_are_told_the_same():
    draft = ItemBody(item_id="f1", title="Film", properties={"year": 1945}, available=False).to_draft("f1")
    told = catalogue_item(draft)
    assert (told.item_id, told.title, told.properties, told.available) == ("f1", "Film", {"year": 1945}, False)
