from app.components.text import first_category, heading_of, plain, summary, value_text

COLUMNS = [
    {"name": "year", "kind": "number", "whole": True},
    {"name": "price", "kind": "number", "whole": False},
    {"name": "genres", "kind": "category"},
    {"name": "in_stock", "kind": "boolean"},
    {"name": "link", "kind": "text"},
]


def test_markdown_is_shown_as_it_is():
    assert plain("M*A*S*H [$5] :red") == r"M\*A\*S\*H \[\$5\] \:red"


def test_columns_have_headings():
    assert heading_of("release_date") == "Release date"


def test_values_are_words():
    assert [value_text(one) for one in (None, True, False, 1990, 0.125, ["a", 2])] == [
        "",
        "yes",
        "no",
        "1990",
        "0.125",
        "a, 2",
    ]


def test_a_summary_has_what_is_known_of_an_item():
    item = {"year": 1990, "price": 9.5, "genres": ["a", "b", "c", "d"], "in_stock": True, "link": "http://x"}
    assert summary(item, COLUMNS) == "1990 · Price 9.5 · a, b, c +1 · In stock"
    assert summary({"year": None, "genres": [], "in_stock": False}, COLUMNS) == ""


def test_the_first_category_is_that_of_the_first_column_that_has_one():
    assert first_category({"genres": ["Drama", "War"]}, COLUMNS) == "Drama"
    assert first_category({"genres": "Drama"}, COLUMNS) == "Drama"
    assert first_category({"genres": [], "year": 1990}, COLUMNS) == ""
