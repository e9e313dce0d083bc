from __future__ import annotations

import pyarrow as pa
import pytest

from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.data.readers.tables.column_names import ColumnNames
from recsys.data.readers.tables.memory_tables import MemoryTable
from recsys.data.readers.tables.table_set import TableSet, plain_declarations
from recsys.errors import SourceError

SALES = MemoryTable(pa.table({"person": ["u", "v"], "item_id": ["a", "b"]}), "sales")
PEOPLE = MemoryTable(pa.table({"person": ["u"], "age": [30]}), "people")
NAMES = ColumnNames.parse({"user": "person"})


def test_tables_are_read_with_what_is_said_of_them() -> None:
    raw = TableSet("shop", {"interactions": SALES, "users": PEOPLE}, NAMES, user_features={"age": "number"}).read()
    assert raw.name == "shop"
    assert raw.interactions["user_id"].to_pylist() == ["u", "v"]
    assert raw.user_features == (FeatureColumn("age", FeatureKind.NUMBER),)


def test_the_arguments_are_all_that_is_said_of_the_tables() -> None:
    said = TableSet("shop", {"interactions": SALES}, NAMES, user_features={"age": "number"}, item_features={})
    assert said.arguments() == {
        "name": "shop",
        "columns": NAMES.as_mapping(),
        "user_features": {"age": "number"},
        "item_features": {},
        "day_first": None,
        "list_separators": {},
    }


def test_there_are_no_arguments_without_interactions() -> None:
    with pytest.raises(SourceError, match=r"Given: none of them"):
        TableSet("shop", {"users": PEOPLE}, NAMES).arguments()


def test_declarations_are_plain_values() -> None:
    assert plain_declarations(None) is None
    assert plain_declarations({"a": "text", "b": {"kind": "number"}}) == {"a": "text", "b": {"kind": "number"}}
