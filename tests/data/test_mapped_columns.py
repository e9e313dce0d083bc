from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from recsys.data.mapped_columns import map_columns, write_columns

COLUMNS = {
    "user_index": np.array([2, 0, 1], dtype=np.int32),
    "timestamp": np.array([30, 10, 20], dtype=np.int64),
    "fold": np.array([0, 2, 1], dtype=np.int8),
}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    path, source = tmp_path / "columns.arrow", tmp_path / "table.parquet"
    pq.write_table(pa.table(COLUMNS), source)
    write_columns(COLUMNS, path, source)
    return path, source


def test_columns_come_back_with_their_types(files: tuple[Path, Path]) -> None:
    found = map_columns(*files)
    assert found is not None and found.keys() == COLUMNS.keys()
    for name, column in COLUMNS.items():
        assert found[name].dtype == column.dtype
        assert np.array_equal(found[name], column)


def test_a_column_is_mapped_and_writing_to_it_leaves_the_file_alone(files: tuple[Path, Path]) -> None:
    found = map_columns(*files)
    assert found is not None and isinstance(found["timestamp"].base, np.memmap)
    found["timestamp"][0] = 99
    again = map_columns(*files)
    assert again is not None and again["timestamp"].tolist() == [30, 10, 20]


def test_a_person_can_read_the_file(files: tuple[Path, Path]) -> None:
    assert feather.read_table(files[0]).to_pydict() == {name: column.tolist() for name, column in COLUMNS.items()}


def test_the_columns_of_another_table_are_passed_over(files: tuple[Path, Path]) -> None:
    path, source = files
    pq.write_table(pa.table(COLUMNS | {"timestamp": np.array([31, 10, 20])}), source)
    assert map_columns(path, source) is None


@pytest.mark.parametrize("content", [None, b"", b"ARROW1 nonsense"], ids=["missing", "empty", "nonsense"])
def test_without_a_file_that_can_be_read_there_are_none(files: tuple[Path, Path], content: bytes | None) -> None:
    files[0].unlink() if content is None else files[0].write_bytes(content)
    assert map_columns(*files) is None
