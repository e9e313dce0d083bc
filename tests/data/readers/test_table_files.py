from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.data.readers.table_files import ColumnNames, read_entities, read_interactions
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError


def write(tmp_path: Path, name: str, content: str) -> RawFile:
    (tmp_path / name).write_text(content, encoding="utf-8")
    return RawFile(tmp_path / name)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", "user_id,item_id,rating,timestamp\n007,b,3.5,10\n"),
        ("a.TSV", "user_id\titem_id\trating\ttimestamp\n007\tb\t3.5\t10\n"),
        ("a.jsonl", '{"user_id": "007", "item_id": "b", "rating": 3.5, "timestamp": 10}\n'),
    ],
)
def test_the_name_tells_the_format(tmp_path: Path, name: str, content: str) -> None:
    table = read_interactions(write(tmp_path, name, content), ColumnNames()).table
    assert table.to_pylist() == [{"user_id": "007", "item_id": "b", "rating": 3.5, "timestamp": 10}]
    assert (table["rating"].type, table["timestamp"].type) == (pa.float32(), pa.int64())


def test_parquet_files_may_end_in_pq(tmp_path: Path) -> None:
    pq.write_table(pa.table({"user_id": [7], "item_id": ["b"], "rating": ["4"]}), tmp_path / "a.pq")
    table = read_interactions(RawFile(tmp_path / "a.pq"), ColumnNames()).table
    assert table.to_pylist() == [{"user_id": "7", "item_id": "b", "rating": 4.0}]


@pytest.mark.parametrize("name", ["a", "a.xlsx", "a.parquet.gz"])
def test_other_formats_are_refused(tmp_path: Path, name: str) -> None:
    message = r"must be \.csv, .* \.jsonl \(each also with \.gz\) or \.parquet, but has another ending"
    with pytest.raises(DataError, match=message):
        read_interactions(write(tmp_path, name, "x"), ColumnNames())


def test_text_columns_are_typed_by_all_their_values(tmp_path: Path) -> None:
    content = "item_id,year,price,code,note\n1,1994,2.5,007,\n2,,3,12,\n"
    table = read_entities(write(tmp_path, "items.csv", content), "item_id", "item_id").table
    assert table.to_pydict() == {
        "item_id": ["1", "2"],
        "year": [1994, None],
        "price": [2.5, 3.0],
        "code": ["007", "12"],  # a leading zero: not a number
        "note": [None, None],
    }


def test_the_id_column_gets_the_name_of_its_role(tmp_path: Path) -> None:
    content = '{"isbn": 7, "tags": ["a"]}\n{"isbn": 8}\n'
    table = read_entities(write(tmp_path, "items.json", content), "isbn", "item_id").table
    assert table.to_pylist() == [{"item_id": "7", "tags": ["a"]}, {"item_id": "8", "tags": None}]


def test_parquet_columns_become_plain_types(tmp_path: Path) -> None:
    colours = pa.array(["red", "red"]).dictionary_encode()
    tags = pa.array([["a"], None], pa.large_list(pa.large_string()))
    pq.write_table(pa.table({"item_id": ["1", "2"], "colour": colours, "tags": tags}), tmp_path / "a.parquet")
    table = read_entities(RawFile(tmp_path / "a.parquet"), "item_id", "item_id").table
    assert table.schema.field("colour").type == pa.string()
    assert table.schema.field("tags").type == pa.list_(pa.string())


@pytest.mark.parametrize(
    ("content", "id_name", "message"),
    [
        ("code,x\n1,2\n", "isbn", r"must have the column 'isbn', .* Rename its column of ids"),
        ("isbn,item_id\n1,2\n", "isbn", "has a column 'item_id' beside the ids in 'isbn'. Rename or remove it"),
        ("item_id,x,x\n1,2,3\n", "item_id", "more than one column named 'x'"),
    ],
)
def test_the_id_column_must_be_clear(tmp_path: Path, content: str, id_name: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_entities(write(tmp_path, "items.csv", content), id_name, "item_id")


@pytest.mark.parametrize("value", ["1000000000000000000000000000000", '"\\ud800"', '{"a": ["\\ud800"]}'])
def test_a_json_value_that_no_column_can_hold_is_refused(tmp_path: Path, value: str) -> None:
    content = f'[{{"item_id": "1", "size": {value}}}]'
    with pytest.raises(DataError, match="field 'size' must be of one type, and hold no text or number beyond it"):
        read_entities(write(tmp_path, "items.json", content), "item_id", "item_id")


def test_a_json_field_of_mixed_types_is_refused(tmp_path: Path) -> None:
    content = '{"item_id": "1", "year": 1994}\n{"item_id": "2", "year": "unknown"}\n'
    with pytest.raises(DataError, match="field 'year' must be of one type"):
        read_entities(write(tmp_path, "items.json", content), "item_id", "item_id")
