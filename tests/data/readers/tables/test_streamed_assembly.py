import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recsys.data.preparation.writing import write_prepared
from recsys.data.preparing import Preparation
from recsys.data.raw_stream import RawStream
from recsys.data.readers.table import TableReader
from recsys.data.schema import Schema
from recsys.errors import SourceError

HEADER = "user_id,item_id,rating,timestamp\n"


def schema_of(reader: TableReader, directory: Path, streaming: bool) -> Schema:
    directory.mkdir()
    raw = reader.stream() if streaming else reader.read()
    assert isinstance(raw, RawStream) == streaming
    write_prepared(raw, Preparation(), {}, directory)  # type: ignore[arg-type]
    return Schema.load(directory / "schema.json")


def test_a_split_and_its_items_are_streamed_as_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(HEADER + "1,a,3,10\n2,b,4,11\n")
    (tmp_path / "test.csv").write_text(HEADER + "1,b,5,12.5\n")
    (tmp_path / "items.csv").write_text("item_id,title,price\na,A,3\nb,B,4\n")
    reader = TableReader(train="train.csv", test="test.csv", items="items.csv", root=tmp_path)
    whole, stream = (schema_of(reader, tmp_path / str(streaming), streaming) for streaming in (False, True))
    assert stream == whole
    assert (stream.folds, stream.further_columns) == ({"train": 2, "valid": 0, "test": 1}, ("subsecond_ns",))
    assert [source.name for source in stream.sources] == ["train.csv", "test.csv", "items.csv"]


def test_directories_are_streamed_as_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "ratings").mkdir()
    for number in range(3):
        (tmp_path / "ratings" / f"part-{number}.csv").write_text(HEADER + f"u{number},a,{number},{number}\n")
    reader = TableReader("ratings/part-*.csv", root=tmp_path)
    whole, stream = (schema_of(reader, tmp_path / str(streaming), streaming) for streaming in (False, True))
    assert stream == whole
    assert (stream.num_users, len(stream.sources)) == (3, 3)
    assert reader.num_bytes() == sum(path.stat().st_size for path in (tmp_path / "ratings").iterdir())
    before = reader.fingerprint()
    (tmp_path / "ratings" / "part-1.csv").write_text(HEADER + "u1,a,5,5\nu1,b,5,5\n")
    assert TableReader("ratings/part-*.csv", root=tmp_path).fingerprint() != before


def test_parts_of_different_columns_are_left_to_the_way_in_memory(tmp_path: Path) -> None:
    (tmp_path / "train.csv").write_text(HEADER + "1,a,3,10\n")
    (tmp_path / "test.csv").write_text("user_id,item_id\n1,b\n")
    reader = TableReader(train="train.csv", test="test.csv", root=tmp_path)
    assert reader.stream() == "the parts of the split have different columns"


#: How one column of times and one of ratings may be written: all values of a file set in one of these ways.
TIMES: dict[str, Callable[[int], str]] = {
    "day first": lambda day: f"{day % 28 + 1}/{day % 12 + 1}/2024",
    "month first, with a clock": lambda day: f"{day % 12 + 1}-{day % 28 + 1}-2024 {day % 24}:05",
    "ISO 8601": lambda day: f"2024-01-{day % 28 + 1:02}T12:00:00.{day:03}Z",
    "milliseconds": lambda day: str(1_700_000_000_000 + day),
    "written dates": lambda day: f"202401{day % 28 + 1:02}",
}
RATINGS: dict[str, Callable[[int], str]] = {
    "points": lambda day: str(day % 9 / 2),
    "commas": lambda day: f"{day % 9},5" if day % 3 else f"{day % 9}",
}


def write_table(rows: list[dict[str, str]], path: Path, kind: str) -> None:
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif kind == "csv":
        path.write_text("".join(";".join(row) + "\n" for row in [list(rows[0]), *(row.values() for row in rows)]))
    else:
        array = json.dumps(rows, indent=1)
        path.write_text(array if kind == "json" else "".join(json.dumps(row) + "\n" for row in rows))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    numbers=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 364)), min_size=3, max_size=20),
    time=st.sampled_from(list(TIMES)),
    rating=st.sampled_from(list(RATINGS)),
    kind=st.sampled_from(["csv", "parquet", "jsonl", "json"]),
)
def test_text_times_and_decimal_commas_give_one_content_hash(
    numbers: list[tuple[int, int, int]], time: str, rating: str, kind: str, tmp_path: Path
) -> None:
    directory = tmp_path / "made"
    shutil.rmtree(directory, ignore_errors=True)
    (directory / "ratings").mkdir(parents=True)
    rows = [
        {"user_id": f"u{user}", "item_id": f"i{item}", "rating": RATINGS[rating](day), "timestamp": TIMES[time](day)}
        for user, item, day in numbers
    ]
    files = [rows] if kind == "json" else [rows[:2], rows[2:]]
    for number, part in enumerate(files):
        write_table(part, directory / "ratings" / f"{number}.{kind}", kind)
    reader = TableReader(directory / "ratings", day_first=time.startswith("day"))
    whole, stream = (schema_of(reader, directory / str(streaming), streaming) for streaming in (False, True))
    assert stream == whole


def test_a_file_that_is_not_there_has_no_size(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.csv cannot be read"):
        TableReader("nowhere.csv", root=tmp_path).num_bytes()
