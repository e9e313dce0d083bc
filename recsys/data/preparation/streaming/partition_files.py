"""The files of partitions: which users are in which, their raw rows, and their arrays.

The partition of a user follows from their id alone, so that everything about one user is in one place. Each file is
there whole or not at all, and several processes may write the same one. None stays open, however many there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.cli.whole_files import shared_file
from recsys.data.interactions import OPTIONAL_COLUMNS, IndexArray, IntArray, Interactions
from recsys.data.stored_columns import COLUMN_TYPES

#: The number of each row in the raw data.
ROW = "row"

_ARRAYS = ("user_index", "item_index", *OPTIONAL_COLUMNS)
_TYPES = {**COLUMN_TYPES, ROW: np.int64}


def partition_of(ids: pa.Array, num_partitions: int) -> npt.NDArray[np.int64]:
    """The partition of each user id, shape [N]; the same on every machine."""
    from pandas.util import hash_array  # a wrong setting is told without pandas

    hashes = hash_array(ids.to_numpy(zero_copy_only=False), categorize=False)
    return (hashes % np.uint64(num_partitions)).astype(np.int64)


class RowWriter:
    """Writes rows to the files of their partitions, which are there once its block has ended.

    A file is opened for each batch anew: a process may have fewer files open than there are partitions.

    Args:
        directory: for the files.
        num_partitions: how many there are.
        source: a number for the rows that come from here; several sources may write at the same time.
    """

    def __init__(self, directory: Path, num_partitions: int, source: int = 0) -> None:
        self._targets = [_rows_path(directory, partition, source) for partition in range(num_partitions)]
        self._partial: dict[int, Path] = {}
        self._stack = ExitStack()

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def write(self, rows: pa.Table, partition: npt.NDArray[np.int64]) -> None:
        """Write N rows, each to its ``partition``, shape [N]."""
        order = np.argsort(partition.astype(np.uint16), kind="stable")
        bounds = np.cumsum([0, *np.bincount(partition, minlength=len(self._targets))])
        ordered = rows.take(order)
        options = pa.ipc.IpcWriteOptions(compression="lz4")
        for number, (start, end) in enumerate(zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True)):
            if end > start:
                path = self._partial.get(number)
                if path is None:
                    path = self._partial[number] = self._stack.enter_context(shared_file(self._targets[number]))
                with (
                    pa.OSFile(str(path), "ab") as file,
                    pa.ipc.new_stream(file, rows.schema, options=options) as stream,
                ):
                    stream.write_table(ordered.slice(start, end - start))


def read_rows(directory: Path, partition: int, first_rows: tuple[int, ...] = (0,)) -> pa.Table | None:
    """The rows of a partition in their order; None where it has none.

    Args:
        directory: of the files.
        partition: its number.
        first_rows: by source, what is added to its row numbers to make them those of all sources together.
    """
    parts = []
    for source, first in enumerate(first_rows):
        path = _rows_path(directory, partition, source)
        if not path.exists():
            continue
        part = pa.Table.from_batches(_batches(path))
        if first:
            place = part.column_names.index(ROW)
            part = part.set_column(place, ROW, pa.array(part[ROW].to_numpy() + first))
        parts.append(part)
    return pa.concat_tables(parts) if parts else None


def _batches(path: Path) -> Iterator[pa.RecordBatch]:
    """The batches of a file, each of which is a stream of its own."""
    with pa.OSFile(str(path)) as file:
        size = file.size()
        while file.tell() < size:
            with pa.ipc.open_stream(file) as stream:
                yield from stream


def remove_rows(directory: Path, partition: int, num_sources: int = 1) -> None:
    """Remove the rows of a partition."""
    for source in range(num_sources):
        _rows_path(directory, partition, source).unlink(missing_ok=True)


def save_interactions(directory: Path, partition: int, interactions: Interactions, rows: IntArray) -> None:
    """Write the interactions of a partition and their numbers in the raw data; nothing where there are none."""
    if len(rows) == 0:
        return
    columns: dict[str, Any] = {name: getattr(interactions, name) for name in _ARRAYS} | {ROW: rows}
    for name, values in columns.items():
        if values is not None:
            save_array(_array_path(directory, partition, name), values.astype(_TYPES[name], copy=False))


def save_array(path: Path, values: npt.NDArray[Any]) -> None:
    """Write the bytes of an array; a file that is there is replaced, and whoever has it open keeps it."""
    with shared_file(path) as partial, partial.open("wb") as file:
        values.tofile(file)


def open_interactions(
    directory: Path, partition: int, num_users: int, num_items: int
) -> tuple[Interactions, IntArray] | None:
    """What :func:`save_interactions` wrote, read from the files as it is used; None where there are no interactions."""
    if not _array_path(directory, partition, ROW).exists():
        return None
    columns = {
        name: np.memmap(path, type_, "r").view(np.ndarray)
        for name, type_ in _TYPES.items()
        if (path := _array_path(directory, partition, name)).exists()
    }
    return _interactions(columns, num_users, num_items)


def read_interactions(
    directory: Path, partition: int, rows: slice, num_users: int, num_items: int
) -> tuple[Interactions, IntArray]:
    """Some rows of what :func:`save_interactions` wrote, in arrays of their own; there is at least one."""
    columns: dict[str, npt.NDArray[Any]] = {}
    for name, type_ in _TYPES.items():
        path, size = _array_path(directory, partition, name), np.dtype(type_).itemsize
        if path.exists():
            columns[name] = np.fromfile(path, type_, rows.stop - rows.start, offset=rows.start * size)
    return _interactions(columns, num_users, num_items)


def _interactions(
    columns: dict[str, npt.NDArray[Any]], num_users: int, num_items: int
) -> tuple[Interactions, IntArray]:
    rows = columns.pop(ROW)
    optional = {name: columns.get(name) for name in OPTIONAL_COLUMNS}
    users, items = columns["user_index"], columns["item_index"]
    return Interactions(users, items, num_users=num_users, num_items=num_items, **optional), rows


def save_pairs(directory: Path, partition: int, user: IndexArray, item: IndexArray) -> None:
    """Write pairs of users and items of a partition, shape [N] each."""
    save_array(_pairs_path(directory, partition), np.stack([user, item]))


def read_pairs(directory: Path, partition: int) -> tuple[IndexArray, IndexArray] | None:
    """What :func:`save_pairs` wrote; None where nothing was written."""
    path = _pairs_path(directory, partition)
    if not path.exists():
        return None
    user, item = np.fromfile(path, np.int32).reshape(2, -1)
    return user, item


def _rows_path(directory: Path, partition: int, source: int) -> Path:
    return directory / f"rows-{partition:04}-{source:05}.arrow"


def _array_path(directory: Path, partition: int, name: str) -> Path:
    return directory / f"{name}-{partition:04}.column"


def _pairs_path(directory: Path, partition: int) -> Path:
    return directory / f"pairs-{partition:04}.column"
