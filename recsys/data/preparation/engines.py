"""How raw data are gone through: as a whole in memory, or in partitions of the users."""

from __future__ import annotations

from typing import Literal

from recsys.cli.console import console
from recsys.data.raw import RawDataset, Reader
from recsys.data.raw_stream import RawStream, StreamingReader

Engine = Literal["auto", "memory", "streaming"]

#: Interactions of more text than this are prepared in partitions: in memory they take about six times as much.
STREAM_FROM_BYTES = 1 << 30


def read_raw(reader: Reader, engine: Engine) -> RawDataset | RawStream:
    """Raw data in the form in which they are to be prepared.

    Args:
        reader: of the data.
        engine: "memory" to read them as a whole; "streaming" for a stream, which is one of data in memory where the
            reader or the form of the data allows no other, with a line that says so; "auto" for a stream where the
            reader gives one and its files have more than :data:`STREAM_FROM_BYTES` of text.

    Raises:
        SourceError: the raw files could not be found, fetched or trusted.
        DataError: the files do not have the required columns or types.
    """
    streaming = reader if isinstance(reader, StreamingReader) else None
    is_large = streaming is not None and streaming.num_bytes() > STREAM_FROM_BYTES
    if engine == "memory" or (engine == "auto" and not is_large):
        return reader.read()
    found = f"{type(reader).__name__} gives no stream" if streaming is None else streaming.stream()
    if isinstance(found, RawStream):
        return found
    console.print(f"The interactions are read into memory as a whole: {found}.")
    raw = reader.read()
    return RawStream.of(raw) if engine == "streaming" else raw
