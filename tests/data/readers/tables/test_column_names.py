from __future__ import annotations

import pytest

from recsys.data.readers.tables.column_names import ColumnNames, id_column
from recsys.errors import DataError


def test_default_names_of_rating_and_timestamp_may_be_absent() -> None:
    names = ColumnNames()
    assert names.wanted(["item_id", "user_id", "note"], "a.csv") == {"user_id": "user_id", "item_id": "item_id"}
    assert names.wanted(["user_id", "item_id", "rating"], "a.csv")["rating"] == "rating"


def test_names_are_translated_and_columns_left_out() -> None:
    names = ColumnNames(user="who", item="what", rating=None, timestamp="when")
    found = names.wanted(["who", "what", "rating", "when"], "a.csv")
    assert found == {"user_id": "who", "item_id": "what", "timestamp": "when"}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (ColumnNames(user="who"), r"must have the column 'who', but its columns are 'user_id', 'item_id'\. Say which"),
        (ColumnNames(rating="stars"), r"must have the column 'stars', .* with data\.columns\.rating=NAME"),
        (ColumnNames(user="item_id"), r"data\.columns must name each column once"),
    ],
)
def test_names_that_do_not_fit_are_refused(names: ColumnNames, message: str) -> None:
    with pytest.raises(DataError, match=message):
        names.wanted(["user_id", "item_id"], "a.csv")


def test_names_are_parsed_from_settings() -> None:
    assert ColumnNames.parse(None) == ColumnNames()
    parsed = ColumnNames.parse({"user": 0, "item": "sku", "rating": None, "title": 3})
    assert parsed == ColumnNames(user="0", item="sku", rating=None, title="3")
    assert ColumnNames.parse(parsed.as_mapping()) == parsed


@pytest.mark.parametrize("columns", [{"usr": "x"}, {"user": None}, {"item": None}, {"rating": True}, {"user": ["a"]}])
def test_what_is_no_name_is_refused(columns: dict[str, object]) -> None:
    with pytest.raises(DataError, match=r"data\.columns takes user and item, and rating, timestamp, weight and title"):
        ColumnNames.parse(columns)


def test_a_table_of_entities_needs_its_ids_and_no_second_ones() -> None:
    assert id_column(["sku", "id"], "sku", "item_id", "shop.csv") == "sku"
    assert id_column(["id", "item_id"][1:], "sku", "item_id", "shop.csv") == "item_id"
    assert id_column(["price", "id"], "sku", "item_id", "shop.csv") == "id"
    message = (
        r"must have the column 'sku', as the interactions have, or item_id or id, but its columns are 'price'\. Rena"
    )
    with pytest.raises(DataError, match=message):
        id_column(["price"], "sku", "item_id", "shop.csv")
    with pytest.raises(DataError, match=r"shop.csv has a column 'item_id' beside the ids in 'sku'"):
        id_column(["sku", "item_id"], "sku", "item_id", "shop.csv")
