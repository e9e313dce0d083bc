"""Finds a complete set of raw files: in the path that the user gives, else in the cache, else where they are published.

Every step yields either verified files or the reason why it failed; the reasons make up the final error message.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from recsys.data.raw import RawSource
from recsys.data.sources.checksum import Checksum, digest_of
from recsys.data.sources.layout import FoundFiles, Layout, find_in_archive, find_in_directory
from recsys.errors import SourceError

_ARCHIVE_SUFFIXES = (".zip", ".whl")


class Fetchable(Protocol):
    """One published file."""

    @property
    def filename(self) -> str:
        """Name of the file in the cache."""
        ...

    @property
    def origin(self) -> str:
        """Where the file comes from."""
        ...

    @property
    def checksum(self) -> Checksum | None:
        """The published checksum; None if the publisher changes the file."""
        ...

    def fetch(self, target: Path) -> None:
        """Write the verified file to ``target``; SourceError if that fails."""
        ...


#: The published files of a data set: one archive, or several plain files.
Publication = Sequence[Fetchable]


@dataclass(frozen=True, slots=True)
class Located:
    """Files ready to be read.

    Args:
        found: the files.
        sources: each file on disk that holds them, with its SHA-256.
    """

    found: FoundFiles
    sources: tuple[RawSource, ...]


def locate(
    dataset: str,
    layouts: Sequence[Layout],
    publications: Sequence[Publication],
    cache_dir: str | Path,
    root: str | Path | None = None,
) -> Located:
    """Find the files of a data set.

    With ``root`` no other place is tried. Without it the cache is tried first, then the publications in their order;
    downloaded files stay in the cache.

    Args:
        dataset: name of the data set; its files are cached in ``cache_dir/raw/dataset``.
        layouts: sets of files that the reader understands, the preferred one first.
        publications: where the data set is published, the preferred place first.
        cache_dir: directory of the cache; created when it is needed.
        root: a directory that holds the files, a directory that holds one of the published archives, or such an
            archive itself. An archive under its published name must have its published checksum.

    Raises:
        SourceError: no source has the files; the message lists each with its reason.
    """
    if root is not None:
        found = find_in_root(layouts, publications, root)
        return Located(found, tuple(record(path, str(path)) for path in found.containers()))
    cache = Path(cache_dir).expanduser() / "raw" / dataset
    tried: list[str] = []
    for publication in publications:
        try:
            return _from_cache(publication, layouts, cache)
        except SourceError as error:
            tried.append(f"the cache: {error}")
    for publication in publications:
        try:
            for fetchable in publication:
                if not _is_cached(fetchable, cache):
                    fetchable.fetch(cache / fetchable.filename)
            return _from_cache(publication, layouts, cache)
        except SourceError as error:
            tried.append(f"{_origins(publication)}: {error}")
    steps = "\n".join(f"  {number}. {reason}" for number, reason in enumerate(tried, start=1))
    first = publications[0]
    raise SourceError(
        f"The raw files of {dataset} could not be found. Tried in this order:\n{steps}\n"
        f"To use a copy that you have, or fetch yourself from {_origins(first)}, give its path: data.root=PATH, where "
        f"PATH is {_what_root_may_be(first, layouts)}."
    )


def find_in_root(layouts: Sequence[Layout], publications: Sequence[Publication], root: str | Path) -> FoundFiles:
    """The files in a path that the user gives; see :func:`locate`.

    Raises:
        SourceError: they are not there, or an archive is not the published one.
    """
    path = Path(root).expanduser()
    archives = {file.filename: file for files in publications for file in files if _is_archive(file.filename)}
    try:
        if path.is_dir():
            try:
                return find_in_directory(path, layouts)
            except SourceError:
                inside = [path / name for name in archives if (path / name).is_file()]
                if not inside:
                    raise
                path = inside[0]
        if not path.exists():
            raise SourceError(f"{path} does not exist")
        if path.name in archives and (checksum := archives[path.name].checksum) is not None:
            checksum.verify(path, str(path))
        return find_in_archive(path, layouts)
    except SourceError as error:
        raise SourceError(
            f"data.root={root} cannot be used: {error}. Needed is {_what_root_may_be(publications[0], layouts)}. "
            "Correct the path, or leave data.root out to have the files fetched."
        ) from error


def record(path: Path, origin: str) -> RawSource:
    """The record of a file that is read: name, SHA-256 and origin."""
    return RawSource(path.name, digest_of(path), origin)


def _from_cache(publication: Publication, layouts: Sequence[Layout], cache: Path) -> Located:
    for fetchable in publication:
        if not (cache / fetchable.filename).is_file():
            raise SourceError(f"{cache} has no {fetchable.filename}")
        if fetchable.checksum is not None:
            fetchable.checksum.verify(cache / fetchable.filename, str(cache / fetchable.filename))
    if len(publication) == 1 and _is_archive(publication[0].filename):
        found = find_in_archive(cache / publication[0].filename, layouts)
    else:
        found = find_in_directory(cache, layouts)
    origins = {fetchable.filename: fetchable.origin for fetchable in publication}
    return Located(found, tuple(record(path, origins.get(path.name, str(path))) for path in found.containers()))


def _is_cached(fetchable: Fetchable, cache: Path) -> bool:
    path = cache / fetchable.filename
    return path.is_file() and (
        fetchable.checksum is None or digest_of(path, fetchable.checksum.algorithm) == fetchable.checksum.digest
    )


def _is_archive(filename: str) -> bool:
    return filename.endswith(_ARCHIVE_SUFFIXES)


def _origins(publication: Publication) -> str:
    return " and ".join(fetchable.origin for fetchable in publication)


def _what_root_may_be(publication: Publication, layouts: Sequence[Layout]) -> str:
    archives = [fetchable.filename for fetchable in publication if _is_archive(fetchable.filename)]
    directory = f"a directory with {'; or '.join(map(str, layouts))}"
    return f"the archive {archives[0]}, or {directory}" if archives else directory
