from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from recsys.data.data_warnings import collected_warnings
from recsys.data.preparation import engines
from recsys.data.preparation.engines import Engine, read_raw
from recsys.data.preparing import Preparation, prepared_directory
from recsys.data.raw import RawDataset
from recsys.data.raw_stream import RawStream, StreamingReader
from recsys.data.readers.table import TableReader
from recsys.errors import DataError
from tests.data.raw_data import FakeReader, films


@dataclass(frozen=True)
class FakeStreamingReader(FakeReader, StreamingReader):
    size: int = 0
    reason: str = ""
    streams: list[int] = field(default_factory=list)

    def num_bytes(self) -> int:
        return self.size

    def stream(self) -> RawStream | str:
        self.streams.append(1)
        return self.reason or RawStream.of(self.raw)


@pytest.mark.parametrize(
    ("engine", "size", "streams"),
    [("memory", 2 << 40, False), ("streaming", 1, True), ("auto", 1, False), ("auto", 2 << 40, True)],
)
def test_the_engine_or_the_size_says_how_data_are_read(engine: Engine, size: int, streams: bool) -> None:
    reader = FakeStreamingReader(films(), size=size)
    assert isinstance(read_raw(reader, engine), RawStream) == streams
    assert (len(reader.streams), len(reader.reads)) == ((1, 0) if streams else (0, 1))


def test_what_cannot_be_streamed_is_read_as_a_whole_and_a_line_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    reader = FakeStreamingReader(films(), size=2 << 40, reason="times are words")
    assert isinstance(read_raw(reader, "auto"), RawDataset)
    assert "The interactions are read into memory as a whole: times are words." in capsys.readouterr().out
    assert isinstance(read_raw(FakeReader(films()), "streaming"), RawStream)
    told = capsys.readouterr().out
    assert "as a whole: a FakeReader has all of them at once." in told
    assert "Write larger data to files, which data=table reads in batches." in " ".join(told.split())


def test_a_reader_without_a_stream_is_read_in_memory_without_a_word(capsys: pytest.CaptureFixture[str]) -> None:
    assert isinstance(read_raw(FakeReader(films()), "auto"), RawDataset)
    assert capsys.readouterr().out == ""


def test_the_engine_changes_neither_the_directory_nor_what_is_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "STREAM_FROM_BYTES", 1)
    reader = FakeStreamingReader(films(), size=2)
    choices: list[Engine] = ["memory", "streaming", "auto"]
    assert len({prepared_directory(tmp_path, reader, Preparation(engine=engine)) for engine in choices}) == 1
    schemas = [Preparation(engine=engine).prepare(reader, tmp_path / engine).schema for engine in choices]
    assert schemas[0] == schemas[1] == schemas[2]
    assert len(reader.streams) == 2


def test_another_engine_is_refused() -> None:
    with pytest.raises(DataError, match=r"engine must be auto or memory or streaming or ray.*but is 'spark'"):
        Preparation(engine="spark")  # type: ignore[arg-type]


DIRTY = {
    "line ends of old Macs": ("a.csv", "user_id,item_id,rating\rann,1,2\rbob,1,3\r", {}),
    "separator told by Excel": ("a.csv", "sep=;\nuser_id;item_id;rating\nann;1;2\nbob;2;3\n", {}),
    "no header": ("a.tsv", "ann\t1\nbob\t2\n", {"header": False, "columns": {"user": 0, "item": 1}}),
    "two characters between fields": ("a.dat", "ann::1::2\nbob::2::3\n", {"header": ["user_id", "item_id", "rating"]}),
    "spaces around ids": ("a.csv", "user_id,item_id\nann,1\n ann,1\nann ,2\n", {}),
    "latest within a second": ("a.csv", "user_id,item_id,rating,timestamp\nann,1,5,10.75\nann,1,2,10.25\n", {}),
    "milliseconds and a zero": (
        "a.csv",
        "user_id,item_id,timestamp\nann,1,0\nann,2,1700000000250\nbob,1,1700000000000\n",
        {},
    ),
    "decimal commas": ("a.csv", "user_id;item_id;rating\nann;1;3,5\n", {}),
    "quoted line ends": ("a.csv", 'user_id,item_id\n"an\nn",1\nbob,2\n', {}),
    "an array of JSON": ("a.json", '[{"user_id": 7, "item_id": "x"},\n {"user_id": 8, "item_id": "x"}]', {}),
    "fields that come later": (
        "a.jsonl",
        '{"user_id": 7, "item_id": "x"}\n{"item_id": "x", "user_id": 8, "rating": 2}\n',
        {},
    ),
    "a row that is too long": ("a.csv", "user_id,item_id\nann,1\nbob,1,2\n", {}),
    "an id of another type": ("a.jsonl", '{"user_id": 7, "item_id": "x"}\n{"user_id": "8", "item_id": "x"}\n', {}),
}


@pytest.mark.parametrize(("name", "text", "arguments"), DIRTY.values(), ids=DIRTY)
def test_dirty_files_have_one_outcome(name: str, text: str, arguments: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(text.encode())

    def outcome(engine: Engine) -> tuple[object, ...]:
        with collected_warnings() as warned:
            try:
                reader = TableReader(tmp_path / name, **arguments)
                schema = Preparation(engine=engine).prepare(reader, tmp_path / engine).schema
            except DataError as error:
                return (str(error),)
        return schema.content_hash, schema.columns, schema.rules, schema.notes, tuple(warned)

    assert outcome("streaming") == outcome("memory")
