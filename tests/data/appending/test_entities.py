import pyarrow as pa
import pytest

from recsys.data.appending.entities import grown_table
from recsys.data.preparation.catalogue import EntityTable
from recsys.data.vocabulary import Vocabulary
from recsys.errors import DataError

THERE = pa.table(
    {
        "item_index": pa.array([0, 1], pa.int32()),
        "item_id": ["a", "b"],
        "tags": pa.array([["x"], None], pa.list_(pa.string())),
        "price": [1.5, 2.5],
    }
)
VOCABULARY = Vocabulary(pa.array(["a", "b", "c"]), "item_id")


def grown(table: pa.Table | None) -> list[dict[str, object]]:
    return grown_table(THERE, EntityTable.check(table, "item_id", ()), VOCABULARY).to_pylist()


def test_without_a_table_new_rows_are_empty():
    assert grown(None)[2] == {"item_index": 2, "item_id": "c", "tags": None, "price": None}
    assert grown(None)[:2] == THERE.to_pylist()


def test_a_row_takes_the_place_of_the_earlier_one_as_a_whole():
    table = pa.table({"item_id": ["c", "a"], "tags": [["y", "z"], None], "price": [7, 8], "more": [0, 0]})
    assert grown(table) == [
        {"item_index": 0, "item_id": "a", "tags": None, "price": 8.0},
        {"item_index": 1, "item_id": "b", "tags": None, "price": 2.5},
        {"item_index": 2, "item_id": "c", "tags": ["y", "z"], "price": 7.0},
    ]


def test_a_column_that_lacks_or_has_another_type_is_told():
    with pytest.raises(DataError, match="must have the column tags, as it had before"):
        grown(pa.table({"item_id": ["c"], "price": [7]}))
    with pytest.raises(DataError, match="price of the items table must be of type double, as it was before"):
        grown(pa.table({"item_id": ["c"], "tags": [["y"]], "price": ["cheap"]}))
