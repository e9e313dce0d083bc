"""A hash of the rows of tables."""

from __future__ import annotations

import hashlib

import pyarrow as pa


class TableDigest:
    """SHA-256 of tables that come one after the other: of the columns of each, their types and values."""

    def __init__(self) -> None:
        self._sink = _HashSink()

    def add(self, table: pa.Table) -> None:
        """Take in the next table."""
        with pa.ipc.new_stream(pa.PythonFile(self._sink, mode="w"), table.schema) as writer:
            writer.write_table(table)

    def hexdigest(self) -> str:
        """The hash of all so far, as hexadecimal digits."""
        return self._sink.hash.hexdigest()


class _HashSink:
    """A file that keeps nothing but a hash of what is written to it."""

    closed = False

    def __init__(self) -> None:
        self.hash = hashlib.sha256()

    def write(self, content: bytes) -> int:
        self.hash.update(content)
        return len(content)

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """Nothing is open."""
