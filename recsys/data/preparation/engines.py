"""How raw data are gone through: as a whole in memory, or in partitions of the users, here or on a Ray cluster."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from recsys.cli.console import console
from recsys.cli.process.extras import require_libraries
from recsys.data.preparation.streaming.executor import Executor, InProcess
from recsys.data.raw import RawDataset, Reader
from recsys.data.raw_stream import RawStream, StreamingReader

Engine = Literal["auto", "memory", "streaming", "ray"]

#: Interactions of more text than this are prepared in partitions: in memory they take about six times as much.
STREAM_FROM_BYTES = 1 << 30

#: Why a reader cannot be streamed.
_AT_ONCE = "a {} has all of them at once. Write larger data to files, which data=table reads in batches"


def read_raw(reader: Reader, engine: Engine) -> RawDataset | RawStream:
    """Raw data in the form in which they are to be prepared.

    Args:
        reader: of the data.
        engine: "memory" to read them as a whole; "streaming" for a stream, which is one of data in memory where the
            reader or the form of the data allows no other, with a line that says so; "ray" likewise; "auto" for a
            stream where the reader gives one and its files have more than :data:`STREAM_FROM_BYTES` of text.

    Raises:
        SettingsError: Ray is asked for and not installed.
        SourceError: the raw files could not be found, fetched or trusted.
        DataError: the files do not have the required columns or types.
    """
    if engine == "ray":
        require_libraries("ray")  # before anything is read
    streaming = reader if isinstance(reader, StreamingReader) else None
    is_large = streaming is not None and streaming.num_bytes() > STREAM_FROM_BYTES
    if engine == "memory" or (engine == "auto" and not is_large):
        return reader.read()
    found = _AT_ONCE.format(type(reader).__name__) if streaming is None else streaming.stream()
    if isinstance(found, RawStream):
        return found
    console.print(f"The interactions are read into memory as a whole: {found}.")
    raw = reader.read()
    return raw if engine == "auto" else RawStream.of(raw)


@contextmanager
def executor_of(engine: Engine, scratch: Path) -> Iterator[Executor]:
    """What runs the functions of partitions.

    Args:
        engine: "ray" for the tasks of a cluster; else this process.
        scratch: the directory of the partitions.

    Raises:
        SettingsError: the cluster cannot be reached, or a machine of it does not see the directory.
    """
    if engine != "ray":
        yield InProcess()
        return
    from recsys.data.preparation.streaming.ray_executor import ray_executor

    with ray_executor(scratch) as executor:
        yield executor
