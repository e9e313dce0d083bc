from __future__ import annotations

import pyarrow as pa
import pytest

from recsys.data.raw import FeatureColumn, FeatureKind
from recsys.data.readers.tables.assembly import assemble, check_parts
from recsys.data.readers.tables.column_names import ColumnNames
from recsys.data.readers.tables.memory_tables import MemoryTable
from recsys.errors import DataError, SourceError


def _table(place: str, **columns: list[object]) -> MemoryTable:
    return MemoryTable(pa.table(columns), place)


SALES = _table("sales", user_id=["u", "v"], item_id=["a", "b"])


def test_tables_are_put_together() -> None:
    tables = {
        "interactions": SALES,
        "users": _table("people", user_id=["u"], age=[30]),
        "items": _table("shop", item_id=["a"], label=["A"], price=[2.5]),
    }
    raw = assemble("shop", tables, ColumnNames(title="label"))
    assert raw.name == "shop"
    assert raw.interactions.to_pylist() == [{"user_id": "u", "item_id": "a"}, {"user_id": "v", "item_id": "b"}]
    assert raw.users is not None and raw.users.to_pylist() == [{"user_id": "u", "age": 30}]
    assert raw.items is not None and raw.items.to_pylist() == [{"item_id": "a", "title": "A", "price": 2.5}]
    assert raw.item_features == (
        FeatureColumn("title", FeatureKind.TEXT),
        FeatureColumn("price", FeatureKind.NUMBER),
    )


def test_a_split_carries_its_folds() -> None:
    tables = {"test": _table("new", user_id=["w"], item_id=["a"]), "train": SALES}
    folds = assemble("shop", tables, ColumnNames()).interactions["fold"].to_pylist()
    assert folds == ["train", "train", "test"]


def test_parts_must_be_all_interactions_or_a_split() -> None:
    check_parts({"interactions": SALES, "items": SALES})
    check_parts({"train": SALES, "test": SALES})
    with pytest.raises(SourceError, match=r"Given: train, valid\."):
        check_parts({"train": SALES, "valid": SALES})


def test_a_part_that_lacks_a_column_is_named() -> None:
    tables = {"train": _table("old", user_id=["u"], item_id=["a"], stars=[4]), "test": SALES}
    # the column is required under the name that the user gave
    with pytest.raises(DataError, match=r"sales must have the column 'stars'"):
        assemble("shop", tables, ColumnNames(rating="stars"))
    tables = {"train": _table("old", user_id=["u"], item_id=["a"], rating=[4]), "test": SALES}
    with pytest.raises(DataError, match=r"sales has no column 'rating', which old has for 1 rows\. Add it to"):
        assemble("shop", tables, ColumnNames())


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("label", r"shop must have the titles in the column 'label' .* but its columns are 'item_id', 'name', 'title'"),
        ("name", r"but it has 'title' as well"),
    ],
)
def test_titles_are_in_one_column(name: str, message: str) -> None:
    tables = {"interactions": SALES, "items": _table("shop", item_id=["a"], name=["A"], title=["B"])}
    with pytest.raises(DataError, match=message):
        assemble("shop", tables, ColumnNames(title=name))
    raw = assemble("shop", tables, ColumnNames(title=None))
    assert raw.items is not None and raw.items.column_names == ["item_id", "name"]


def test_titles_are_no_lists() -> None:
    tables = {"interactions": SALES, "items": _table("shop", item_id=["a"], title=[["A"]])}
    with pytest.raises(DataError, match=r"shop must have text in the column 'title', .* data\.columns\.title=null"):
        assemble("shop", tables, ColumnNames())


def test_features_of_a_table_that_is_not_there_are_refused() -> None:
    with pytest.raises(DataError, match=r"data\.user_features declares age, but there is no data\.users"):
        assemble("shop", {"interactions": SALES}, ColumnNames(), user_features={"age": "number"})
