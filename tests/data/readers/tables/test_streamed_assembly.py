from pathlib import Path

import pytest

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


def test_a_file_that_is_not_there_has_no_size(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"nowhere\.csv cannot be read"):
        TableReader("nowhere.csv", root=tmp_path).num_bytes()
