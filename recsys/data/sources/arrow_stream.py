"""Python's streams as Arrow reads them in several threads."""

from __future__ import annotations

from typing import BinaryIO

import pyarrow as pa

_BUFFER_BYTES = 1 << 20


def arrow_stream(stream: BinaryIO) -> pa.NativeFile:
    """A stream whose bytes Arrow copies into memory of its own as it reads them.

    Otherwise its threads hold Python's objects. A thread that lets go of one a moment after the result is there, while
    Python ends, brings the process down: it waits for an interpreter that is gone ("terminate called without an active
    exception").

    Args:
        stream: open for bytes; whoever opened it closes it.
    """
    return pa.BufferedInputStream(pa.PythonFile(stream, mode="r"), _BUFFER_BYTES)
