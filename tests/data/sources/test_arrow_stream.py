import io
import sys

import pyarrow as pa
from pyarrow import csv

from recsys.data.sources.arrow_stream import arrow_stream

CONTENT = b"a,b\n" + b"1,x\n" * 1000


class OneObject(io.RawIOBase):
    """A stream that gives one object of bytes, whose references can be counted."""

    def __init__(self) -> None:
        self.left = [CONTENT]

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        return self.left.pop() if self.left else b""


def test_what_was_read_holds_no_objects_of_python() -> None:
    before = sys.getrefcount(CONTENT)
    held = pa.PythonFile(OneObject(), mode="r").read_buffer(len(CONTENT))
    assert sys.getrefcount(CONTENT) > before  # what Arrow does by itself
    del held
    with arrow_stream(OneObject()) as source:
        buffer = source.read_buffer(len(CONTENT))
    assert sys.getrefcount(CONTENT) == before
    assert buffer.to_pybytes() == CONTENT


def test_what_is_left_holds_no_stream_of_python() -> None:
    stream = io.BytesIO(CONTENT)
    before = sys.getrefcount(stream)
    with arrow_stream(stream) as source:
        assert sys.getrefcount(stream) > before
        csv.read_csv(source)
    assert sys.getrefcount(stream) == before  # even where a thread of Arrow still has the source


def test_it_is_read_as_any_other() -> None:
    with arrow_stream(io.BytesIO(CONTENT)) as source:
        table = csv.read_csv(source)
    assert (table.num_rows, table.column_names) == (1000, ["a", "b"])
