import pyarrow as pa
import pyarrow.compute as pc
import pytest

from recsys.data.id_columns import map_ids
from recsys.data.readers.identifiers import ID_TYPE


def without_a(ids: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(ids, "a"), pa.scalar(None, ids.type), pc.utf8_lower(ids))


@pytest.mark.parametrize("type_", [pa.string(), pa.large_string(), ID_TYPE])
def test_ids_are_changed_in_a_column_of_any_type(type_):
    ids = pa.chunked_array([["a", "B", None], ["b", "a"]], pa.string()).cast(type_)
    changed = map_ids(pa.table({"user_id": ids, "rating": [1, 2, 3, 4, 5]}), "user_id", without_a)
    assert changed["user_id"].to_pylist() == [None, "b", None, "b", None]
    assert changed["user_id"].type == type_ and changed["rating"].to_pylist() == [1, 2, 3, 4, 5]


def test_a_table_without_the_column_stays():
    table = pa.table({"rating": [1]})
    assert map_ids(table, "user_id", without_a) is table
