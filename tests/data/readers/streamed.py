"""Reads raw data in both ways, which must give the same."""

from __future__ import annotations

import pickle
from dataclasses import replace

from recsys.data.raw import RawDataset
from recsys.data.raw_stream import RawStream, StreamingReader


def read_both(reader: StreamingReader) -> RawDataset:
    """The data as a whole, once their stream was found to give the same, also from another process."""
    whole = reader.read()  # type: ignore[attr-defined]
    stream = reader.stream()
    if isinstance(stream, str):
        return whole  # type: ignore[no-any-return]
    assert isinstance(stream, RawStream)
    assert reader.num_bytes() == stream.num_bytes > 0
    for batches in (stream.batches, pickle.loads(pickle.dumps(stream.batches))):
        found = [row for batch in batches() for row in batch.to_pylist()]
        assert found == whole.interactions.to_pylist()
    empty = whole.interactions.schema.empty_table()
    assert replace(stream.rest, interactions=empty) == replace(whole, interactions=empty)
    return whole  # type: ignore[no-any-return]
