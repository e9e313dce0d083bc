from uuid import UUID

import pandas as pd
import pyarrow as pa
import pytest

from recsys.api.written_ids import with_text_ids, with_whole_ids


@pytest.mark.parametrize(
    ("ids", "text"),
    [
        ([1, "2", None], ["1", "2", None]),
        ([UUID(int=1), UUID(int=2), None], [str(UUID(int=1)), str(UUID(int=2)), None]),
    ],
)
def test_ids_of_several_types_are_text(ids, text):
    table = pd.DataFrame({"user_id": pd.Series(ids, dtype=object), "item_id": ["a", "b", "c"]})
    found = with_text_ids(table, ["user_id", "item_id", "nothing"])["user_id"]
    assert found.dropna().tolist() == [one for one in text if one is not None] and found.isna().tolist()[-1]
    assert table["user_id"].tolist() == ids  # the user's table stays as it is


@pytest.mark.parametrize("ids", [[1, 2.5, "x"], [b"a", 1], [1, 2, 3], ["a", "b"]])
def test_other_columns_stay_as_they_are(ids):
    table = pd.DataFrame({"user_id": pd.Series(ids, dtype=object)})
    assert with_text_ids(table, ["user_id"])["user_id"].tolist() == ids


def test_tables_of_other_libraries_stay_as_they_are():
    table = pa.table({"user_id": [1]})
    assert with_text_ids(table, ["user_id"]) is table


def test_whole_numbers_that_missing_ones_made_fractions_are_whole_again():
    table = with_whole_ids(
        pa.table({"user_id": pa.array([1.0, float("nan"), None]), "age": [1.0, 2.0, 3.0]}), ["user_id"]
    )
    assert table.column("user_id").to_pylist() == [1, None, None]
    assert table.schema.types == [pa.int64(), pa.float64()] and table.column_names == ["user_id", "age"]


@pytest.mark.parametrize("ids", [[1.5], [2.0**60], [float("inf")]])
def test_fractions_stay_fractions(ids):
    table = pa.table({"user_id": ids})
    assert with_whole_ids(table, ["user_id"]).column("user_id").type == pa.float64()
