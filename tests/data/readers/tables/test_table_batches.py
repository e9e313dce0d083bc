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
from recsys.errors import DataError, DataWarning

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
    "day first, as the last tells": [HEADER + "1,a,3,1/2/2024\n", HEADER + "2,b,4,31/1/2024 9:05\n,c,1,\n"],
    "year first": [HEADER + "1,a,3,2024/1/2\n", HEADER + "2,b,4,2024/12/31 23:59:59.25\n"],
    "numbers with fractions as text": [HEADER + "1,a,3,10\n", HEADER + "2,b,4,1e3\n"],
    "decimal commas, as the last tells": [
        "user_id;item_id;rating\n1;a;3\n2;a;1,500\n",
        "user_id;item_id;rating\n3;a;\n4;b;3,5\n",
    ],
    "decimal commas in weights and dates": [
        "user_id;item_id;weight;timestamp\n1;a;1,5;31.12.2024\n",
        "user_id;item_id;weight;timestamp\n1;b;2;1.2.2024\n",
    ],
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
    return without_zeros(rows)


def rows_in_memory(path: Path) -> list[dict[str, Any]]:
    return without_zeros(read_interactions(table_file(path), ColumnNames()).table.to_pylist())


def without_zeros(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows without parts of a second that are zero, which batches may have and a table in memory leaves out."""
    return [{name: value for name, value in row.items() if name != "subsecond_ns" or value} for row in rows]


@pytest.mark.parametrize("texts", TEXTS.values(), ids=TEXTS)
def test_batches_of_text_are_the_table_in_memory_again_and_again(texts: list[str], tmp_path: Path) -> None:
    path = write(tmp_path / "csv", texts)
    columns = ColumnNames(weight="weight" if "weight" in texts[0] else None)
    table = interaction_batches(table_file(path), columns)
    in_memory = read_interactions(table_file(path), columns)
    for _ in range(2):
        assert rows_of(table) == without_zeros(in_memory.table.to_pylist())
    assert table.notes == in_memory.notes


LINES = {
    "whole": ['{"user_id": 1, "item_id": "a", "rating": 3, "timestamp": 10}\n', '{"user_id": 2, "item_id": "b"}\n'],
    "fractions later": ['{"user_id": "1", "item_id": "a", "timestamp": 10}\n{"user_id": "7", "item_id": "a"}\n', ""],
    "milliseconds": [
        '{"user_id": "1", "item_id": "a", "timestamp": 1700000000250}\n',
        '{"user_id": "2", "item_id": "a", "timestamp": 1700000000000}\n{"user_id": null, "item_id": "a"}\n',
    ],
    "ids alone": ['{"user_id": "1", "item_id": "a", "text": "x"}\n', '{"item_id": "b", "user_id": "2"}\n'],
    "iso dates": [
        '{"user_id": "1", "item_id": "a", "timestamp": "2024-05-31"}\n',
        '{"user_id": "1", "item_id": "b", "timestamp": "2024-05-31T12:00:00.5+02:00"}\n',
    ],
    "milliseconds as text": [
        '{"user_id": "1", "item_id": "a", "timestamp": "1700000000250"}\n',
        '{"user_id": "1", "item_id": "b", "timestamp": ""}\n{"user_id": "1", "item_id": "c"}\n',
    ],
    "decimal commas": ['{"user_id": 1, "item_id": "a", "rating": "3,5"}\n', '{"user_id": 2, "item_id": "a"}\n'],
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
        pa.array(["2024-05-31", None, "2024-05-31 12:00:00.25"]),
        pa.array(["1/2/2024", "31/1/2024", ""]).dictionary_encode(),
        pa.array(["10", "20.5", None], pa.large_string()),
        pa.array(["20240531", "20240601", None]),
        pa.array(["1e300", "5", ""]),
        pa.array(["", None, ""]),
    ],
    ids=lambda times: f"{times.type} {times[0]}",
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


@pytest.mark.parametrize("ending", [".json", ".json.gz"])
def test_batches_of_an_array_are_the_table_in_memory(ending: str, tmp_path: Path) -> None:
    content = b'[{"user_id": 1, "item_id": "a", "rating": 3,\n "timestamp": 7}, {"user_id": 2, "item_id": "]"}]'
    (tmp_path / f"a{ending}").write_bytes(gzip.compress(content) if ending.endswith("gz") else content)
    table = interaction_batches(table_file(tmp_path), ColumnNames())
    for _ in range(2):
        assert rows_of(table) == rows_in_memory(tmp_path)
    assert len(table.parts) == 1


@pytest.mark.parametrize(
    "lines",
    [
        "1;a;3;10\n2;b;4;20\n3;c;5;soon\n",
        "1;a;3,5;10\n2;b;4;20\n3;c;good;30\n",
        "1;a;3;31.1.2024\n2;b;4;31.2.2024\n",
        "1;a;3;2024-01-31\n2;b;4;2024-02-31\n",
        "1;a;3;1/2/2024\n2;b;4;2/1/2024\n",
    ],
    ids=["no time after numbers", "no number", "no such day", "no such day in ISO 8601", "no order"],
)
def test_errors_are_those_of_reading_as_a_whole(lines: str, tmp_path: Path) -> None:
    header, (first, *others) = "user_id;item_id;rating;timestamp\n", lines.splitlines(keepends=True)
    path = write(tmp_path / "csv", [header + first, header + "".join(others)])
    with pytest.raises(DataError) as in_memory:
        read_interactions(table_file(path), ColumnNames())
    with pytest.raises(DataError) as in_batches:
        rows_of(interaction_batches(table_file(path), ColumnNames()))
    assert str(in_batches.value) == str(in_memory.value)


def test_dates_whose_order_is_only_usual_are_warned_of_once(tmp_path: Path) -> None:
    path = write(tmp_path / "csv", [HEADER + "1,a,3,1.2.2024\n", HEADER + "2,a,3,3.4.2024\n"])
    with pytest.warns(DataWarning, match="timestamp holds dates that do not tell") as told:
        table = interaction_batches(table_file(path), ColumnNames())
        rows_of(table)
    assert len(told) == 1
    with_month_first = interaction_batches(table_file(path), ColumnNames(), day_first=False)
    assert rows_of(with_month_first)[0]["timestamp"] == 1_704_153_600  # 2 January 2024


def test_a_row_that_is_too_long_is_not_read_in_batches_and_what_to_do_is_said(tmp_path: Path) -> None:
    path = write(tmp_path / "table", [f'user_id,item_id,rating\n1,a,3\n"{"x" * (20 << 20)}",a,3\n2,a,3\n'])
    with pytest.raises(NoBatchesError, match="has a row of more than 8 MB. To have it read in batches, leave out"):
        interaction_batches(table_file(path), ColumnNames())


def test_tables_are_joined_with_parts_of_a_second_where_any_has_some(tmp_path: Path) -> None:
    paths = [
        write(tmp_path / "whole", [HEADER + "1,a,3,10\n"]),
        write(tmp_path / "parts", [HEADER + "2,b,4,10.25\n"]),
    ]
    together = joined([interaction_batches(table_file(path), ColumnNames()) for path in paths])
    assert [row["subsecond_ns"] for batch in together.batches() for row in batch.to_pylist()] == [0, 250_000_000]
