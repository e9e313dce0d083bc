from pathlib import Path

import pyarrow as pa
import pytest

from recsys.data.raw import RawDataset
from recsys.data.readers.identifiers import ID_TYPE
from recsys.data.readers.interaction_files import DelimitedInteractions, JsonInteractions
from recsys.data.sources.raw_file import RawFile
from recsys.errors import DataError

TYPES = {"who": ID_TYPE, "what": ID_TYPE, "stars": pa.float32()}
NAMES = ("user_id", "item_id", "rating")


def starred(part: pa.Table) -> pa.Table:
    return part.filter(pa.compute.greater(part["rating"], 1))


def test_text_is_the_same_in_batches_and_as_a_stream(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("who,what,stars\n007,x,1\nb,y,2.5\n")
    table = DelimitedInteractions(RawFile(tmp_path / "a.csv"), TYPES, NAMES, convert=starred)
    rows = [{"user_id": "b", "item_id": "y", "rating": 2.5}]
    assert table.read().to_pylist() == rows
    assert table.empty().schema.names == list(NAMES) and len(table.empty()) == 0
    stream = table.stream_with(RawDataset("toy", table.read()))
    assert [row for batch in stream.batches() for row in batch.to_pylist()] == rows
    assert (len(stream.rest.interactions), stream.num_bytes) == (0, len("who,what,stars\n007,x,1\nb,y,2.5\n"))


def test_a_column_that_is_missing_is_told_before_a_batch_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("who,what\n1,2\n")
    with pytest.raises(DataError, match="stars"):
        next(DelimitedInteractions(RawFile(tmp_path / "a.csv"), TYPES, NAMES).batches())


def renamed(part: pa.Table) -> pa.Table:
    return part.rename_columns(["user_id", "rating", *part.column_names[2:]])


def test_json_lines_are_the_same_in_batches(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"who": "a", "stars": 2}\n{"who": "b", "stars": 1}\n')
    types = {"who": pa.string(), "stars": pa.float32()}
    table = JsonInteractions(RawFile(tmp_path / "a.jsonl"), types, ("who",), renamed)
    assert table.empty().schema.names == ["user_id", "rating"]
    assert (
        pa.concat_tables(table.batches()).to_pylist()
        == table.read().to_pylist()
        == [
            {"user_id": "a", "rating": 2.0},
            {"user_id": "b", "rating": 1.0},
        ]
    )
    lacking = JsonInteractions(
        RawFile(tmp_path / "a.jsonl"), types | {"what": pa.string()}, ("what",), lambda part: part
    )
    with pytest.raises(DataError, match="no line has the field 'what'"):
        list(lacking.batches())
