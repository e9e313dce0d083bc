"""The columns of the interactions as they lie in memory, in a file that is mapped and not read.

``interactions.arrow`` is an uncompressed Arrow file (Feather) beside ``interactions.parquet`` (and what was appended to
it), from which it follows. It names the Parquet files by a hash of their footers (the sizes and the statistics of each
column), and is passed over where they are others; :func:`recsys.data.prepared.open_prepared` compares all values on
demand. What is mapped belongs to the page cache of the machine: processes share it, and it is given back when memory
runs short.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

_SOURCE_KEY = b"source_footer"
_TAIL_BYTES = 8  # the length of the footer in four bytes, and four magic bytes


def write_columns(columns: Mapping[str, npt.NDArray[Any]], path: Path, *sources: Path) -> None:
    """Write columns of one length, uncompressed and each in one piece.

    Args:
        columns: by name.
        path: the Arrow file.
        sources: the Parquet files with the same columns.
    """
    arrays = {name: pa.array(values) for name, values in columns.items()}
    schema = pa.schema(
        [(name, array.type) for name, array in arrays.items()], metadata={_SOURCE_KEY: _footer_digest(sources)}
    )
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, schema) as writer:
        writer.write_batch(pa.record_batch(list(arrays.values()), schema=schema))


def map_columns(path: Path, *sources: Path) -> dict[str, npt.NDArray[Any]] | None:
    """The columns that :func:`write_columns` wrote; changes of the arrays are not written back.

    Args:
        path: the Arrow file.
        sources: the Parquet files that it is to follow from.

    Returns:
        Columns by name; None where there is no such file, or it is damaged or follows from other Parquet files.
    """
    try:
        with pa.memory_map(str(path)) as file, pa.ipc.open_file(file) as reader:
            if (reader.schema.metadata or {}).get(_SOURCE_KEY) != _footer_digest(sources):
                return None
            batch = reader.get_batch(0)
            file.seek(0)
            start = file.read_buffer().address
            places = {name: column.buffers()[1].address - start for name, column in _columns(batch)}
            types = {name: column.type.to_pandas_dtype() for name, column in _columns(batch)}
            return {
                # Copy on write: tensors that share this memory may be written to, the file may not.
                name: np.memmap(path, types[name], "c", place, (batch.num_rows,)).view(np.ndarray)
                for name, place in places.items()
            }
    except (OSError, pa.ArrowException):
        return None


def _columns(batch: pa.RecordBatch) -> list[tuple[str, pa.Array]]:
    return list(zip(batch.schema.names, batch.columns, strict=True))


def _footer_digest(paths: Sequence[Path]) -> bytes:
    """A hash of the footers of Parquet files, which have sizes and statistics of each column in each row group."""
    digest = hashlib.sha256()
    for path in paths:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(size - _TAIL_BYTES, 0))
            footer = int.from_bytes(file.read(4), "little") + _TAIL_BYTES
            file.seek(max(size - footer, 0))
            digest.update(file.read())
    return digest.hexdigest().encode()
