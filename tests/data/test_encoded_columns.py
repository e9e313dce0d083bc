import numpy as np
import pyarrow as pa
import pytest

from recsys.data.encoded_columns import EncodedColumn, encode_table, read_columns, write_columns
from recsys.data.raw import FeatureKind
from recsys.errors import DataError

CITY = EncodedColumn("city", FeatureKind.CATEGORICAL, None, ("Bonn", "Ulm"))
TAGS = EncodedColumn("tags", FeatureKind.MULTI_VALUED, "|", ("a", "b", "c"))
LISTS = EncodedColumn("lists", FeatureKind.MULTI_VALUED, None, ("a", "b", "c"))
TITLE = EncodedColumn("title", FeatureKind.TEXT, None, ("sea", "the"))
AGE = EncodedColumn("age", FeatureKind.NUMBER, None, None)
JOINED = EncodedColumn("joined", FeatureKind.NUMBER, None, None, is_date=True)
COLUMNS = (CITY, TAGS, LISTS, TITLE, AGE)


def test_values_are_their_places_in_the_vocabulary():
    table = pa.table(
        {
            "city": ["Ulm", "Kiel", None],
            "tags": ["c|x|a", "", None],
            "lists": [["b"], ["x"], ["a", "b", "c"]],
            "title": ["The sea, the SEA!", None, "lake"],
            "age": [3, None, 5],
        }
    )
    found = encode_table(COLUMNS, table)
    assert found["city"].tolist() == [[1], [-1], [-1]]
    assert found["tags"].tolist() == [[2, 0], [-1, -1], [-1, -1]]
    assert found["lists"].tolist() == [[1, -1, -1], [-1, -1, -1], [0, 1, 2]]
    assert found["title"].tolist() == [[1, 0, 1, 0], [-1] * 4, [-1] * 4]
    np.testing.assert_array_equal(found["age"], np.array([3, np.nan, 5], dtype=np.float32))
    assert found["age"].dtype == np.float32 and found["city"].dtype == np.int64


def test_a_column_that_the_table_lacks_is_missing():
    found = encode_table(COLUMNS, pa.table({"other": [1, 2]}))
    for column in COLUMNS:
        np.testing.assert_array_equal(found[column.name], column.missing(2))
    assert found["tags"].tolist() == [[-1], [-1]] and np.isnan(found["age"]).tolist() == [True, True]


def test_no_rows_are_none():
    found = encode_table(COLUMNS, pa.table({"city": pa.array([], pa.string()), "tags": pa.array([], pa.string())}))
    assert {name: len(values) for name, values in found.items()} == dict.fromkeys((of.name for of in COLUMNS), 0)


@pytest.mark.parametrize(
    ("column", "values"), [(AGE, ["old"]), (LISTS, ["a"]), (TITLE, [["sea"]])], ids=["number", "list", "text"]
)
def test_a_column_of_another_type_is_refused(column, values):
    with pytest.raises(DataError, match=f"The column {column.name} must be as in training, {column.kind.value}"):
        column.encode(pa.chunked_array([values]))


def test_columns_are_kept_as_they_are(tmp_path):
    write_columns((*COLUMNS, JOINED), tmp_path / "columns.json")
    assert tuple(read_columns(tmp_path / "columns.json")) == (*COLUMNS, JOINED)
    assert (tmp_path / "columns.json").read_text(encoding="utf-8").count("is_date") == 1  # as bundles of before
