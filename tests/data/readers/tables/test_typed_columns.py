from __future__ import annotations

import pyarrow as pa
import pytest

from recsys.data.readers.tables.typed_columns import plain_column, typed_entities, typed_interactions
from recsys.errors import DataError

ID_TYPE = pa.dictionary(pa.int32(), pa.string())


def test_interactions_get_the_framework_s_names_and_types() -> None:
    table = pa.table(
        {"who": [7, 8], "what": ["a", "b"], "stars": ["4", ""], "when": ["1970-01-02", "5"], "note": [1, 2]}
    )
    wanted = {"user_id": "who", "item_id": "what", "rating": "stars"}
    typed = typed_interactions(table, wanted, "shop").table
    assert typed.to_pylist() == [
        {"user_id": "7", "item_id": "a", "rating": 4.0},
        {"user_id": "8", "item_id": "b", "rating": None},
    ]
    assert typed.schema.types == [ID_TYPE, ID_TYPE, pa.float32()]


def test_times_become_seconds() -> None:
    table = pa.table({"u": ["a"], "i": ["b"], "t": pa.array([86_400_000], pa.timestamp("ms"))})
    read = typed_interactions(table, {"user_id": "u", "item_id": "i", "timestamp": "t"}, "shop")
    assert read.table["timestamp"].to_pylist() == [86_400] and read.notes == ()


def test_the_order_of_dates_is_noted_or_said() -> None:
    names = {"user_id": "u", "item_id": "i", "timestamp": "t"}
    table = pa.table({"u": ["a", "b"], "i": ["c", "d"], "t": ["2/1/1970", "31/1/1970"]})
    told = typed_interactions(table, names, "shop")
    assert told.table["timestamp"].to_pylist() == [86_400, 30 * 86_400]
    assert told.notes == ("t is read as dates, the day first",)
    said = typed_interactions(pa.table({"u": ["a"], "i": ["c"], "t": ["1/2/1970"]}), names, "shop", day_first=False)
    assert said.table["timestamp"].to_pylist() == [86_400]


def test_entities_keep_their_columns_under_the_id_s_role() -> None:
    columns = {"price": pa.chunked_array([[1.5]]), "sku": pa.chunked_array([[12]])}
    assert typed_entities(columns, "sku", "item_id", "shop").to_pylist() == [{"item_id": "12", "price": 1.5}]
    with pytest.raises(DataError, match="shop: the ids in column 'price' must be text or whole numbers"):
        typed_entities(columns, "price", "item_id", "shop")


@pytest.mark.parametrize(
    ("type_", "plain"),
    [
        (pa.large_string(), pa.string()),
        (pa.dictionary(pa.int8(), pa.large_string()), pa.string()),
        (pa.large_list(pa.large_string()), pa.list_(pa.string())),
        (pa.list_(pa.string(), 1), pa.list_(pa.string())),
        (pa.timestamp("ms"), pa.timestamp("ms")),
    ],
)
def test_types_become_plain(type_: pa.DataType, plain: pa.DataType) -> None:
    values: list[object] = [["a"] if pa.types.is_nested(type_) else 1 if pa.types.is_timestamp(type_) else "a"]
    values = ["a"] if pa.types.is_dictionary(type_) else values
    column = pa.chunked_array([pa.array(values, type_)])
    assert plain_column(column).type == plain
    assert plain_column(column).to_pylist() == column.to_pylist()
