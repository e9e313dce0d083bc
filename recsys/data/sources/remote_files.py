"""Files of an object store: ``s3://bucket/directory/*.parquet``, by a filesystem of Arrow or of fsspec."""

from __future__ import annotations

import posixpath
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import BinaryIO, cast
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa
import pyarrow.fs

from recsys.data.sources.copied_file import CopiedFile, CopiedShards
from recsys.data.sources.raw_file import RawFile
from recsys.data.sources.scratch_directory import copying
from recsys.data.sources.shards import check_one_format
from recsys.errors import RecsysError, SourceError

#: Schemes that Arrow reads itself.
_OF_ARROW = ("s3", "gs", "gcs")

#: Options of a URL of S3 that are read here; with others Arrow reads them all, and has its own patience.
_S3_OPTIONS = {"endpoint_override", "region", "scheme"}

#: How long S3 is waited for: Arrow's own patience with a server that says nothing is many minutes.
_CONNECT_SECONDS, _SILENT_SECONDS, _S3_ATTEMPTS = 5, 10, 3

#: Schemes that are no object store: what lies behind them cannot be listed, or is no other place.
_REFUSED = ("http", "https", "ftp", "file", "local")

_CHUNK_BYTES = 1 << 20

#: How names of files begin that are none of a table, such as _SUCCESS.
_NO_PART = (".", "_")


@dataclass(frozen=True, slots=True)
class RemoteFiles:
    """The files of one table.

    Args:
        url: of a file, a directory or a pattern with ``*``, as it was given.
        filesystem: of Arrow.
        files: of each file its path, size in bytes and time of modification in nanoseconds, by their paths.
    """

    url: str
    filesystem: pa.fs.FileSystem
    files: tuple[tuple[str, int, int | None], ...]

    def __str__(self) -> str:
        return self.url

    @classmethod
    def find(cls, url: str) -> RemoteFiles:
        """The files of a URL.

        Raises:
            SourceError: it is none of an object store, has keys in it, a library is missing, or there are no files.
        """
        parts = urlsplit(url)
        if not parts.scheme or not parts.netloc or parts.scheme in _REFUSED:
            raise SourceError(
                f"data=remote reads object stores, such as s3://bucket/directory/*.parquet, but {url} is none. Correct "
                "it; fetch what is on a web server first, and read files of this machine with data=table."
            )
        if "@" in parts.netloc or any(name in parts.query for name in ("access_key", "secret_key", "token")):
            raise SourceError(
                "The URL of an object store must have no keys, because each run's files have its settings. Leave them "
                "out: its library finds them (AWS_ACCESS_KEY_ID, a profile, GOOGLE_APPLICATION_CREDENTIALS)."
            )
        try:
            filesystem = _filesystem(parts.scheme, parts.netloc, parts.query)
            found = _listed(filesystem, posixpath.join(parts.netloc, parts.path.strip("/")))
        except (ImportError, ValueError, pa.ArrowException) as error:
            raise SourceError(f"{url} cannot be read: {error}. Install what is missing, or correct the URL.") from error
        except OSError as error:
            raise SourceError(f"{url} cannot be read: {_said(error)}. Correct it, or the access.") from error
        if not found:
            raise SourceError(f"{url} has no files. Correct the URL; a pattern must be in quotes on a command line.")
        return cls(url, filesystem, found)

    @property
    def paths(self) -> list[str]:
        """The paths of the files."""
        return [path for path, _, _ in self.files]

    def copied(self, directory: Path) -> RawFile:
        """Copies of the files as one table, whose messages name the originals.

        Args:
            directory: an empty one, for the copies.

        Raises:
            SourceError: a file cannot be read, or its copy not be written.
            DataError: the files are of several formats.
        """
        check_one_format(self.url, self.paths)
        copies = []
        for number, path in enumerate(self.paths):
            copy = directory / f"{number:06}-{posixpath.basename(path)}"
            with self.open(path) as source, copying(self.url_of(path), directory), copy.open("wb") as target:
                shutil.copyfileobj(source, target, _CHUNK_BYTES)
            copies.append(copy)
        if len(copies) == 1:
            return CopiedFile(copies[0], None, self.url)
        return CopiedShards(directory, None, tuple(copies), 0, self.url, tuple(map(self.url_of, self.paths)))

    def url_of(self, path: str) -> str:
        """The URL of one of the files, without options."""
        return f"{self.url.partition('://')[0]}://{path}"

    @contextmanager
    def open(self, path: str) -> Iterator[BinaryIO]:
        """The bytes of a file.

        Raises:
            SourceError: it cannot be read, or is another one than was listed: what is read in several passes, or in
                pieces, would be of two versions.
        """
        try:
            with self.filesystem.open_input_file(path) as stream:
                yield cast(BinaryIO, stream)
        except (OSError, RecsysError) as error:
            self._check_unchanged(path)
            if isinstance(error, RecsysError):
                raise
            raise SourceError(
                f"{self.url_of(path)} cannot be read: {_said(error)}. Correct the access, or run the command again."
            ) from error
        self._check_unchanged(path)

    def _check_unchanged(self, path: str) -> None:
        """Require that a file is the one that was listed, as far as the store tells.

        Raises:
            SourceError: it is not.
        """
        try:
            found = self.filesystem.get_file_info(path)
        except OSError:
            return  # of which whoever reads it tells
        listed = next((_version(size, moment) for name, size, moment in self.files if name == path), None)
        if found.type != pa.fs.FileType.File or listed != _version(found.size, found.mtime_ns):
            raise SourceError(
                f"{self.url_of(path)} has to stay as it is while it is read, but was replaced or deleted. Run the "
                "command again when nobody writes to it."
            )


