from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.data.readers.parquet import parquet_columns, read_parquet
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
