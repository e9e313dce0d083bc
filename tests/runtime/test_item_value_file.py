from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.errors import DataError, SourceError
from recsys.runtime.item_value_file import read_item_values


def file(tmp_path: Path, text: str, name: str = "stock.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_values_are_by_column_and_id_without_empty_fields(tmp_path: Path):
    path = file(tmp_path, "item_id,in_stock,price\n007,true,2.5\n12,False,\n")
    assert read_item_values(path) == {"in_stock": {"007": True, "12": False}, "price": {"007": 2.5}}


def test_ids_and_values_may_be_in_columns_of_any_name(tmp_path: Path):
    path = file(tmp_path, "article_no;left;shelf\n02045;0;cold\n00511;7;dry\n")
    assert read_item_values(path, "article_no", ["left"]) == {"left": {"02045": 0, "00511": 7}}


def test_the_last_value_of_an_item_counts(tmp_path: Path):
    path = file(tmp_path, '{"item_id": "a", "price": 1.5}\n{"item_id": "a", "price": 2.5}\n', "prices.jsonl")
    assert read_item_values(path) == {"price": {"a": 2.5}}


def test_parquet_keeps_its_types(tmp_path: Path):
    path = tmp_path / "stock.parquet"
    pq.write_table(pa.table({"item_id": ["a", "b"], "in_stock": [True, None], "tags": [["x", "y"], []]}), path)
    assert read_item_values(path) == {"in_stock": {"a": True}, "tags": {"a": ["x", "y"], "b": []}}


def test_a_column_that_is_not_there_is_named(tmp_path: Path):
    path = file(tmp_path, "item_id,in_stock\na,true\n")
    with pytest.raises(DataError, match=r"columns in_stock, price, but price is missing; it has in_stock\."):
        read_item_values(path, columns=["in_stock", "price"])


@pytest.mark.parametrize("text", ["item_id\na\n", "item_id,in_stock\na,\n"])
def test_a_table_without_values_is_refused(tmp_path: Path, text: str):
    with pytest.raises(DataError, match="must have values of items in columns beside item_id, but has none"):
        read_item_values(file(tmp_path, text))


def test_a_file_that_is_not_there_is_told(tmp_path: Path):
    with pytest.raises(SourceError, match=r"stock\.csv"):
        read_item_values(tmp_path / "stock.csv")
