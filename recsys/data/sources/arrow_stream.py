"""Python's streams as Arrow reads them in several threads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

import pyarrow as pa

_BUFFER_BYTES = 1 << 20


@contextmanager
def arrow_stream(stream: BinaryIO) -> Iterator[pa.NativeFile]:
    """A stream whose bytes Arrow copies into memory of its own, and that holds nothing of Python's once it is left.

    Otherwise Arrow's threads hold Python's objects. A thread that lets go of one a moment after the result is there,
    while Python ends, brings the process down: it waits for an interpreter that is gone ("terminate called without an
    active exception"). The bytes are copied, and closing lets go of ``stream``.

    Args:
        stream: open for bytes; it is closed with the result.
    """
    with pa.BufferedInputStream(pa.PythonFile(stream, mode="r"), _BUFFER_BYTES) as buffered:
        yield buffered
