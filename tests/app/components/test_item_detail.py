from app.components.item_detail import properties_table, values_by_column

GENRES = {"name": "genres", "multiple": True, "values": [{"value": "Drama"}, {"value": "War"}]}
YEAR = {"name": "year", "multiple": False, "values": []}


def item(genres):
    return {"item_id": "a", "properties": {"genres": genres, "year": 1990, "note": None}}


def test_several_values_in_one_text_are_taken_apart():
    assert values_by_column(item("Drama|War"), [GENRES, YEAR])["genres"] == ["Drama", "War"]
    assert values_by_column(item(["Drama"]), [GENRES])["genres"] == ["Drama"]
    assert values_by_column(item("Something else"), [GENRES])["genres"] == ["Something else"]


def test_everything_that_is_known_is_in_the_table():
    one = item("Drama|War")
    assert properties_table(one, values_by_column(one, [GENRES])).values.tolist() == [
        ["Id", "a"],
        ["Genres", "Drama, War"],
        ["Year", "1990"],
        ["Note", "–"],
    ]
