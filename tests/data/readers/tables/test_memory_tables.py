from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from recsys.data.raw import FeatureColumn, FeatureKind, Reader
from recsys.data.readers.tables.memory_tables import MemoryTableReader, as_arrow
from recsys.errors import DataError, SourceError

COLUMNS = {"user_id": [7, 8], "item_id": ["a", "b"], "rating": [4.5, 3.0], "timestamp": [20, 10]}
ROWS = [
    {"user_id": "7", "item_id": "a", "rating": 4.5, "timestamp": 20},
    {"user_id": "8", "item_id": "b", "rating": 3.0, "timestamp": 10},
]


class _Exporting:
    """What any data frame library offers."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self._table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "table",
    [
        COLUMNS,
        pa.table(COLUMNS),
        pa.record_batch(COLUMNS),
        pd.DataFrame(COLUMNS),
        pd.DataFrame(COLUMNS).set_index("user_id"),
        pd.DataFrame(COLUMNS, index=[5, 3]),
        pd.DataFrame(COLUMNS).astype({"item_id": "category"}),
        _Exporting(pa.table(COLUMNS)),
    ],
    ids=["mapping", "arrow", "batch", "pandas", "index", "rows", "category", "exporting"],
)
def test_every_kind_of_table_gives_the_same_interactions(table: object) -> None:
    raw = MemoryTableReader(interactions=table).read()
    by_name = raw.interactions.select(["user_id", "item_id", "rating", "timestamp"])
    assert by_name.to_pylist() == ROWS
    assert [(source.name, source.origin) for source in raw.sources] == [("interactions", "memory")]


def test_it_is_a_reader() -> None:
    assert isinstance(MemoryTableReader(COLUMNS), Reader)


def test_columns_and_features_are_as_for_files() -> None:
    sales = pd.DataFrame({"customer": ["u"], "sku": [1], "bought": pd.to_datetime(["1970-01-02"])})
    shop = pd.DataFrame({"sku": [1], "name": ["Tea"], "tags": [["hot", "cheap"]], "price": [2.5]})
    columns = {"user": "customer", "item": "sku", "timestamp": "bought", "title": "name"}
    raw = MemoryTableReader(sales, items=shop, columns=columns, item_features={"tags": "multi_valued"}).read()
    assert raw.interactions.to_pylist() == [{"user_id": "u", "item_id": "1", "timestamp": 86_400}]
    assert raw.items is not None
    assert raw.items.to_pylist() == [{"item_id": "1", "title": "Tea", "tags": ["hot", "cheap"], "price": 2.5}]
    assert raw.item_features == (FeatureColumn("tags", FeatureKind.MULTI_VALUED),)


def test_the_fingerprint_is_that_of_the_contents() -> None:
    first = MemoryTableReader(pd.DataFrame(COLUMNS)).fingerprint()
    assert json.loads(json.dumps(first)) == first
    assert MemoryTableReader(pd.DataFrame(COLUMNS)).fingerprint() == first
    assert MemoryTableReader(pd.DataFrame(COLUMNS), columns={"rating": None}).fingerprint() != first
    assert MemoryTableReader(pd.DataFrame(COLUMNS | {"user_id": [7, 9]})).fingerprint() != first


def test_interactions_are_needed() -> None:
    with pytest.raises(SourceError, match="needs the interactions"):
        MemoryTableReader(items=COLUMNS).read()


def test_strings_in_arrow_s_newer_form_are_taken() -> None:
    table = pa.table({"user_id": pa.array(["u"], pa.string_view()), "item_id": ["i"]})
    assert MemoryTableReader(table).read().interactions.to_pylist() == [{"user_id": "u", "item_id": "i"}]


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (3, r"The sales must be a data frame of pandas or polars, an Arrow table or .* of type int"),
        (pd.DataFrame({"user_id": ["u", 3]}), r"The sales cannot be converted to Arrow: .*user_id.* Make each column"),
        ({"user_id": [1], "item_id": [1, 2]}, r"The sales cannot be converted to Arrow"),
        (pd.DataFrame(COLUMNS).iloc[:0], r"The sales has no rows"),
        (pa.table([[1], [2]], names=["a", "a"]), r"The sales has more than one column named 'a'"),
    ],
)
def test_what_is_no_table_is_refused(table: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        as_arrow(table, "The sales")
