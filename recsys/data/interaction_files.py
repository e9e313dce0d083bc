"""The files of the interactions of a prepared directory: one for each generation that added rows to it.

``interactions.parquet`` is the first, and most directories have it alone. A generation that rows were appended to has
its files (as links, which take no place), ``interactions.0001.parquet`` and so on with what was appended, and
:mod:`amendments <recsys.data.amendments>`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from recsys.data.amendments import Amendments
from recsys.data.columns import FIRST_TIMESTAMP, SUBSECOND_NS, TIMESTAMP, WEIGHT
from recsys.data.prepared_files import AMENDMENTS_FILE, INTERACTIONS_FILE, part_names
from recsys.data.stored_columns import COLUMN_TYPES, read_columns
from recsys.errors import PreparedDataError


@dataclass(frozen=True, slots=True, eq=False)
class InteractionFiles:
    """The interactions of a prepared directory as they are stored.

    Args:
        directory: the prepared directory.
        paths: the files in the order of their rows.
        num_rows: rows of each.
        names: columns of each.
        amendments: what has changed since they were written.
    """

    directory: Path
    paths: Sequence[Path]
    num_rows: Sequence[int]
    names: Sequence[Sequence[str]]
    amendments: Amendments

    @classmethod
    def of(cls, directory: Path) -> InteractionFiles:
        """Those of a directory, whose columns are not read yet.

        Raises:
            PreparedDataError: one is missing or damaged.
        """
        paths = [directory / name for name in part_names(directory)]
        num_rows, names = [], []
        for path in paths:
            with damage_told(path), pq.ParquetFile(path) as file:
                num_rows.append(file.metadata.num_rows)
                names.append(file.schema_arrow.names)
        with damage_told(directory / AMENDMENTS_FILE):
            amendments = Amendments.load(directory / AMENDMENTS_FILE)
        return cls(directory, paths, num_rows, names, amendments)

    def __len__(self) -> int:
        return sum(self.num_rows) - int(self.amendments.is_gone.sum())

    @property
    def column_names(self) -> list[str]:
        """The columns that some of the files have."""
        return list(dict.fromkeys(name for names in (*self.names, self.amendments.values) for name in names))

    @property
    def sources(self) -> list[Path]:
        """All files that the columns follow from."""
        amended = self.directory / AMENDMENTS_FILE
        return [*self.paths, amended] if amended.exists() else [*self.paths]

    def read(self, name: str) -> npt.NDArray[Any]:
        """A column of all rows that are not gone, of its type in :data:`~recsys.data.stored_columns.COLUMN_TYPES`.

        Raises:
            PreparedDataError: a file is damaged, or does not have what all have.
        """
        parts = [self._read_of(number, name) for number in range(len(self.paths))]
        return self.amendments.applied(name, parts[0] if len(parts) == 1 else np.concatenate(parts))

    def _read_of(self, number: int, name: str) -> npt.NDArray[Any]:
        path = self.paths[number]
        with damage_told(path), pq.ParquetFile(path) as file:
            if name in self.names[number]:
                return read_columns(file, [name])[name]
            time = read_columns(file, [TIMESTAMP])[TIMESTAMP] if TIMESTAMP in self.names[number] else None
        if name not in (WEIGHT, SUBSECOND_NS) and (name != FIRST_TIMESTAMP or time is None):
            raise PreparedDataError(
                f"{path} must have the column {name}, as the other files of interactions of {self.directory} have, and "
                "does not: the directory was changed or damaged. Prepare the data again."
            )
        return filled_column(name, self.num_rows[number], time)

    def shared_with(self, directory: Path) -> None:
        """Put the files, without amendments, into another directory: as links, or as copies where there are none."""
        for path in self.paths:
            try:
                os.link(path, directory / path.name)
            except OSError:
                shutil.copyfile(path, directory / path.name)


def filled_column(name: str, num_rows: int, timestamp: npt.NDArray[np.int64] | None) -> npt.NDArray[Any]:
    """What rows without the column ``name`` mean by it, shape [num_rows].

    Args:
        name: ``weight``: each counts 1; ``subsecond_ns``: whole seconds; ``first_timestamp``: each is its own first.
        num_rows: how many.
        timestamp: their times, for ``first_timestamp``.
    """
    if name == FIRST_TIMESTAMP:
        assert timestamp is not None, "there is no first time without times"
        return timestamp
    return np.full(num_rows, 1 if name == WEIGHT else 0, dtype=COLUMN_TYPES[name])


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Turn the errors of reading a table into one with a remedy."""
    try:
        yield
    except (OSError, KeyError, pa.ArrowException) as error:
        raise PreparedDataError(f"{path} is missing or damaged ({error}). Prepare the data again.") from None


def stored_interactions(directory: Path) -> dict[str, npt.NDArray[Any]]:
    """All columns of the interactions of a prepared directory, as its tables have them.

    Raises:
        PreparedDataError: a file is missing or damaged.
    """
    files = InteractionFiles.of(directory)
    return {name: files.read(name) for name in files.column_names}


def next_part_name(files: InteractionFiles) -> str:
    """The name of the file that is written behind some."""
    stem, _, suffix = INTERACTIONS_FILE.partition(".")
    return f"{stem}.{len(files.paths):04}.{suffix}"
