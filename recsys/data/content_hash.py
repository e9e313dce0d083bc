"""A hash of the contents of tables that does not depend on how they are stored.

It depends on column names, types and values and on the order of the rows. It does not depend on the order of the
columns, row groups, compression, dictionary encoding, or whether strings and lists have 32-bit or 64-bit offsets.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

#: Hashes of the columns of one table, by name.
Digests = Mapping[str, str]

_BATCH_ROWS = 1 << 18


def content_hash(files: Mapping[str, Path]) -> str:
    """SHA-256 of the contents of Parquet files, as hexadecimal digits.

    Args:
        files: each file under the name that enters the hash.
    """
    return hash_of_digests(table_digests(files))


def table_digests(files: Mapping[str, Path], known: Mapping[str, Digests] = MappingProxyType({})) -> dict[str, Digests]:
    """A hash of each column of Parquet files.

    Args:
        files: by name.
        known: digests of files, which are then not read.
    """
    return {name: known[name] if name in known else _file_digests(path) for name, path in files.items()}


def hash_of_digests(digests: Mapping[str, Digests]) -> str:
    """The hash of the contents of files from those of their columns."""
    plain = {name: dict(columns) for name, columns in digests.items()}
    return hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()


def _file_digests(path: Path) -> dict[str, str]:
    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        # One column at a time: the memory needed is that of one batch, whatever the size of the file.
        return {name: _column_digest(_batches(file, name), file.schema_arrow.field(name).type) for name in names}


def _batches(file: pq.ParquetFile, name: str) -> Iterable[pa.Array]:
    for batch in file.iter_batches(batch_size=_BATCH_ROWS, columns=[name]):
        yield batch.column(0)


def _column_digest(arrays: Iterable[pa.Array], type_: pa.DataType) -> str:
    column = _ColumnHash(type_)
    for array in arrays:
        column.update(array)
    return column.digest()


def _is_list(type_: pa.DataType) -> bool:
    return pa.types.is_list(type_) or pa.types.is_large_list(type_) or pa.types.is_fixed_size_list(type_)


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


class _ColumnHash:
    """Hash of one column, read batch by batch; it does not depend on where the batches end."""

    def __init__(self, type_: pa.DataType) -> None:
        self.type = type_.value_type if pa.types.is_dictionary(type_) else type_
        self.validity = hashlib.sha256()
        self.lengths = hashlib.sha256()
        self.values = hashlib.sha256()
        self.elements = _ColumnHash(self.type.value_type) if _is_list(self.type) else None
        self.num_rows = 0

    def update(self, array: pa.Array) -> None:
        """Take in the next batch."""
        if pa.types.is_dictionary(array.type):
            array = array.cast(array.type.value_type)
        self.num_rows += len(array)
        self.validity.update(_bytes(array.is_valid().to_numpy(zero_copy_only=False), np.uint8))
        if self.elements is not None:
            self.lengths.update(_bytes(pc.list_value_length(array).fill_null(0).to_numpy(), np.int64))
            self.elements.update(pc.list_flatten(array))
        elif _is_text(self.type):
            text = array.cast(pa.large_string()).fill_null("")
            _, offsets, characters = text.buffers()
            bounds = np.frombuffer(offsets, np.int64)[text.offset : text.offset + len(text) + 1]
            self.lengths.update(_bytes(np.diff(bounds), np.int64))
            if characters is not None and len(text):
                self.values.update(memoryview(characters)[bounds[0] : bounds[-1]])
        elif pa.types.is_boolean(self.type):
            self.values.update(_bytes(array.fill_null(False).to_numpy(zero_copy_only=False), np.uint8))
        elif pa.types.is_integer(self.type) or pa.types.is_floating(self.type):
            values = array.fill_null(0).to_numpy()
            self.values.update(_bytes(values, values.dtype))
        else:  # dates, decimals, structs: rare, and only in the users and items tables
            for value in array.to_pylist():
                self.values.update(json.dumps(value, default=str, sort_keys=True).encode() + b"\n")

    def digest(self) -> str:
        """The hash of all batches together."""
        kind = "text" if _is_text(self.type) else "list" if self.elements is not None else str(self.type)
        parts: list[Any] = [kind, self.num_rows]
        parts += [stream.hexdigest() for stream in (self.validity, self.lengths, self.values)]
        parts.append(self.elements.digest() if self.elements is not None else None)
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()


def _bytes(values: npt.NDArray[Any], dtype: npt.DTypeLike) -> memoryview:
    """Values as little-endian bytes on every machine."""
    return np.ascontiguousarray(values, np.dtype(dtype).newbyteorder("<")).data
