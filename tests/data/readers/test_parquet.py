from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.data.readers.parquet import parquet_batches, parquet_columns, read_parquet
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError


def _write(tmp_path: Path, table: pa.Table) -> RawFile:
    pq.write_table(table, tmp_path / "data.parquet")
    return RawFile(tmp_path / "data.parquet")


def test_reads_columns_in_the_wanted_order(tmp_path: Path) -> None:
    file = _write(tmp_path, pa.table({"a": [1, 2], "b": ["x", "x"], "c": [0.5, 1]}))
    assert parquet_columns(file) == ["a", "b", "c"]
    assert read_parquet(file).column_names == ["a", "b", "c"]
    table = read_parquet(file, ["c", "b"], as_dictionary=["b"])
    assert table.column_names == ["c", "b"]
    assert pa.types.is_dictionary(table["b"].type)


def test_lists_are_no_dictionaries(tmp_path: Path) -> None:
    file = _write(tmp_path, pa.table({"a": [["x"], ["y", "z"]], "b": ["x", "x"]}))
    table = read_parquet(file, ["a", "b"], as_dictionary=["a", "b"])
    assert pa.types.is_list(table["a"].type) and pa.types.is_dictionary(table["b"].type)


def test_missing_columns_are_named(tmp_path: Path) -> None:
    file = _write(tmp_path, pa.table({"a": [1]}))
    with pytest.raises(DataError, match="must have the column 'b', but its columns are 'a'"):
        read_parquet(file, ["a", "b"])


def test_a_table_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"data\.parquet has no rows"):
        read_parquet(_write(tmp_path, pa.table({"a": pa.array([], pa.int64())})))


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "data.parquet").write_bytes(content)
    with pytest.raises(DataError, match=r"data\.parquet is no Parquet file, or an incomplete one"):
        read_parquet(RawFile(tmp_path / "data.parquet"))


def test_a_damaged_file_is_refused(tmp_path: Path) -> None:
    file = _write(tmp_path, pa.table({"a": list(range(10_000))}))
    content = bytearray(file.path.read_bytes())
    content[4:5000] = bytes(4996)
    file.path.write_bytes(content)
    with pytest.raises(DataError, match=r"data\.parquet is a damaged Parquet file"):
        read_parquet(file)


def test_values_that_no_dictionary_has_are_refused_in_both_ways_of_reading(tmp_path: Path) -> None:
    table = pa.table({"user_id": [f"u{number % 5}" for number in range(1000)]})
    path = tmp_path / "data.parquet"
    pq.write_table(table, path, compression="none")
    column = pq.read_metadata(path).row_group(0).column(0)
    end = column.dictionary_page_offset + column.total_compressed_size
    content = bytearray(path.read_bytes())
    content[end - 100 : end] = b"\xff" * 100  # indices of three bits: 7, where there are five values
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"data\.parquet is a damaged Parquet file"):
        read_parquet(RawFile(path), as_dictionary=["user_id"])
    with pytest.raises(DataError, match=r"data\.parquet is a damaged Parquet file"):
        list(parquet_batches(RawFile(path), table.schema, 100))


def test_text_that_is_not_utf_8_is_refused_in_both_ways_of_reading(tmp_path: Path) -> None:
    bytes_ = pa.array([b"u", b"\xff"], pa.binary())
    table = pa.table({"user_id": pa.Array.from_buffers(pa.string(), 2, bytes_.buffers())})
    file = _write(tmp_path, table)
    with pytest.raises(DataError, match=r"damaged Parquet file: .*UTF8"):
        read_parquet(file)
    with pytest.raises(DataError, match=r"damaged Parquet file: .*UTF8"):
        list(parquet_batches(file, table.schema, 100))
