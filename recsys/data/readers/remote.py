"""Reader of tables that lie in an object store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

from recsys.data.raw import RawDataset
from recsys.data.raw_stream import RawStream, StreamingReader
from recsys.data.readers.feature_kinds import Declaration
from recsys.data.readers.table_files import FileTable
from recsys.data.readers.tables.table_set import TableSet
from recsys.data.sources.remote_file import RemoteFile
from recsys.data.sources.remote_files import RemoteFiles
from recsys.data.sources.scratch_directory import ScratchDirectory
from recsys.errors import SourceError

_PARQUET = (".parquet", ".pq")


class RemoteReader(StreamingReader):
    """Reads tables of an object store as :class:`recsys.data.readers.table.TableReader` reads files.

    Each table is a file, or any number of files of one format: ``s3://bucket/ratings/`` has all below it,
    ``s3://bucket/ratings/*.parquet`` those that fit. Of Parquet, only the columns that are needed are transferred;
    files of other formats are copied to this machine for as long as they are read.

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
        self._said: TableSet[FileTable] = TableSet.parse(
            name, {}, columns, user_features, item_features, day_first, list_separators
        )

    def read(self) -> RawDataset:
        """Read the tables; see :class:`recsys.data.raw.Reader`."""
        return self._tables.read()

    def num_bytes(self) -> int:
        """About the size of the interactions as text; see :class:`recsys.data.raw_stream.StreamingReader`."""
        return RemoteFile.table(self._files["interactions"]).num_bytes()

    def stream(self) -> RawStream | str:
        """The tables with interactions in batches; see :class:`recsys.data.raw_stream.StreamingReader`."""
        stream = self._tables.stream()
        is_local = not _is_parquet(self._files["interactions"])
        return stream if isinstance(stream, str) else replace(stream, is_local=is_local)

    def fingerprint(self) -> dict[str, object]:
        """The arguments, and path, size and time of each file; see :class:`recsys.data.raw.Reader`."""
        files = {part: [list(file) for file in found.files] for part, found in self._files.items()}
        return {"reader": type(self).__name__, "arguments": self._said.settings(), "urls": self._urls, "files": files}

    @cached_property
    def _files(self) -> dict[str, RemoteFiles]:
        """The files of each table, as they are listed once."""
        if "interactions" not in self._urls:
            raise SourceError("data=remote needs the interactions: data.interactions=s3://bucket/ratings/. Give them.")
        return {part: RemoteFiles.find(url) for part, url in self._urls.items()}

    @cached_property
    def _tables(self) -> TableSet[FileTable]:
        """The tables: Parquet is read where it lies, what is read several times is copied for as long."""
        tables = {}
        for part, files in self._files.items():
            if _is_parquet(files):
                tables[part] = FileTable(RemoteFile.table(files))
            else:
                directory = self._copies.path / part
                directory.mkdir()
                tables[part] = FileTable(files.copied(directory))
        return replace(self._said, tables=tables)

    @cached_property
    def _copies(self) -> ScratchDirectory:
        return ScratchDirectory()


def _is_parquet(files: RemoteFiles) -> bool:
    return all(path.lower().endswith(_PARQUET) for path in files.paths)
