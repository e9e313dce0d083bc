"""The files of partitions: which users are in which, their raw rows, and their arrays.

The partition of a user follows from their id alone, so that everything about one user is in one place. Each file is
there whole or not at all, and several processes may write the same one.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from recsys.cli.whole_files import shared_file
from recsys.data.interactions import OPTIONAL_COLUMNS, IntArray, Interactions

#: The number of each row in the raw data.
ROW = "row"

_ARRAYS = ("user_index", "item_index", *OPTIONAL_COLUMNS)


def partition_of(ids: pa.Array, num_partitions: int) -> npt.NDArray[np.int64]:
    """The partition of each user id, shape [N]; the same on every machine."""
    from pandas.util import hash_array  # a wrong setting is told without pandas

    hashes = hash_array(ids.to_numpy(zero_copy_only=False), categorize=False)
    return (hashes % np.uint64(num_partitions)).astype(np.int64)


class RowWriter:
    """Writes rows to the files of their partitions, which are there once its block has ended.

    Args:
        directory: for the files.
        num_partitions: how many there are.
        source: a number for the rows that come from here; several sources may write at the same time.
    """

    def __init__(self, directory: Path, num_partitions: int, source: int = 0) -> None:
        self._paths = [_rows_path(directory, partition, source) for partition in range(num_partitions)]
        self._writers: list[pa.ipc.RecordBatchStreamWriter | None] = [None] * num_partitions
        self._stack = ExitStack()

    def __enter__(self) -> RowWriter:
        return self

    def __exit__(self, *error: Any) -> None:
        self._stack.__exit__(*error)

    def write(self, rows: pa.Table, partition: npt.NDArray[np.int64]) -> None:
        """Write N rows, each to its ``partition``, shape [N]."""
        order = np.argsort(partition.astype(np.int16), kind="stable")
        bounds = np.searchsorted(partition[order], np.arange(len(self._paths) + 1))
        ordered = rows.take(order)
        for number, (start, end) in enumerate(zip(bounds[:-1], bounds[1:], strict=True)):
            if end > start:
                self._writer(number, rows.schema).write_table(ordered.slice(start, end - start))

    def _writer(self, number: int, schema: pa.Schema) -> pa.ipc.RecordBatchStreamWriter:
        writer = self._writers[number]
        if writer is None:
            path = self._stack.enter_context(shared_file(self._paths[number]))
            file = self._stack.enter_context(pa.OSFile(str(path), "wb"))
            options = pa.ipc.IpcWriteOptions(compression="lz4")
            writer = self._stack.enter_context(pa.ipc.new_stream(file, schema, options=options))
            self._writers[number] = writer
        return writer


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
        with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as stream:
            part = stream.read_all()
        if first:
            place = part.column_names.index(ROW)
            part = part.set_column(place, ROW, pa.array(part[ROW].to_numpy() + first))
        parts.append(part)
    return pa.concat_tables(parts) if parts else None


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
            save_array(_array_path(directory, partition, name), values)


def save_array(path: Path, values: npt.NDArray[Any]) -> None:
    """Write an array; one that is there is replaced, and whoever has it open keeps it."""
    with shared_file(path) as partial, partial.open("wb") as file:
        np.save(file, values)


def open_interactions(
    directory: Path, partition: int, num_users: int, num_items: int
) -> tuple[Interactions, IntArray] | None:
    """What :func:`save_interactions` wrote, read from the files as it is used; None where there are no interactions."""
    columns = {
        name: np.load(path, mmap_mode="r") if (path := _array_path(directory, partition, name)).exists() else None
        for name in (*_ARRAYS, ROW)
    }
    rows = columns.pop(ROW)
    if rows is None:
        return None
    return Interactions(num_users=num_users, num_items=num_items, **columns), rows  # type: ignore[arg-type]


def _rows_path(directory: Path, partition: int, source: int) -> Path:
    return directory / f"rows-{partition:04}-{source:05}.arrow"


def _array_path(directory: Path, partition: int, name: str) -> Path:
    return directory / f"{name}-{partition:04}.npy"
