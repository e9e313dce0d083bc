import pyarrow as pa

from recsys.data.preparation.written_interactions import as_table, further_columns_of
from tests.data.preparation.made_interactions import make


def test_a_table_has_the_columns_that_the_interactions_have() -> None:
    rows = make([(1, 2), (3, 4)], rating=[1, 2], weight=[5, 6], fold=[0, 2])
    table = as_table(rows)
    assert table.to_pydict() == {
        "user_index": [1, 3],
        "item_index": [2, 4],
        "rating": [1.0, 2.0],
        "weight": [5.0, 6.0],
        "fold": ["train", "test"],
    }
    assert table.schema.field("user_index").type == pa.int32()
    assert further_columns_of(rows) == ("weight",)
