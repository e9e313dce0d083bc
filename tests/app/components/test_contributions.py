from app.components.contributions import bars_html, parts_of, table_of

SPLIT = {
    "contributions": [
        {"item_id": "a", "title": "Alien <1>", "value": 0.5, "shared": ["Horror", "the 1970s"]},
        {"item_id": "b", "title": "Brazil", "value": 0.25, "shared": []},
    ],
    "num_older": 1200,
    "older_value": 0.125,
    "rest": -0.0625,
    "popularity": None,
}
POPULAR = {
    "contributions": [{"item_id": "a", "title": "Alien", "value": None, "shared": ["Horror"]}],
    "num_older": 0,
    "older_value": 0.0,
    "rest": None,
    "popularity": 1583,
}


def test_parts_add_up_to_the_score():
    parts = parts_of(SPLIT)
    assert sum(part.value for part in parts) == 0.8125
    assert [part.is_item for part in parts] == [True, True, False, False]
    assert "1,200 older" in parts[2].name


def test_bars_are_as_long_as_their_share_of_the_largest_and_escaped():
    written = bars_html(parts_of(SPLIT))
    assert "Alien &lt;1&gt;" in written
    assert [f"width: {share}%" in written for share in (100, 50, 25, 12)] == [True] * 4


def test_parts_without_values_are_only_tabled():
    parts = parts_of(POPULAR)
    assert bars_html(parts) == ""
    table = table_of(parts)
    assert list(table["Adds to the score"]) == ["", ""] and "1,583" in table["Because of"][1]
    assert list(table["In common"]) == ["Horror", "–"]


def test_a_rest_that_is_rounding_is_left_out():
    assert len(parts_of(SPLIT | {"rest": 1e-12, "num_older": 0})) == 2
