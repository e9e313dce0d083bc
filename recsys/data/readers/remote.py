"""Reader of tables that lie in an object store."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import pyarrow as pa
import pyarrow.dataset

from recsys.data.raw import RawDataset
from recsys.data.readers.feature_kinds import Declaration
from recsys.data.readers.table_files import FileTable
from recsys.data.readers.tables.column_names import ColumnNames
from recsys.data.readers.tables.memory_tables import MemoryTable
from recsys.data.readers.tables.table_set import TableSet
from recsys.data.readers.tables.text_forms import TextForms
from recsys.data.readers.tables.typed_columns import ReadTable, unread_columns
from recsys.data.sources.raw_file import RawFile
from recsys.data.sources.remote_files import RemoteFiles
from recsys.errors import DataError, SourceError

_PARQUET = (".parquet", ".pq")

T = TypeVar("T")


class RemoteReader:
    """Reads tables of an object store as :class:`recsys.data.readers.table.TableReader` reads files.

    Each table is one file of any format, or any number of Parquet files: ``s3://bucket/ratings/`` has all below it,
    ``s3://bucket/ratings/*.parquet`` those that fit. Of Parquet, only the columns that are needed are transferred.

    Args:
        interactions: URL of all interactions.
        users: URL of the users, or None.
        items: URL of the items, or None.
        columns: names of the columns, as for :class:`recsys.data.readers.table.TableReader`.
        user_features: columns of users that are features, and their kinds; None to infer them, ``{}`` for none.
        item_features: the same for items.
        name: short name of the data set, used in paths and reports.
        day_first: as for :class:`recsys.data.readers.table.TableReader`.
        list_separators: likewise.

    Raises:
        DataError: ``columns`` has another key.
    """

    def __init__(
        self,
        interactions: str | None = None,
        users: str | None = None,
        items: str | None = None,
        columns: Mapping[str, str | int | None] | None = None,
        user_features: Mapping[str, Declaration] | None = None,
        item_features: Mapping[str, Declaration] | None = None,
        name: str = "remote",
        day_first: bool | None = None,
        list_separators: Mapping[str, str | None] | None = None,
    ) -> None:
        self.name = name
        given = {"interactions": interactions, "users": users, "items": items}
        self._urls = {part: url for part, url in given.items() if url is not None}
        self._columns = ColumnNames.parse(columns)
        self._features = (user_features, item_features)
        self._forms = TextForms.parse(day_first, list_separators)

    def read(self) -> RawDataset:
        """Read the tables; see :class:`recsys.data.raw.Reader`."""
        return self._set.read()

    def fingerprint(self) -> dict[str, object]:
        """The arguments, and path, size and time of each file; see :class:`recsys.data.raw.Reader`."""
        given = self._set
        files = {part: [list(file) for file in table.files.files] for part, table in given.tables.items()}
        return {"reader": type(self).__name__, "arguments": given.arguments(), "urls": self._urls, "files": files}

    @cached_property
    def _set(self) -> TableSet[_RemoteTable]:
        if "interactions" not in self._urls:
            raise SourceError("data=remote needs the interactions: data.interactions=s3://bucket/ratings/. Give them.")
        tables = {part: _RemoteTable(RemoteFiles.find(url)) for part, url in self._urls.items()}
        return TableSet(self.name, tables, self._columns, *self._features, self._forms)


@dataclass(frozen=True, slots=True)
class _RemoteTable:
    files: RemoteFiles

    def __str__(self) -> str:
        return str(self.files)

    def read_interactions(self, columns: ColumnNames, day_first: bool | None = None) -> ReadTable:
        """See :class:`recsys.data.readers.tables.assembly.SourceTable`."""
        if not self._is_parquet:
            return self._fetched(lambda table: table.read_interactions(columns, day_first))
        found = self._names()
        wanted = columns.wanted(found, str(self))
        read = MemoryTable(self._parquet(list(wanted.values())), str(self)).read_interactions(columns, day_first)
        return ReadTable(read.table, (*read.notes, *unread_columns(found, wanted)))

    def read_entities(self, id_name: str, role: str) -> ReadTable:
        """See :class:`recsys.data.readers.tables.assembly.SourceTable`."""
        if not self._is_parquet:
            return self._fetched(lambda table: table.read_entities(id_name, role))
        return MemoryTable(self._parquet(self._names()), str(self)).read_entities(id_name, role)

    @property
    def _is_parquet(self) -> bool:
        return all(path.lower().endswith(_PARQUET) for path in self.files.paths)

    def _names(self) -> list[str]:
        return self._attempt(lambda: list(self._dataset().schema.names))

    def _parquet(self, columns: list[str]) -> pa.Table:
        table = self._attempt(lambda: self._dataset().to_table(columns=columns))
        if table.num_rows == 0:
            raise DataError(f"{self} has no rows; at least one is needed. Check that it is the right one.")
        return table

    def _dataset(self) -> pa.dataset.Dataset:
        return pa.dataset.dataset(self.files.paths, format="parquet", filesystem=self.files.filesystem)

    def _attempt(self, action: Callable[[], T]) -> T:
        try:
            return action()
        except (pa.ArrowException, OSError) as error:
            raise DataError(
                f"{self} cannot be read as Parquet: {error}. Check that all its files are whole."
            ) from error

    def _fetched(self, read: Callable[[FileTable], ReadTable]) -> ReadTable:
        """What a file of another format gives, which is read several times and so copied for as long."""
        if len(self.files.paths) > 1:
            raise DataError(
                f"{self} has {len(self.files.paths)} files, which must then all be Parquet (*.parquet), but are not. "
                "Give a pattern that fits those of Parquet, or one file."
            )
        (path,) = self.files.paths
        with tempfile.TemporaryDirectory() as directory:
            copy = Path(directory) / path.rpartition("/")[2]
            with self.files.open(path) as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
            return read(FileTable(RawFile(copy)))