def _said(error: OSError) -> str:
    return str(error.strerror or error).rstrip(". ")


def _version(size: int, moment: int | None) -> tuple[int, int | None]:
    """What tells whether two files are the same."""
    # A store may tell the moment to the millisecond in a list, and to the second for one file.
    return size, None if moment is None else moment // 1_000_000_000


def _filesystem(scheme: str, bucket: str, options: str) -> pa.fs.FileSystem:
    if scheme == "s3" and (given := dict(parse_qsl(options))).keys() <= _S3_OPTIONS:
        if not given.keys() & {"region", "endpoint_override"}:
            given["region"] = pa.fs.resolve_s3_region(bucket)
        retries = pa.fs.AwsStandardS3RetryStrategy(max_attempts=_S3_ATTEMPTS)
        return pa.fs.S3FileSystem(
            connect_timeout=_CONNECT_SECONDS, request_timeout=_SILENT_SECONDS, retry_strategy=retries, **given
        )
    if scheme in _OF_ARROW:
        scheme = "gs" if scheme == "gcs" else scheme
        return pa.fs.FileSystem.from_uri(f"{scheme}://{bucket}{f'?{options}' if options else ''}")[0]
    import fsspec  # PyTorch needs it

    return pa.fs.PyFileSystem(pa.fs.FSSpecHandler(fsspec.core.url_to_fs(f"{scheme}://{bucket}")[0]))


def _listed(filesystem: pa.fs.FileSystem, path: str) -> tuple[tuple[str, int, int | None], ...]:
    """The file, the files below the directory, or those that fit the pattern."""
    pattern = "*" in path
    base = posixpath.dirname(path.partition("*")[0]) if pattern else path
    info = filesystem.get_file_info(base)
    if info.type == pa.fs.FileType.File and not pattern:
        return ((info.path.lstrip("/"), info.size, info.mtime_ns),)
    below = filesystem.get_file_info(pa.fs.FileSelector(base, recursive=True, allow_not_found=True))
    found = [
        (file.path.lstrip("/"), file.size, file.mtime_ns)
        for file in below
        if file.type == pa.fs.FileType.File and not file.base_name.startswith(_NO_PART)
    ]
    # As in a shell, a star stands for no slash.
    fits = [
        file for file in found if not pattern or (file[0].count("/") == path.count("/") and fnmatchcase(file[0], path))
    ]
    return tuple(sorted(fits))
