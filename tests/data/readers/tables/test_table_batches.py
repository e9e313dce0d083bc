import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recsys.data.readers.table_files import interaction_batches, read_interactions
from recsys.data.readers.tables.column_names import ColumnNames
from recsys.data.readers.tables.table_batches import NoBatchesError, TableBatches, joined
from recsys.data.sources.shards import table_file
from recsys.errors import DataError

HEADER = "user_id,item_id,rating,timestamp\n"
#: The files of a table as text, which both ways of reading must read alike.
TEXTS = {
    "whole": [HEADER + "1,a,3,10\n,b,4.5,\n", HEADER + "007,c,,30\n"],
    "fractions after whole numbers": [HEADER + "1,a,3,10\n", HEADER + "2,b,4,10.25\n"],
    "milliseconds after a zero": [HEADER + "1,a,3,0\n", HEADER + "2,b,4,1700000000250\n3,b,1,1700000000000\n"],
    "written dates": [HEADER + "1,a,3,20240531\n", HEADER + "2,b,4,20240601\n"],
    "iso dates": [HEADER + "1,a,3,2024-05-31\n", HEADER + "2,b,4,2024-05-31 12:00:00.5\n"],
    "zones": [HEADER + "1,a,3,2024-05-31T12:00:00Z\n", HEADER + "2,b,4,2024-05-31T12:00:00+02:00\n"],
    "ids alone": ["user_id,item_id\n1,a\n", "user_id,item_id\n2,b\n"],
}


def write(directory: Path, texts: list[str], ending: str = ".csv") -> Path:
    directory.mkdir()
    for number, text in enumerate(texts):
        (directory / f"part-{number}{ending}").write_text(text, encoding="utf-8")
    return directory


def rows_of(table: TableBatches) -> list[dict[str, Any]]:
    rows = []
    for batch in table.batches():
        assert batch.schema == table.schema
        rows += batch.to_pylist()
    return [{name: value for name, value in row.items() if name != "subsecond_ns" or value} for row in rows]


def rows_in_memory(path: Path) -> list[dict[str, Any]]:
    rows = read_interactions(table_file(path), ColumnNames()).table.to_pylist()
    return [{name: value for name, value in row.items() if name != "subsecond_ns" or value} for row in rows]


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_batches_of_text_are_the_table_in_memory_again_and_again(texts: list[str], tmp_path: Path) -> None:
    path = write(tmp_path / "csv", texts)
    table = interaction_batches(table_file(path), ColumnNames())
    for _ in range(2):
        assert rows_of(table) == rows_in_memory(path)


LINES = {
    "whole": ['{"user_id": 1, "item_id": "a", "rating": 3, "timestamp": 10}\n', '{"user_id": 2, "item_id": "b"}\n'],
    "fractions later": ['{"user_id": "1", "item_id": "a", "timestamp": 10}\n{"user_id": "7", "item_id": "a"}\n', ""],
    "milliseconds": [
        '{"user_id": "1", "item_id": "a", "timestamp": 1700000000250}\n',
        '{"user_id": "2", "item_id": "a", "timestamp": 1700000000000}\n{"user_id": null, "item_id": "a"}\n',
    ],
    "ids alone": ['{"user_id": "1", "item_id": "a", "text": "x"}\n', '{"item_id": "b", "user_id": "2"}\n'],
}


@pytest.mark.parametrize("ending", [".jsonl", ".json.gz"])
@pytest.mark.parametrize("texts", LINES.values(), ids=LINES)
def test_batches_of_json_lines_are_the_table_in_memory(texts: list[str], ending: str, tmp_path: Path) -> None:
    for number, text in enumerate(texts):
        content = gzip.compress(text.encode()) if ending.endswith("gz") else text.encode()
        (tmp_path / f"{number}{ending}").write_bytes(content)
    table = interaction_batches(table_file(tmp_path), ColumnNames())
    assert rows_of(table) == rows_in_memory(tmp_path)
    assert len(table.parts) == len(texts)


@pytest.mark.parametrize(
    "times",
    [
        pa.array([10, None, 30]),
        pa.array([10.5, None, 30.0]),
        pa.array([1_700_000_000_250, 1_700_000_000_000, None]),
        pa.array([20_240_531, 20_240_601, None], pa.int32()),
        pa.array([1_000_000_001, None, 5], pa.timestamp("ns")),
        pa.array([19_000, None, 5], pa.int32()).cast(pa.date32()),
        pa.array([1e300, 5.0, None]),
    ],
    ids=lambda times: str(times.type),
)
def test_batches_of_parquet_are_the_table_in_memory(times: pa.Array, tmp_path: Path) -> None:
    table = pa.table({"user_id": pa.array([1, 2, None]), "item_id": ["a", "b", "c"], "timestamp": times})
    for number in range(3):
        pq.write_table(table.slice(number, 1), tmp_path / f"{number}.parquet")
    assert rows_of(interaction_batches(table_file(tmp_path), ColumnNames())) == rows_in_memory(tmp_path)


def test_the_first_value_that_is_no_number_is_told_with_its_row_among_all_files(tmp_path: Path) -> None:
    path = write(tmp_path / "csv", [HEADER + "1,a,3,10\n", HEADER + "2,b,good,10\n"])
    with pytest.raises(DataError, match="column 'rating' must hold numbers, but row 2 has 'good'"):
        interaction_batches(table_file(path), ColumnNames())


@pytest.mark.parametrize(
    ("texts", "ending", "reason"),
    [
        ([HEADER + "1,a,3,31.05.2024\n"], ".csv", "has text in column 'timestamp', which only all rows together"),
        (["user_id;item_id;rating\n1;a;3,5\n"], ".csv", "has text in column 'rating'"),
        (['[{"user_id": 1, "item_id": 2}]\n'], ".json", "is one JSON array"),
        (['{"user_id": 1, "item_id": 2, "timestamp": "2024-05-31"}\n'], ".jsonl", "has text in column 'timestamp'"),
        ([f'user_id,item_id,rating\n1,a,3\n"{"x" * (20 << 20)}",a,3\n2,a,3\n'], ".csv", "has a row of more than 8 MB"),
    ],
)
def test_what_only_all_rows_explain_is_not_read_in_batches(
    texts: list[str], ending: str, reason: str, tmp_path: Path
) -> None:
    path = write(tmp_path / "table", texts, ending)
    with pytest.raises(NoBatchesError, match=reason):
        interaction_batches(table_file(path), ColumnNames())


def test_tables_are_joined_with_parts_of_a_second_where_any_has_some(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "whole", [HEADER + "1,a,3,10\n"]),
        write(tmp_path / "parts", [HEADER + "2,b,4,10.25\n"]),
    ]
    together = joined([interaction_batches(table_file(path), ColumnNames()) for path in paths])
    assert [row["subsecond_ns"] for batch in together.batches() for row in batch.to_pylist()] == [0, 250_000_000]
