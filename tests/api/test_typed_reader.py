import pandas as pd
import pytest

from recsys.api.typed_reader import TypedReader
from recsys.data.id_types import IdTypes, noted_id_types
from recsys.data.preparing import Preparation
from recsys.errors import DataError


def reader(user, item, columns=None):
    return TypedReader.of({"interactions": pd.DataFrame({"user_id": user, "item_id": item})}, columns, name="small")


def test_the_types_of_the_ids_stay_with_the_prepared_data(tmp_path):
    prepared = Preparation().prepare(reader([3, 4], ["a", "b"]), tmp_path / "prepared")
    assert noted_id_types(prepared.schema) == IdTypes("int64", "str")
    assert prepared.user_vocabulary.ids.to_pylist() == ["3", "4"]


def test_other_types_are_other_data():
    assert reader([3], ["a"]).fingerprint() != reader(["3"], ["a"]).fingerprint()


def test_named_columns():
    table = pd.DataFrame({"who": pd.Series([3, 4], dtype="int32"), "what": ["a", "b"]})
    made = TypedReader.of({"interactions": table}, {"user": "who", "item": "what"}, name="small")
    assert made.name == "small" and made.id_types == IdTypes("int32", "str")
    assert made.read().interactions.column_names[:2] == ["user_id", "item_id"]


def test_a_missing_column_is_said_by_the_reader():
    with pytest.raises(DataError, match="must have the column 'user_id'"):
        TypedReader.of({"interactions": pd.DataFrame({"who": [1], "item_id": [2]})}, None, name="small").read()
