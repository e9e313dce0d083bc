import numpy as np
import pyarrow as pa
import pytest

from recsys.errors import RequestError
from recsys.runtime.item_values import known_values, with_values

IDS = ["a", "b", "c"]
TABLE = pa.table(
    {
        "item_id": IDS,
        "in_stock": [True, None, False],
        "price": [1.5, 2.5, None],
        "tags": pa.array(["x", "y", "x"]).dictionary_encode(),
        "genres": [["Drama"], [], None],
    }
)


def items_of(ids):
    return np.array([IDS.index(one) if one in IDS else -1 for one in ids], dtype=np.int64)


def changed(values):
    return with_values(TABLE, values, items_of).to_pydict()


def test_named_items_have_other_values_and_the_others_keep_theirs():
    found = changed({"in_stock": {"c": True, "a": np.False_}, "price": {"b": None, "c": 3}, "tags": {"b": "new"}})
    assert found["in_stock"] == [False, None, True]
    assert found["price"] == [1.5, None, 3.0]
    assert found["tags"] == ["x", "new", "x"]
    assert changed({"genres": {"b": ["War", "Drama"]}})["genres"] == [["Drama"], ["War", "Drama"], None]
    assert TABLE.column("in_stock").to_pylist() == [True, None, False]


def test_a_column_that_is_not_there_is_new():
    found = with_values(TABLE, {"discontinued": {"b": True}}, items_of)
    assert found.column_names == [*TABLE.column_names, "discontinued"]
    assert found.column("discontinued").to_pylist() == [None, True, None]


def test_nothing_changes_nothing():
    assert with_values(TABLE, {}, items_of).equals(TABLE)
    assert with_values(TABLE, {"price": {}}, items_of).equals(TABLE)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"in_stock": {"a": True, "z": False}}, "Items that are known are required, but z are not"),
        ({"in_stock": {"a": "yes"}}, "New values of in_stock must be of the type bool"),
        ({"price": {"a": [1]}}, "New values of price must be of the type double"),
        ({"price": {"a": 10**400}}, "New values of price must be of the type double"),
        ({"colour": {"a": 1, "b": "red"}}, "New values of colour must be of one type"),
        ({"item_id": {"a": "b"}}, "by column and by item id"),
        ({"in_stock": [True]}, "by column and by item id"),
        ({7: {"a": True}}, "by column and by item id"),
        ([("in_stock", {})], "by column and by item id"),
    ],
)
def test_values_that_do_not_fit_are_refused(values, message):
    with pytest.raises(RequestError, match=message):
        with_values(TABLE, values, items_of)


def test_of_others_items_nothing_is_kept():
    values = {"in_stock": {"a": True, "z": False}, "price": {"z": 1.0}}
    assert known_values(values, items_of) == {"in_stock": {"a": True}}
